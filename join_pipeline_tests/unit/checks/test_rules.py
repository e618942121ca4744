"""The checks: what each finds, when a finding is severe, and that it says what to do."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.checks.finding import Check, Finding
from join_pipeline.checks.load import LOAD_CHECKS, check_references
from join_pipeline.checks.sync import check_sync, sync_checks
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import (
    FeedRecord,
    Files,
    LakeFile,
    LastFull,
    LostFile,
    ModelRecord,
    Objection,
    SyncRecord,
)
from join_pipeline.models import MODELS
from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import open_source
from join_pipeline.transform.findings import finding_of
from join_pipeline.transform.run import Node

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SOURCE = open_source(load_settings())


def record(**changes: Any) -> SyncRecord:
    """A full sync of a company with 100 live records of everything, in which nothing is wrong."""
    plain: dict[str, Any] = {
        "sync_id": "20260601T000000000000Z",
        "previous": None,
        "mode": "full",
        "reason": "asked for",
        "started_at": NOW,
        "finished_at": NOW,
        "as_of": NOW,
        "mapping_version": 1,
        "package_version": "0.1.0",
        "feeds": {feed.name: FeedRecord(records=100, is_whole=True) for feed in SOURCE.feeds},
        "models": {model: ModelRecord(live=100) for model in MODELS},
        "files": Files(),
    }
    return SyncRecord(**(plain | changes))


def broken(lake: Lake, sync: SyncRecord, previous: SyncRecord | None = None) -> dict[tuple[str, str], Finding]:
    found = {(one.about, one.check): one for one in check_sync(SOURCE, lake, sync, previous) if not one.is_ok}
    assert [one for one in found.values() if "`join-pipeline " not in one.message] == [], "each says what to run next"
    return found


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "join:test")


def test_every_declared_check_finds_something_and_nothing_else_does(lake: Lake) -> None:
    found = check_sync(SOURCE, lake, record(), None)
    assert sorted((one.about, one.check) for one in found) == sorted(
        (check.about, check.name) for check in sync_checks(SOURCE)
    )
    assert all(one.is_ok and not one.message for one in found)


@pytest.mark.parametrize(("quarantined", "is_grave"), [(1, False), (20, False), (21, True), (100, True)])
def test_a_few_broken_records_warn_and_more_than_a_fifth_are_grave(
    lake: Lake, quarantined: int, is_grave: bool
) -> None:
    feeds = record().feeds | {"jobs": FeedRecord(records=100, quarantined=quarantined)}
    (finding,) = broken(
        lake,
        record(
            feeds=feeds, files=Files(quarantine={"jobs": [LakeFile(path="quarantine/jobs/1.parquet", sync_id="1")]})
        ),
    ).values()
    assert (finding.about, finding.check, finding.is_grave) == ("raw/jobs", "contract", is_grave)
    assert f"{quarantined} of 100" in finding.message
    assert "quarantine/jobs/1.parquet" in finding.message


def test_a_file_that_the_sync_dropped_warns_at_its_feed(lake: Lake) -> None:
    lost = [
        LostFile(path="raw/jobs/1/part-00000.parquet", reason="is damaged"),
        LostFile(path="syncs/9.json", reason="is a copy"),
    ]
    found = broken(lake, record(lost=lost))
    assert {key: finding.verdict for key, finding in found.items()} == {
        ("raw/jobs", "contract"): "warning",
        ("raw/applications", "contract"): "warning",
    }
    assert "part-00000.parquet is damaged" in found["raw/jobs", "contract"].message


def test_a_list_that_join_does_not_offer_warns(lake: Lake) -> None:
    feeds = {name: figures for name, figures in record().feeds.items() if name != "categories"}
    (finding,) = broken(lake, record(feeds=feeds)).values()
    assert (finding.about, finding.check, finding.is_grave) == ("raw/categories", "contract", False)


@pytest.mark.parametrize(("seconds", "is_told"), [(0.0, False), (300.0, False), (300.1, True), (-3600.0, True)])
def test_a_clock_that_is_more_than_five_minutes_off_warns(lake: Lake, seconds: float, is_told: bool) -> None:
    assert (("raw/applications", "clock") in broken(lake, record(clock_skew_seconds=seconds))) == is_told


def test_the_guards_objection_comes_with_the_command_that_accepts_it(lake: Lake) -> None:
    sync = record(verdict="guarded", objections=[Objection(feed="jobs", reason="30 of 100 known records are missing")])
    (finding,) = broken(lake, sync).values()
    assert (finding.about, finding.check, finding.is_grave) == ("raw/jobs", "guard", True)
    assert finding.message.startswith("jobs: 30 of 100 known records are missing. ")
    assert "`join-pipeline sync --mode full --accept-loss jobs`" in finding.message


def test_changes_that_were_not_announced_warn_until_a_full_sync_finds_none(lake: Lake) -> None:
    later = record(mode="incremental", last_full=LastFull(started_at=NOW, n_unannounced=7))
    (finding,) = broken(lake, later).values()
    assert (finding.about, finding.check, finding.is_grave) == ("raw/applications", "announced", False)
    assert finding.figures == {"unannounced": 7}
    assert "7 changes" in finding.message
    assert broken(lake, record(last_full=LastFull(started_at=NOW, n_unannounced=0))) == {}


@pytest.mark.parametrize(
    ("before", "now", "is_ok"),
    [(100, 80, True), (100, 79, False), (24, 5, True), (25, 5, False), (0, 0, True), (0, 9, True)],
)
def test_a_fall_by_more_than_a_fifth_and_at_least_twenty_warns(lake: Lake, before: int, now: int, is_ok: bool) -> None:
    models = {model: ModelRecord(live=100) for model in MODELS}
    sync = record(models=models | {"tags": ModelRecord(live=now)})
    found = broken(lake, sync, record(models=models | {"tags": ModelRecord(live=before)}))
    assert set(found) == (set() if is_ok else {("models/tags", "volume")})
    assert not any(one.is_grave for one in found.values())


def test_unknown_words_are_told_with_their_model_and_number(lake: Lake) -> None:
    found = broken(lake, record(unknown={"applications.state": 3, "jobs.status": 1}))
    assert set(found) == {("models/applications", "known_words"), ("models/jobs", "known_words")}
    assert "applications.state (3)" in found["models/applications", "known_words"].message
    assert found["models/jobs", "known_words"].figures == {"jobs.status": 1}


def test_a_file_with_other_columns_or_types_is_grave(lake: Lake) -> None:
    model = MODELS["application_stages"]
    declared = pa.schema([(column.name, column.type) for column in model.plain])
    (lake.path / "models").mkdir()
    pq.write_table(declared.empty_table(), lake.path / "models/right.parquet")
    pq.write_table(declared.remove(declared.get_field_index("name")).empty_table(), lake.path / "models/lacks.parquet")
    retyped = declared.set(declared.get_field_index("name"), pa.field("name", pa.list_(pa.int64())))
    pq.write_table(retyped.empty_table(), lake.path / "models/retyped.parquet")
    right = LakeFile(path="models/right.parquet", sync_id="1")
    assert broken(lake, record(files=Files(models={"application_stages": [right]}))) == {}
    for path, fault in (
        ("models/lacks.parquet", "models/lacks.parquet lacks the column name"),
        ("models/retyped.parquet", "models/retyped.parquet has the column name as list<"),
    ):
        file = LakeFile(path=path, sync_id="2")
        (finding,) = broken(lake, record(files=Files(models={"application_stages": [right, file]}))).values()
        assert (finding.about, finding.check, finding.is_grave) == ("models/application_stages", "schema", True)
        assert fault in finding.message


def test_ids_of_live_records_that_lead_nowhere_are_counted() -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA ats")
        for model in MODELS.values():
            schema = pa.schema([(column.name, column.type) for column in model.version_columns])
            con.register("empty", schema.empty_table())
            con.execute(f"CREATE TABLE ats.{model.name} AS FROM empty")
        con.execute("INSERT INTO ats.jobs (id) VALUES ('job')")
        con.execute("INSERT INTO ats.applications (id, job_id) VALUES ('1', 'job'), ('2', 'gone'), ('3', NULL)")
        con.execute("INSERT INTO ats.applications (id, job_id, remote_deleted_at) VALUES ('4', 'gone', '2026-06-01')")
        found = {one.about: one for one in check_references(con)}
    assert set(found) == {check.about for check in LOAD_CHECKS}
    assert [about for about, one in found.items() if not one.is_ok] == ["ats/applications"]
    finding = found["ats/applications"]
    assert finding.figures == {"current_stage_id": 0, "job_id": 1, "candidate_id": 0}
    assert "job_id in 1 rows" in finding.message
    assert "`join-pipeline sync --mode full`" in finding.message
    assert not finding.is_grave


def test_a_data_test_says_what_is_not_so_and_what_to_run() -> None:
    test = Check("recruiting/dim_job", "unique_key_dim_job", "One row per job.", stops=True)
    node = Node("test.unique_key_dim_job", "test", "fail", 0.1, "Got 3 results, configured to fail if != 0", 3)
    finding = finding_of(node, test)
    assert (finding.is_ok, finding.is_grave, finding.figures["failing_rows"]) == (False, True, 3)
    assert finding.message.startswith("One row per job: not true. Got 3 results")
    assert "`join-pipeline rebuild`" in finding.message
    assert finding_of(replace(node, status="pass"), test).message == ""
    warning = finding_of(replace(node, status="warn", message="Name it in a CSV."), test)
    assert (warning.is_ok, warning.is_grave, warning.message) == (False, False, "Name it in a CSV.")
