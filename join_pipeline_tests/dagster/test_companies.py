"""Several companies in one Dagster: as partitions of one code location, or as definitions merged with a user's own."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from benchmarks.portfolio import make
from join_pipeline import pipeline
from join_pipeline.component.scope import CONNECTION
from join_pipeline.connections.lost_runs import QUEUE_TAG, end_lost_runs_of
from join_pipeline.connections.trigger import pending_trigger, set_trigger
from join_pipeline.connections.turns import SLOT_MINUTES, is_due
from join_pipeline.defs import build_definitions
from join_pipeline.lake.files import locked
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.dagster.conftest import ELSEWHERE, settings_for

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ENTRY = """
[{name}]
integration_id = "join:{name}"

[{name}.secrets]
join_api_token = {{environment = "TOKEN_OF_MANY"}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two good connections and one that is wrong."""
    monkeypatch.setenv("TOKEN_OF_MANY", "sandbox-token")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "connections.toml"
    path.write_text(ENTRY.format(name="acme") + ENTRY.format(name="globex") + "\n[wrong]\nk = 1\n")
    return path


@pytest.fixture
def shared(sandbox_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What is alike for all. The data folder is that of the other tests, where dbt's project is parsed."""
    monkeypatch.setenv("JOIN_API_URL", f"{sandbox_url}/v2")
    return load_settings(data=settings.data)


@pytest.fixture
def many(file: Path, shared: Settings) -> dg.Definitions:
    return build_definitions(shared, connections=file)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:  # a schedule's tick wants one that other processes could open
        instance.add_dynamic_partitions("connection", ["acme", "globex", "wrong"])
        yield instance


def tick(definitions: dg.Definitions, name: str, instance: dg.DagsterInstance, at: datetime) -> Any:
    repository = definitions.get_repository_def()
    context = dg.build_schedule_context(instance, at, repository_def=repository)
    return repository.get_schedule_def(name).evaluate_tick(context)


def look(definitions: dg.Definitions, name: str, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    repository = definitions.get_repository_def()
    context = dg.build_sensor_context(instance, cursor, repository_def=repository)
    return repository.get_sensor_def(name).evaluate_tick(context)


def turns(definitions: dg.Definitions, name: str, instance: dg.DagsterInstance) -> list[str]:
    """The partitions that get a run in a day, at the slots where anybody's turn can be."""
    begin, full = datetime(2026, 6, 1, tzinfo=UTC), name == "nightly"
    slots = [begin + timedelta(minutes=SLOT_MINUTES * n) for n in range(24 * 12 if full else 12)]
    due = [at for at in slots if any(is_due("hourly", c, at, "Europe/Berlin", full=full) for c in ("acme", "globex"))]
    ticks = [tick(definitions, name, instance, at) for at in due]
    return sorted(str(request.partition_key) for one in ticks for request in one.run_requests or [])


def test_each_connection_has_its_turn_once_an_hour_and_a_wrong_one_stops_nobody(
    many: dg.Definitions, instance: dg.DagsterInstance, file: Path, shared: Settings
) -> None:
    assert turns(many, "hourly", instance) == ["acme", "globex"]
    file.write_text(file.read_text().replace("[globex]", '[globex]\nschedule = "nightly"'))
    assert turns(many, "hourly", instance) == ["acme"]
    assert turns(many, "nightly", instance) == ["acme", "globex"]
    said = tick(many, "nightly", instance, NOON)
    assert "wrong.k: needs a number of at least 2" in said.skip_message
    with locked(shared.data / "acme"):  # a command works on it
        assert turns(many, "nightly", instance) == ["globex"]
    job = many.resolve_job_def("sync")
    tags = {**job.run_tags, "dagster/partition": "acme"}
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert turns(many, "nightly", instance) == ["globex"]
    instance.report_run_canceled(run)


def test_the_partitions_follow_the_file_and_leave_those_of_others(
    many: dg.Definitions, instance: dg.DagsterInstance, file: Path
) -> None:
    file.write_text(file.read_text() + ENTRY.format(name="initech"))
    seen = look(many, "connections", instance)
    (request,) = seen.dynamic_partitions_requests
    assert request.partition_keys == ["initech"]
    instance.add_dynamic_partitions("connection", request.partition_keys)
    file.write_text(ENTRY.format(name="globex"))
    again = look(many, "connections", instance, seen.cursor)
    (request,) = again.dynamic_partitions_requests
    assert request.partition_keys == ["initech"], "acme was not added by this sensor"
    file.write_text("[globex\n")
    assert "line 1: this is not TOML" in look(many, "connections", instance, seen.cursor).skip_message


def test_a_webhook_asks_for_a_run_of_its_connection_and_a_lost_run_is_looked_for_in_its_folder(
    many: dg.Definitions, instance: dg.DagsterInstance, shared: Settings
) -> None:
    (shared.data / "globex").mkdir(exist_ok=True)
    set_trigger(shared.data / "globex")
    sensor = many.get_repository_def().get_sensor_def("webhook")
    (request,) = list(sensor(dg.build_sensor_context(instance)))  # type: ignore[arg-type]
    assert (request.partition_key, request.tags[CONNECTION]) == ("globex", "globex")
    (shared.data / "globex" / "sync-requested").unlink()

    run = instance.create_run_for_job(
        many.resolve_job_def("sync"), status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "globex"}
    )
    (shared.data / "globex" / "runs").mkdir(exist_ok=True)
    (shared.data / "globex" / "runs" / run.run_id).write_text("999999")
    cursor = look(many, "lost_run", instance).cursor
    assert run.run_id in cursor
    context = dg.build_sensor_context(instance, cursor)
    globex = shared.model_copy(update={"connection": "globex"})
    record = instance.get_run_record_by_id(run.run_id)
    end_lost_runs_of([(globex, [record])], context, {"sync"}, clock=lambda: datetime.now(UTC).timestamp() + 60)
    assert instance.get_run_by_id(run.run_id).is_failure  # type: ignore[union-attr]


def test_where_runs_start_on_other_machines_they_take_their_queues_and_answer_for_webhooks(
    many: dg.Definitions, file: Path, shared: Settings
) -> None:
    file.write_text(file.read_text().replace("[acme]", '[acme]\nqueue = "shard1"'))
    (shared.data / "acme").mkdir(exist_ok=True)
    set_trigger(shared.data / "acme")
    with dg.instance_for_test(overrides=ELSEWHERE) as instance, locked(shared.data / "acme"):
        instance.add_dynamic_partitions("connection", ["acme", "globex", "wrong"])
        sensor = many.get_repository_def().get_sensor_def("webhook")
        (request,) = list(sensor(dg.build_sensor_context(instance)))  # type: ignore[arg-type]
        assert request.tags == {CONNECTION: "acme", QUEUE_TAG: "shard1"}
        assert pending_trigger(shared.data / "acme") is None
        assert turns(many, "hourly", instance) == ["acme", "globex"], "a lock of this machine stops no other one"


def test_what_is_wrong_with_an_entry_is_not_tried_again_as_a_lost_worker_is(many: dg.Definitions) -> None:
    again = {"run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}}
    with dg.instance_for_test(overrides=again) as instance:
        instance.add_dynamic_partitions("connection", ["acme", "globex", "wrong"])
        job = many.resolve_job_def("sync")
        ended = job.execute_in_process(partition_key="wrong", instance=instance, raise_on_error=False)
        run = instance.get_run_by_id(ended.run_id)
        assert run is not None
        assert (run.status, run.tags["dagster/will_retry"]) == (dg.DagsterRunStatus.FAILURE, "false")
        assert run.tags["dagster/retry_strategy"] == "ALL_STEPS", "another worker has no warehouse of this one"


def test_a_run_works_on_its_partition_and_on_no_other(many: dg.Definitions, shared: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("connection", ["acme", "globex", "wrong"])
        job = many.resolve_job_def("sync")
        done = job.execute_in_process(partition_key="globex", instance=instance)
        assert done.success
        assert (shared.data / "globex" / "published" / "recruiting.duckdb").exists()
        assert not (shared.data / "acme" / "lake").exists()
        keys = {event.partition for event in done.get_asset_materialization_events()}
        assert keys == {"globex"}
        published = shared.data / "globex" / "published" / "recruiting.duckdb"
        built = published.stat().st_ino
        again = job.execute_in_process(partition_key="globex", instance=instance)  # full: it proves the first list
        assert again.success
        assert published.stat().st_ino != built
        built = published.stat().st_ino
        third = job.execute_in_process(partition_key="globex", instance=instance)
        assert third.success
        groups = {event.asset_key.path[0] for event in third.get_asset_materialization_events() if event.asset_key}
        assert groups == {"raw", "models"}, "nothing has changed, so nothing is made again"
        assert published.stat().st_ino == built
        wrong = job.execute_in_process(partition_key="wrong", instance=instance, raise_on_error=False)
        assert not wrong.success


def test_a_fault_in_a_run_is_noted_in_the_folder_of_its_company(
    many: dg.Definitions, shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object, **_more: object) -> None:
        raise RuntimeError("of nobody")

    monkeypatch.setattr(pipeline, "sync", fault)
    log = shared.data / "acme" / "faults.log"
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("connection", ["acme"])
        ended = many.resolve_job_def("sync").execute_in_process(
            partition_key="acme", instance=instance, raise_on_error=False
        )
    (failed,) = [event for event in ended.all_events if event.is_step_failure]
    assert str(log) in str(failed.event_specific_data)
    assert "RuntimeError" in log.read_text()


def test_the_portfolio_is_made_after_builds_and_is_of_no_partition(
    many: dg.Definitions, instance: dg.DagsterInstance, shared: Settings
) -> None:
    graph = many.resolve_asset_graph()
    key = dg.AssetKey(["published", "portfolio"])
    assert graph.get(key).partitions_def is None
    assert graph.get(key).parent_keys == {dg.AssetKey(["published", "recruiting"])}
    assert key not in many.resolve_job_def("sync").asset_layer.selected_asset_keys
    assert "No company" in look(many, "portfolio", instance).skip_message
    make(shared.parquet, ["acme", "globex"])
    try:
        (asked,) = look(many, "portfolio", instance).run_requests
        assert [asked.run_key] == [one.run_key for one in look(many, "portfolio", instance).run_requests]
        done = many.resolve_job_def("portfolio").execute_in_process(instance=instance)
        (made,) = done.get_asset_materialization_events()
        assert made.partition is None
        metadata = {name: one.value for name, one in made.materialization.metadata.items()}
        assert (metadata["companies"], metadata["left_out"]) == (2, 1)
        assert metadata["page"] == shared.portfolio_report.as_uri()
        assert shared.portfolio.exists()
        make(shared.parquet, ["padding", "globex"])
        (again,) = look(many, "portfolio", instance).run_requests
        assert again.run_key != asked.run_key
    finally:
        shutil.rmtree(shared.parquet)
    assert key not in build_definitions(shared).resolve_asset_graph().get_all_asset_keys(), "of a single company"


def test_companies_and_a_users_assets_merge_and_nobody_runs_the_others(
    sandbox_url: str, settings: Settings, instance: dg.DagsterInstance
) -> None:
    acme, globex = (settings_for(sandbox_url, settings.data, connection=name) for name in ("acme", "globex"))

    @dg.asset(deps=[dg.AssetKey(["acme", "recruiting", "fct_application"])])
    def my_own(settings: dg.ResourceParam[str]) -> None:
        """A user's asset behind one of ours, with a resource of a name that was ours, too."""

    mine = dg.Definitions(assets=[my_own], resources={"settings": "mine"}, executor=dg.multiprocess_executor)
    merged = dg.Definitions.merge(
        build_definitions(acme, key_prefix=["acme"], group_prefix="acme_"),
        build_definitions(globex, key_prefix="globex", group_prefix="globex_"),
        mine,
    )
    dg.Definitions.validate_loadable(merged)
    graph = merged.resolve_asset_graph()
    assert graph.get(dg.AssetKey("my_own")).parent_keys == {dg.AssetKey(["acme", "recruiting", "fct_application"])}
    for name in ("acme", "globex"):
        job = merged.resolve_job_def(f"{name}_sync")
        selected = job.asset_layer.selected_asset_keys
        assert {key.path[0] for key in selected} == {name}
        assert job.executor_def is dg.in_process_executor
        assert job.tags[CONNECTION] == name
        assert {graph.get(key).group_name for key in selected} >= {f"{name}_extract", f"{name}_marts"}
    pools = {step.node_def.pools.pop() for step in graph.assets_defs if step.node_def.pools}
    assert pools == {"join_pipeline_acme", "join_pipeline_globex"}

    job = merged.resolve_job_def("acme_sync")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=job.run_tags)
    assert "has not ended" in tick(merged, "acme_hourly", instance, NOON).skip_message
    assert tick(merged, "globex_hourly", instance, NOON).run_requests
