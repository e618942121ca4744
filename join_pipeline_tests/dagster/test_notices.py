"""Notices from Dagster: a failed run, a guarded sync, a connection to which nothing comes. None quotes a library."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pytest

from join_pipeline.defs import build_definitions
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import ClockRecord, Files, Objection, SyncRecord, sync_id_of
from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.receivers import CANARIES, WEBHOOK_SECRET, Hook, hook

PERSON = "ada.lovelace@canary.example"


@pytest.fixture
def got() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def told(sandbox_url: str, settings: Settings, got: Hook) -> Settings:
    """A connection whose sync can't begin, in the data folder where dbt's project is parsed."""
    return settings_for(sandbox_url, settings.data, connection="told", join_api_token=None, notice_webhook=got.url)


def committed(settings: Settings, ago: timedelta, **changes: Any) -> None:
    at = datetime.now(UTC) - ago
    lake = open_lake(settings.lake, settings.integration_id, create=True)
    record = SyncRecord(
        sync_id=sync_id_of(at),
        previous=None,
        mode="full",
        reason="asked for",
        started_at=at,
        finished_at=at,
        as_of=at,
        mapping_version=1,
        package_version="0",
        clock=ClockRecord(),
        files=Files(),
    )
    lake.commit(msgspec.structs.replace(record, **changes))


def ended(
    definitions: dg.Definitions, instance: dg.DagsterInstance, name: str, result: dg.ExecuteInProcessResult
) -> None:
    """Let the sensor see the end of a run."""
    kind = "PIPELINE_FAILURE" if name == "failed_run" else "PIPELINE_SUCCESS"
    (event,) = [event for event in result.all_events if event.event_type_value == kind]
    sensor = definitions.get_repository_def().get_sensor_def(name)
    context = dg.build_run_status_sensor_context(name, event, instance, result.dagster_run)
    sensor(context.for_run_failure() if name == "failed_run" else context)


def test_a_failed_run_is_told_once_with_our_reason(
    told: Settings, got: Hook, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    definitions = build_definitions(told)
    job = definitions.resolve_job_def("sync")
    results = [job.execute_in_process(instance=instance, raise_on_error=False) for _ in range(2)]
    capfd.readouterr()
    got.answers = 500
    ended(definitions, instance, "failed_run", results[0])
    said = capfd.readouterr().err
    assert "The notice was not sent by webhook: the server answered 500." in said
    assert WEBHOOK_SECRET not in said
    got.answers = 200
    for result in results:
        ended(definitions, instance, "failed_run", result)
    first, text = got.texts
    assert first == text, "what nobody got is told again"
    assert text.startswith("told: sync failed: extract: JOIN_API_TOKEN is not set.")
    assert text.endswith(f"Run {results[0].run_id}.")
    (told.home / "notices.json").unlink()


def test_what_a_library_says_stays_in_dagster(told: Settings, got: Hook, instance: dg.DagsterInstance) -> None:
    """A user's step in a run with ours, and an error that nobody expected, both quote a person."""
    definitions = build_definitions(told)
    job = definitions.resolve_job_def("sync")

    @dg.op(name="mine")
    def fails() -> None:
        raise dg.Failure(description=f"{PERSON} has no name")

    @dg.op
    def breaks() -> None:
        raise ValueError(f"{PERSON} is no number")

    @dg.job(name="sync", tags=job.tags)
    def like_ours() -> None:
        fails()
        breaks()

    result = like_ours.execute_in_process(instance=instance, raise_on_error=False)
    ended(definitions, instance, "failed_run", result)
    (text,) = got.texts
    assert "mine: Failure" in text
    assert "breaks: ValueError" in text
    assert [canary for canary in (PERSON, "name", "number", *CANARIES) if canary in text] == []
    (told.home / "notices.json").unlink()


def test_a_run_of_others_is_not_told(told: Settings, got: Hook, instance: dg.DagsterInstance) -> None:
    @dg.op
    def breaks() -> None:
        raise ValueError

    @dg.job
    def sync() -> None:
        breaks()

    definitions = build_definitions(told)
    ended(definitions, instance, "failed_run", sync.execute_in_process(instance=instance, raise_on_error=False))
    assert got.got == []


def test_a_guarded_sync_and_the_end_of_a_trouble_are_told(
    told: Settings, got: Hook, instance: dg.DagsterInstance
) -> None:
    definitions = build_definitions(told)
    tags = definitions.resolve_job_def("sync").tags

    @dg.job(name="sync", tags=tags)
    def like_ours() -> None:
        """A run that ends well: what it left is in the lake."""

    result = like_ours.execute_in_process(instance=instance)
    objection = Objection(feed="applications", reason="120 of 300 known records are missing")
    committed(told, timedelta(hours=30), verdict="guarded", objections=[objection])
    for _ in range(2):
        ended(definitions, instance, "good_run", result)
    (text,) = got.texts
    assert text.startswith("told: sync kept what is known: applications: 120 of 300 known records are missing.")

    sensor = definitions.get_repository_def().get_sensor_def("stale")
    for _ in range(2):
        sensor(dg.build_sensor_context(instance))
    assert [text.partition(":")[0] for text in got.texts[1:]] == ["told is stale"]
    committed(told, timedelta(hours=1))
    for _ in range(2):
        sensor(dg.build_sensor_context(instance))
        ended(definitions, instance, "good_run", result)
    assert got.texts[2:] == ["told is well again.", "told: sync is well again."]


def test_each_partition_tells_by_its_own_settings(
    sandbox_url: str, settings: Settings, got: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_OF_ITS", got.url)
    monkeypatch.setenv("JOIN_API_URL", f"{sandbox_url}/v2")
    file = tmp_path / "connections.toml"
    file.write_text('[its]\nsecrets.notice_webhook = {environment = "HOOK_OF_ITS"}\n[silent]\n')
    shared = settings_for(sandbox_url, settings.data)
    definitions = build_definitions(shared, connections=file)
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("connection", ["its", "silent"])
    for name in ("its", "silent"):
        job = definitions.resolve_job_def("sync")
        result = job.execute_in_process(partition_key=name, instance=instance, raise_on_error=False)
        ended(definitions, instance, "failed_run", result)
        committed(shared.model_copy(update={"connection": name, "integration_id": None}), timedelta(hours=30))
    definitions.get_repository_def().get_sensor_def("stale")(dg.build_sensor_context(instance))
    assert [text.partition(":")[0] for text in got.texts] == ["its", "its is stale"]
