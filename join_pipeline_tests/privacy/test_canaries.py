"""Privacy by construction: every value about a person is a canary, and the tests say where canaries may be."""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import httpx
import pytest

from join_pipeline.models import MODELS
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline.transform.run import forget_compiled
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.dagster.conftest import build_definitions, dg, settings_for
from join_pipeline_tests.privacy.canaries import CANARY, Join, canary, found_in, join
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.whole_rows import whole

START = datetime(2026, 6, 1, tzinfo=UTC)
UNFILLED = {("screening_questions", "format")}
"""Tier 3 for what it could hold: the raw question, where JOIN's format is not known."""
KINDS = "first|last|mail|phone|country|link|url|answer|file|attachment|note|contact|surname|position|description"
KINDS += "|tag|own-tag|external"
PERSONAL = rf"{CANARY}-({KINDS}|contact-mail|person-text|stage-text|job-text)-"
"""With their kinds, because DuckDB's compression keeps the beginning that all have as a symbol of its own."""


@dataclass
class Played:
    """A company of canaries after a Dagster run that failed, and one that published."""

    api: Join
    sandbox: str
    settings: Settings
    dagster_home: Path
    failed: dg.ExecuteInProcessResult
    green: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    data, home = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("dagster")
    config = SandboxConfig(port=0, applications=150, now=START, rate_limit=None, shows_hiring_team=True)
    with running(config) as sandbox, join(sandbox) as api, dg.DagsterInstance.local_temp(str(home)) as instance:
        maps = data / "stages.csv"
        maps.write_text("stage_name,milestone\nScreening,SCREENING\n")
        settings = settings_for(api.url, data, stage_milestone_csv=maps)
        forget_compiled(settings)  # so that dbt is at work, and leaves its files
        # DuckDB's own words of a failure
        starved = settings_for(api.url, data, stage_milestone_csv=maps, memory_limit="1MB")
        failed = (
            build_definitions(starved)
            .resolve_job_def("sync")
            .execute_in_process(instance=instance, raise_on_error=False)
        )
        job = build_definitions(settings).resolve_job_def("sync")
        green = job.execute_in_process(instance=instance, raise_on_error=False)
        yield Played(api, sandbox, settings, home, failed, green)


def tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    with contextlib.closing(duckdb.connect(path, read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        found = con.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        return {f"{schema}.{table}": rows_of(con, f'"{schema}"."{table}"') for schema, table in found}


def rows_of(con: duckdb.DuckDBPyConnection, relation: str) -> list[dict[str, Any]]:
    rows = con.execute(f"FROM {relation}")
    names = [column[0] for column in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def personal(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The newest rows of all models with their personal columns, as the warehouse's views read them from the lake."""
    with contextlib.closing(duckdb.connect(path, read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        return {name: rows_of(con, whole(name)) for name in MODELS}


def test_every_personal_column_is_full_of_canaries_and_the_warehouse_holds_none(played: Played) -> None:
    assert played.green.success
    loaded = personal(played.settings.warehouse)
    for model in MODELS.values():
        for column in model.personal:
            values = [row[column.name] for row in loaded[model.name] if row[column.name] is not None]
            if (model.name, column.name) not in UNFILLED:
                assert values, (model.name, column.name)
                assert [value for value in values if CANARY not in str(value)] == [], (model.name, column.name)


def test_no_canary_and_no_id_of_a_person_is_published(played: Played) -> None:
    assert found_in(played.settings.published.parent) == {}
    loaded, published = tables(played.settings.warehouse), tables(played.settings.published)
    ids = {
        str(row[column])
        for model in ("applications", "candidates", "users", "tags")
        for row in loaded[f"ats.{model}"]
        for column in ("id", "remote_id")
        if column in row and len(str(row[column])) > 6  # JOIN's ids are small numbers here, as counts are
    }
    assert len(ids) > 200
    seen = {str(value) for rows in published.values() for row in rows for value in row.values()}
    assert not seen & ids
    names = {(table, column) for table, rows in published.items() for row in rows[:1] for column in row}
    assert [name for name in names if name[1] in {"remote_id", "application_id", "candidate_id", "user_id", "id"}] == [
        ("main.metric_definition", "id")
    ]


def test_no_key_of_a_user_is_published_while_figures_per_person_are_off(played: Played) -> None:
    loaded, published = tables(played.settings.warehouse), tables(played.settings.published)
    keys = {row["pseudonym"] for row in loaded["ats.pseudonyms"] if row["model"] == "users"}
    assert keys
    assert not keys & {str(value) for rows in published.values() for row in rows for value in row.values()}


def test_personal_values_are_in_the_lake_and_nowhere_else(played: Played) -> None:
    settings = played.settings
    assert found_in(settings.lake)
    assert found_in(settings.data, but=(settings.lake,)) == {}
    assert found_in(settings.data, PERSONAL, but=(settings.lake,)) == {}
    assert any((settings.builds / "dbt" / "target" / "compiled").rglob("*.sql"))


def test_dagster_keeps_no_canary_of_a_run_that_published_nor_of_one_that_failed(played: Played) -> None:
    assert not played.failed.success
    assert any(played.dagster_home.rglob("*.db"))
    assert found_in(played.dagster_home) == {}


def test_no_failed_test_keeps_its_rows(played: Played) -> None:
    manifest = json.loads((played.settings.builds / "dbt" / "target" / "manifest.json").read_text())
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len(tests) > 30
    assert [test["name"] for test in tests if test["config"]["store_failures"] is not False] == []
    assert {name.split(".")[0] for name in tables(played.settings.warehouse)} == {
        "ats",
        "ats_history",
        "intermediate",
        "loading",
        "recruiting",
    }


def test_a_map_of_ones_own_is_used_and_what_no_map_names_is_named(played: Played) -> None:
    broken = {check.check_name: check for check in played.green.get_asset_check_evaluations() if not check.passed}
    unmapped = [
        row["stage_name"] for row in tables(played.settings.published)["main.dim_stage"] if not row["is_mapped"]
    ]
    for name in unmapped:
        assert f"“{name}”" in str(broken["stages_are_mapped"].description)


def test_names_and_contacts_are_only_in_the_file_for_them(played: Played) -> None:
    on = settings_for(played.api.url, played.settings.data, publish_people=True, publish_parquet=True)
    with mock.patch("join_pipeline.warehouse.parquet.DEMO", "another"):  # its name is the demo's, which has no Parquet
        publish(on)
    assert set(found_in(on.published.parent)) == {"people.duckdb"}
    assert any(on.parquet.glob("dim_candidate/*/*.parquet"))
    assert not any(on.parquet.glob("*_pii"))
    assert found_in(on.parquet) == {}
    assert found_in(on.home, but=(on.lake, on.people)) == {}
    assert found_in(on.home, PERSONAL, but=(on.lake, on.people)) == {}
    (candidates,) = (rows for name, rows in tables(on.people).items() if name == "main.dim_candidate_pii")
    for column in ("first_name", "last_name", "email_addresses", "phone_numbers", "country"):
        assert all(CANARY in row[column] for row in candidates)
    publish(played.settings)
    assert found_in(on.published.parent) == {}
    assert not any(on.parquet.iterdir())


@pytest.mark.slow
def test_who_is_erased_at_join_is_nowhere_once_raw_has_been_dropped(played: Played) -> None:
    """The last one: it plays four weeks on."""
    settings, api = played.settings, played.api
    loaded = tables(settings.warehouse)
    live = [row for row in loaded["ats.applications"] if row["remote_deleted_at"] is None]
    erased = live[0]["candidate_id"]
    (who,) = (int(row["remote_id"]) for row in loaded["ats.candidates"] if row["id"] == erased)
    theirs = {int(row["remote_id"]) for row in live if row["candidate_id"] == erased}
    of_person = rf"(first|last|mail|phone|country|link|url|person-text|own-tag)-{who}\b"
    of_applications = rf"(answer|file|note|attachment|external)-({'|'.join(map(str, theirs))})\b"
    persons = f"{CANARY}-({of_person}|{of_applications})"
    publish(settings_for(api.url, settings.data, publish_people=True))
    assert re.search(canary("last", who), str(tables(settings.people)))
    in_lake = set(found_in(settings.lake, persons))
    assert any(path.startswith("raw/") for path in in_lake)
    assert any(path.startswith("models/candidates/") for path in in_lake)

    api.erased |= theirs
    for days in (1, 10, 16, 17):  # the last one removes what the one before no longer lists
        clock = {"now": (START + timedelta(days=days)).isoformat()}
        httpx.post(f"{played.sandbox}/control/clock", json=clock, trust_env=False).raise_for_status()
        assert run_sync(settings, "full").verdict == "committed"
    assert found_in(settings.lake, persons) == {}

    result = build_definitions(settings).resolve_job_def("rebuild").execute_in_process()
    assert result.success
    assert found_in(settings.data, persons) == {}
    assert found_in(played.dagster_home, persons) == {}
    (tombstone,) = (row for row in tables(settings.warehouse)["ats.candidates"] if row["id"] == erased)
    assert tombstone["remote_deleted_at"] is not None
    (found,) = (row for row in personal(settings.warehouse)["candidates"] if row["id"] == erased)
    assert [column.name for column in MODELS["candidates"].personal if found[column.name] is not None] == []
