"""The published schema as a contract: files have the committed one, and a renamed column keeps its old name a while."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from join_pipeline.pipeline import forget_people
from join_pipeline.settings import Settings
from join_pipeline.transform.run import ensure_manifest
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.cli.companies import Grown

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "published-schema.json"
OLD = "name_before"


@pytest.fixture
def settings(built: Grown) -> Iterator[Settings]:
    """A built company, names and contacts published too. Both files are put back afterwards."""
    settings = built.shell.but(JOIN_PIPELINE_PUBLISH_PEOPLE="true").settings
    yield settings
    forget_people(built.shell.settings)
    settings.audit_log.unlink(missing_ok=True)
    publish(built.shell.settings)


@pytest.fixture
def rename(settings: Settings) -> Iterator[Any]:
    """Say in dbt's manifest that a column was renamed. dbt's own is put back afterwards."""
    path = ensure_manifest(settings)
    before = path.read_bytes()

    def say(model: str, column: str) -> None:
        manifest = json.loads(path.read_bytes())
        meta = manifest["nodes"][f"model.join_pipeline.{model}"]["columns"][column]["config"]["meta"]
        meta["renamed_from"] = {"name": OLD, "until": "99.0.0"}
        path.write_text(json.dumps(manifest))

    yield say
    path.write_bytes(before)


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(duckdb.connect(path, read_only=True)) as con:
        return con.execute(sql).fetchall()


def schema(path: Path) -> dict[str, dict[str, Any]]:
    """Tables and views of a file, with their columns in order and types."""
    found: dict[str, dict[str, Any]] = {}
    for table, kind in query(path, "SELECT table_name, table_type FROM information_schema.tables ORDER BY ALL"):
        columns = query(path, f'DESCRIBE "{table}"')
        found[table] = {
            "kind": "view" if kind == "VIEW" else "table",
            "columns": [(name, kind.lower()) for name, kind, *_ in columns],
        }
    return found


def test_files_hold_what_the_committed_contract_says_in_its_order(settings: Settings) -> None:
    publish(settings)
    contract = json.loads(COMMITTED.read_text())
    assert set(contract["files"]) == {"recruiting.duckdb", "people.duckdb"}
    for name, tables in contract["files"].items():
        promised = {
            table: {"kind": told["kind"], "columns": list(told["columns"].items())} for table, told in tables.items()
        }
        assert schema(settings.published.with_name(name)) == promised, "run `make generated`"


def test_the_file_says_which_version_of_the_contract_it_keeps(settings: Settings) -> None:
    publish(settings)
    version = json.loads(COMMITTED.read_text())["version"]
    assert query(settings.published, "FROM schema_version") == [(version,)]


@pytest.mark.parametrize(("model", "column"), [("dim_job", "job_name"), ("how_sure_are_we", "subject")])
def test_a_renamed_column_is_there_under_its_old_name_too_and_says_so(
    settings: Settings, rename: Any, model: str, column: str
) -> None:
    rename(model, column)
    publish(settings)
    n, n_equal = query(
        settings.published, f"SELECT count(*), count(*) FILTER ({OLD} IS NOT DISTINCT FROM {column}) FROM {model}"
    )[0]
    assert n == n_equal > 0
    comments = dict(
        query(settings.published, f"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = '{model}'")
    )
    assert comments[OLD] == f"Deprecated: read {column}. Release 99.0.0 no longer has this name."
    assert "Deprecated" not in comments[column]
    assert query(settings.published, f"DESCRIBE {model}")[-1][0] == OLD


def test_a_view_with_an_old_name_is_in_the_same_order_as_without(settings: Settings, rename: Any) -> None:
    publish(settings)
    before = query(settings.published, "SELECT check_name, subject FROM how_sure_are_we")
    rename("how_sure_are_we", "subject")
    publish(settings)
    assert query(settings.published, f"SELECT check_name, {OLD} FROM how_sure_are_we") == before
