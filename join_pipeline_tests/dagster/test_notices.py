"""Notices from Dagster: a failed run, a guarded sync, a connection to which nothing comes. None quotes a library."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pytest
from pydantic import SecretStr

from join_pipeline.component import notices
from join_pipeline.component.scope import PARTITION, Scope
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import ClockRecord, Files, Objection, SyncRecord, sync_id_of
from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.receivers import CANARIES, Hook, hook

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
def told(tmp_path: Path, got: Hook) -> Scope:
    return Scope(settings_for("http://127.0.0.1:1", tmp_path, connection="told", notice_webhook=got.url))


@dg.asset
def extract() -> None:
    """A step of ours."""
    raise dg.Failure(description="JOIN_API_TOKEN is not set.", allow_retries=False)


@dg.op
def mine() -> None:
    """A step of a user's own."""
    raise dg.Failure(description=f"{PERSON} has no name")


@dg.op
def breaks() -> None:
    raise ValueError(f"{PERSON} is no number")


@dg.op
def works() -> None:
    """Nothing that could go wrong."""


def played(
    scope: Scope, instance: dg.DagsterInstance, *ops: Any, job: str = "sync", **tags: str
) -> dg.ExecuteInProcessResult:
    """A run of a job of ours with our tags and these steps."""

    @dg.job(name=job, tags={**scope.tags, **tags})
    def like_ours() -> None:
        for op in ops:
            op()

    return like_ours.execute_in_process(instance=instance, raise_on_error=False)


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


def look(
    scope: Scope, instance: dg.DagsterInstance, name: str, result: dg.ExecuteInProcessResult | None = None
) -> None:
    """Let a sensor look; one of runs at the end of this run."""
    (sensor,) = [one for one in notices.sensors(scope, [extract]) if one.name == name]
    if result is None:
        sensor(dg.build_sensor_context(instance))
        return
    kind = "PIPELINE_FAILURE" if name == "failed_run" else "PIPELINE_SUCCESS"
    (event,) = [event for event in result.all_events if event.event_type_value == kind]
    context = dg.build_run_status_sensor_context(name, event, instance, result.dagster_run)
    sensor(context.for_run_failure() if name == "failed_run" else context)


def test_a_failed_run_is_told_once_with_our_reason_and_what_others_say_stays_in_dagster(
    told: Scope, got: Hook, instance: dg.DagsterInstance
) -> None:
    """A user's step in a run with ours, and an error that nobody expected, both quote a person."""
    results = [played(told, instance, extract.op, mine, breaks) for _ in range(2)]
    for result in results:
        look(told, instance, "failed_run", result)
    (text,) = got.texts
    assert text.startswith("told: sync failed: ")
    for words in ("extract: JOIN_API_TOKEN is not set.", "mine: Failure", "breaks: ValueError"):
        assert words in text
    assert text.endswith(f"Run {results[0].run_id}.")
    assert [canary for canary in (PERSON, "has no name", "is no number", *CANARIES) if canary in text] == []


def test_a_failed_action_is_told_without_its_reason(told: Scope, got: Hook, instance: dg.DagsterInstance) -> None:
    """Its reason can name a file, whose name somebody chose."""
    look(told, instance, "failed_run", played(told, instance, mine, job="create_application"))
    (text,) = got.texts
    assert text.startswith("told: create_application failed: mine: Failure")
    assert PERSON not in text


def test_a_run_of_others_is_not_told(told: Scope, got: Hook, instance: dg.DagsterInstance) -> None:
    others = Scope(told.settings.model_copy(update={"connection": "other"}))
    look(told, instance, "failed_run", played(others, instance, breaks))
    look(told, instance, "good_run", played(others, instance, works))
    assert got.got == []


def test_a_guarded_sync_a_stale_lake_and_the_end_of_both_are_told_once(
    told: Scope, got: Hook, instance: dg.DagsterInstance
) -> None:
    good = played(told, instance, works)
    objection = Objection(feed="applications", reason="120 of 300 known records are missing")
    committed(told.settings, timedelta(hours=30), verdict="guarded", objections=[objection])
    for _ in range(2):
        look(told, instance, "good_run", good)
        look(told, instance, "stale")
    guarded, stale = got.texts
    assert guarded.startswith("told: sync kept what is known: applications: 120 of 300 known records are missing.")
    assert stale.startswith("told is stale: ")
    committed(told.settings, timedelta(hours=1))
    for _ in range(2):
        look(told, instance, "good_run", good)
        look(told, instance, "stale")
    assert got.texts[2:] == ["told: sync is well again.", "told is well again."]


def test_each_partition_tells_by_its_own_settings(
    got: Hook, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_OF_ITS", got.url)
    file = tmp_path / "connections.toml"
    file.write_text('[its]\nsecrets.notice_webhook = {environment = "HOOK_OF_ITS"}\n[silent]\n[wrong]\nk = 1\n')
    many = Scope(settings_for("http://127.0.0.1:1", tmp_path), file=file)
    for name in ("its", "silent", "wrong"):
        look(many, instance, "failed_run", played(many, instance, breaks, **{PARTITION: name}))
        committed(many.settings.model_copy(update={"connection": name}), timedelta(hours=30))
    look(many, instance, "stale")
    assert [text.partition(":")[0] for text in got.texts] == ["its", "its is stale"]
    everybody = Scope(many.settings.model_copy(update={"notice_webhook": SecretStr(got.url)}), file=file)
    look(everybody, instance, "failed_run", played(many, instance, breaks, **{PARTITION: "wrong"}))
    assert got.texts[2].startswith("wrong: sync failed: ")
