"""Fifty companies on two machines, of which one is killed: each lake equals what its company lists, and nobody is
worked on twice at once.
"""

import contextlib
import hashlib
import os
import re
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import dagster as dg
import duckdb
import pytest

from join_pipeline.connections.lost_runs import QUEUE_TAG
from join_pipeline.lake.lake import open_lake
from join_pipeline_tests.dagster.fleet import Fleet, companies, fleet, program
from join_pipeline_tests.oracle.compare import differences, fetched
from join_pipeline_tests.oracle.tables import expected_tables
from join_pipeline_tests.oracle.world import World
from join_pipeline_tests.whole_rows import whole

N: Final = 50
SHARDS: Final = ("shard0", "shard1")
WRONG: Final = "wrong"
SLOW: Final = "slow"
PARTITION: Final = "dagster/partition"
ENTRY: Final = """
[{name}]
join_api_url = "{url}/v2"
integration_id = "join:{name}"
queue = "{queue}"

[{name}.secrets]
join_api_token = {{file = "{name}.token"}}
"""
CODE: Final = '''
"""Ours, with a job that syncs and loads only: fifty builds would take ten minutes."""

import dagster as dg

from join_pipeline.defs import build_definitions
from join_pipeline.settings import connections_file, load_settings

@dg.definitions
def defs() -> dg.Definitions:
    ours = build_definitions(load_settings(), connections=connections_file())
    sync_and_load = dg.define_asset_job(
        "sync_and_load",
        dg.AssetSelection.assets(*(key for step in ours.assets[:2] for key in step.keys)),
        tags={"dagster/retry_strategy": "ALL_STEPS"},
        executor_def=dg.in_process_executor,
    )
    return dg.Definitions.merge(ours, dg.Definitions(jobs=[sync_and_load]))
'''
LAUNCH: Final = """mutation ($names: [String!]) { launchPartitionBackfill(backfillParams: {
  selector: {
    partitionSetName: "sync_and_load_partition_set",
    repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "join_pipeline"}},
  partitionNames: $names}) { __typename ... on PythonError { message } } }"""
CANCEL: Final = "mutation ($id: String!) { terminateRun(runId: $id) { __typename } }"
DONE: Final = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("FLEET_TEST") != "required" and not (program("initdb") and program("redis-server")),
        reason="needs PostgreSQL and Redis: apt-get install postgresql redis-server",
    ),
]


def queue_of(name: str) -> str:
    return SHARDS[hashlib.sha256(name.encode()).digest()[0] % len(SHARDS)]


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The file of the companies and the API of each. One has a wrong token, and one a slow API."""
    names = [*(f"c{n:02}" for n in range(N)), WRONG, SLOW]
    with companies({name: n for n, name in enumerate(names)}, 30, SLOW) as urls:
        folder = tmp_path / "code"
        folder.mkdir()
        (folder / "fleet_definitions.py").write_text(CODE)
        for name in names:
            token = folder / f"{name}.token"
            token.touch(0o600)
            token.write_text("no token of anybody" if name == WRONG else f"token-{name}")
        file = folder / "connections.toml"
        file.write_text("".join(ENTRY.format(name=name, url=urls[name], queue=queue_of(name)) for name in names))
        yield file, urls


@pytest.fixture
def running(tmp_path: Path, listed: tuple[Path, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with fleet(tmp_path, listed[0], "fleet_definitions", SHARDS) as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started


def test_fifty_companies_converge_although_a_machine_and_a_process_die(
    running: Fleet, listed: tuple[Path, Mapping[str, str]]
) -> None:
    urls = {name: url for name, url in listed[1].items() if name != SLOW}
    with dg.DagsterInstance.get() as instance:
        running.wait(lambda: len(instance.get_dynamic_partitions("connection")) == N + 2 or None, "the partitions")
        canceled = cancel_a_run(running, instance)
        running.ask(LAUNCH, names=list(urls))
        running.wait(lambda: sum(run.status in DONE for run in instance.get_runs()) > N // 4 or None, "the first runs")
        first = running.wait(lambda: at_work(instance, SHARDS[0]), "a run of the first machine")
        os.kill(process_of(instance, first), signal.SIGKILL)
        second = running.wait(lambda: at_work(instance, SHARDS[1]), "a run of the second machine")
        running.kill(SHARDS[1])
        running.start_worker(SHARDS[1])
        running.wait(lambda: has_ended(instance) or None, "the end of all runs")
        runs = runs_of(instance)

    assert [record.dagster_run.run_id for record in runs.pop(SLOW)] == [canceled], "it was tried again"
    assert runs.keys() == urls.keys()
    (refused,) = runs.pop(WRONG)
    assert refused.dagster_run.status is dg.DagsterRunStatus.FAILURE, "a wrong token is not tried again"
    for name, records in runs.items():
        *lost, last = records
        assert last.dagster_run.status is dg.DagsterRunStatus.SUCCESS
        assert len(lost) == (last.dagster_run.parent_run_id is not None)
        assert all(record.dagster_run.status is dg.DagsterRunStatus.FAILURE for record in lost)
        ends = [record.end_time or 0.0 for record in records]
        begins = [record.start_time or 0.0 for record in records]
        assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False)), (
            f"{name} was worked on twice at once"
        )
    retried = {records[0].dagster_run.run_id for records in runs.values() if len(records) > 1}
    assert retried == {first.run_id, second.run_id}
    for name in runs:
        assert_equal_to_what_is_listed(running, name, urls[name])


def cancel_a_run(running: Fleet, instance: dg.DagsterInstance) -> str:
    """Launch a run that lasts, and cancel it as the UI does. Returns its id."""
    running.ask(LAUNCH, names=[SLOW])
    begun = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    run_id = running.wait(lambda: next((run.run_id for run in instance.get_runs(begun)), None), "a run to cancel")
    answer = running.ask(CANCEL, id=run_id)
    assert answer["terminateRun"]["__typename"] == "TerminateRunSuccess"
    ended = running.wait(
        lambda: next(iter(instance.get_runs(dg.RunsFilter([run_id], statuses=[*DONE]))), None), "its end"
    )
    assert ended.status is dg.DagsterRunStatus.CANCELED
    return run_id


def at_work(instance: dg.DagsterInstance, queue: str) -> dg.DagsterRun | None:
    """A run of a good company that a machine has just begun, so that it lives long enough to be killed."""
    begun = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={QUEUE_TAG: queue})
    for record in instance.get_run_records(begun):
        is_new = record.start_time is not None and time.time() - record.start_time < 2.0
        if is_new and record.dagster_run.tags[PARTITION] != WRONG:
            return record.dagster_run
    return None


def process_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    """The process that a run told as its own."""
    told = (
        re.search(r"Started process for run \(pid: (\d+)\)", event.message) for event in instance.all_logs(run.run_id)
    )
    return next(int(found[1]) for found in told if found)


def runs_of(instance: dg.DagsterInstance) -> dict[str, list[dg.RunRecord]]:
    """The runs of each company, the oldest first."""
    found = defaultdict(list)
    for record in instance.get_run_records(ascending=True):
        found[record.dagster_run.tags[PARTITION]].append(record)
    return dict(found)


def has_ended(instance: dg.DagsterInstance) -> bool:
    """Whether every company has its result. A failed run that Dagster tries again has none yet."""
    last = [records[-1].dagster_run for records in runs_of(instance).values()]
    return len(last) == N + 2 and all(
        run.status in DONE and run.tags.get("dagster/will_retry") != "true" for run in last
    )


def assert_equal_to_what_is_listed(running: Fleet, name: str, url: str) -> None:
    """The lake lies on the company's machine alone, has one sync after the other, and its rows are those of the API."""
    homes = [machine for machine in ("hub", *SHARDS) if (running.data(machine) / name / "lake").exists()]
    assert homes == [queue_of(name)]
    home = running.data(homes[0]) / name
    records = sorted(open_lake(home / "lake").records(), key=lambda record: record.sync_id)
    assert [record.previous for record in records] == [None, *(record.sync_id for record in records[:-1])]
    expected = expected_tables(World.read(f"{url}/v2", f"token-{name}"), f"join:{name}")
    with contextlib.closing(duckdb.connect(home / "warehouse.duckdb", read_only=True)) as con:
        found = {model: differences(frame, fetched(con, f"FROM {whole(model)}")) for model, frame in expected.items()}
    assert not any(found.values()), f"{name}: {found}"
