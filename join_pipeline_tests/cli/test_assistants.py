"""`mcp`: an assistant reads what is shared, within limits, and reaches nothing else, however it asks."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from join_pipeline.assistants.answers import Answers
from join_pipeline.assistants.audiences import read_audiences
from join_pipeline.errors import BuildError, InputError
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.cli.commands import SECRET, Shell, contents, is_told
from join_pipeline_tests.cli.companies import Grown

FILES = (
    "FROM read_csv('{file}')",
    "FROM '{file}'",
    "FROM read_text('{file}')",
    "FROM read_blob('{file}')",
    "FROM glob('{folder}/*')",
    "FROM sniff_csv('{file}')",
    "FROM 'https://127.0.0.1:1/x.parquet'",
    "FROM query('FROM read_text(''{file}'')')",
    "SELECT * FROM parquet_scan(['{file}'])",
)
STATEMENTS = (
    "ATTACH '{published}' AS other",
    "COPY (SELECT 1) TO '{folder}/mine.csv'",
    "COPY metric_definition TO '{folder}/mine.parquet'",
    "EXPORT DATABASE '{folder}/mine'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "PRAGMA threads = 1",
    "CALL pragma_version()",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE MACRO mine() AS 1",
    "DELETE FROM metric_definition",
    "DROP VIEW how_sure_are_we",
    "COMMIT",
    "CHECKPOINT",
    "USE memory",
    "DETACH published",
    "SELECT 1; DROP VIEW how_sure_are_we",
    "WITH gone AS (DELETE FROM metric_definition RETURNING *) FROM gone",
    "EXPLAIN ANALYZE DELETE FROM metric_definition",
    "",
    "/* nothing */",
    "SELEKT 1",
)
HIDDEN = (
    "FROM read_duckdb('{published}', table_name := 'fct_application')",
    "FROM fct_application",
    "FROM main.fct_application",
    "FROM recruiting.fct_application",
    "FROM published.main.fct_application",
    "FROM query_table('fct_application')",
    "FROM query('FROM fct_application')",
    "SELECT (SELECT count(*) FROM dim_candidate)",
)


@pytest.fixture(scope="module")
def shared(built: Grown) -> Answers:
    return Answers(built.shell.settings, seconds=2)


@pytest.fixture(scope="module", params=[False, True], ids=["shared", "analyst"])
def answers(built: Grown, request: pytest.FixtureRequest) -> Answers:
    return Answers(built.shell.settings, is_analyst=request.param, seconds=2)


def test_it_shows_what_is_shared_and_to_analysts_all(built: Grown, shared: Answers) -> None:
    settings = built.shell.settings
    meant = {
        node["name"]: node["config"]["meta"]["audience"]
        for node in read_manifest(settings)["nodes"].values()
        if node["schema"] == "recruiting" and node["resource_type"] in {"model", "seed"}
    }
    assert {table.name for table in shared.tables()} == {name for name, word in meant.items() if word == "shared"}
    every = Answers(settings, is_analyst=True)
    assert {table.name for table in every.tables()} == set(meant)
    assert meant.items() <= read_audiences().items()
    with duckdb.connect(settings.published, read_only=True) as con:
        for table in shared.tables():
            expected = con.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()[0][0]
            assert shared.query(f'SELECT count(*) FROM "{table.name}"').rows == [[expected]]
    assert every.query("SELECT count(*) > 80 FROM fct_application").rows == [[True]]


@pytest.mark.parametrize("statement", [*FILES, *STATEMENTS])
def test_no_query_reaches_a_file_or_changes_anything(
    built: Grown, answers: Answers, tmp_path: Path, statement: str
) -> None:
    file = tmp_path / "secret.csv"
    file.write_text(f"a\n{SECRET}\n")
    before = contents(built.shell.settings.published.parent)
    sql = statement.format(file=file, folder=tmp_path, published=built.shell.settings.published)
    with pytest.raises(InputError) as caught:
        answers.query(sql)
    assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == [file]
    assert contents(built.shell.settings.published.parent) == before
    assert answers.query("SELECT count(*) > 10 FROM metric_definition").rows == [[True]]


@pytest.mark.parametrize("statement", HIDDEN)
def test_without_analyst_no_query_reaches_rows_of_single_people(shared: Answers, statement: str) -> None:
    with pytest.raises(InputError):
        shared.query(statement.format(published=shared.settings.published))


def test_rows_texts_and_time_are_limited(shared: Answers) -> None:
    few = shared.query("SELECT range AS n FROM range(1000000)", 5)
    assert (few.rows, few.is_cut) == ([[0], [1], [2], [3], [4]], True)
    assert not shared.query("FROM range(5)", 5).is_cut
    for texts in ("repeat('x', 1000000) AS text FROM range(4)", "repeat('x', 1500) AS text FROM range(1000)"):
        long = shared.query(f"SELECT {texts}", 1000)
        assert long.is_cut
        assert len(json.dumps(long.rows)) < 300_000
    with pytest.raises(InputError, match="longer than 2 seconds"):
        shared.query("SELECT count(*) FROM range(10000000000) a, range(10000) b")
    with pytest.raises(InputError, match="limit"):
        shared.query("SELECT 1", 1_000_000)


def test_an_error_holds_no_value(shared: Answers) -> None:
    with pytest.raises(InputError) as caught:
        shared.query(f"SELECT CAST(text AS INTEGER) FROM (VALUES ('{SECRET}')) AS given(text)")
    assert SECRET not in str(caught.value)


def test_values_are_such_as_json_can_hold(shared: Answers) -> None:
    query = """SELECT 'nan'::DOUBLE, 1::HUGEINT, DATE '2026-06-01', [1, 2], {'a': 1}, NULL, true, 'x'::BLOB,
        1.5::DECIMAL(3, 1)"""
    (row,) = shared.query(query).rows
    assert json.loads(json.dumps(row)) == row
    assert row[1:3] == [1, "2026-06-01"]


def test_a_publish_is_seen_by_the_next_question(built: Grown, shared: Answers) -> None:
    before = shared.query("SELECT count(*) FROM dim_sync").rows
    publish(built.shell.settings)
    assert shared.query("SELECT count(*) FROM dim_sync").rows == before
    assert shared.as_of().startswith("2026-")


def test_without_a_published_file_it_says_what_to_do(shell: Shell) -> None:
    with pytest.raises(BuildError, match="join-pipeline build"):
        Answers(shell.settings).tables()


def test_a_missing_extra_is_told_with_what_to_install(shell: Shell) -> None:
    with mock.patch.dict(sys.modules, {"join_pipeline.assistants.server": None, "mcp.server": None, "mcp": None}):
        sys.modules.pop("join_pipeline.assistants.server")
        is_told(shell("mcp"), 2, "pip install 'join-pipeline[mcp]'")


def test_an_assistant_asks_over_standard_input(built: Grown) -> None:
    """The official client, as assistants use it, on a process of its own."""
    found = asyncio.run(_conversation(built.shell))
    tools, views, columns, rows, metrics, refused, unknown = found
    assert {tool.name for tool in tools} == {"list_views", "describe", "query", "definitions"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)
    names = [one["name"] for one in views.structured_content["views_and_tables"]]
    assert "how_sure_are_we" in names
    assert "fct_application" not in names
    assert {"name", "type", "meaning"} == set(columns.structured_content["columns"][0])
    assert rows.structured_content["columns"][0] == "milestone"
    assert rows.structured_content["as_of"].startswith("2026-")
    assert all("pass" in f"{one['id']} {one['name']}".lower() for one in metrics.structured_content["definitions"])
    assert refused.is_error
    assert "not one SELECT" in refused.content[0].text
    assert "how_sure_are_we" in unknown.content[0].text


async def _conversation(shell: Shell) -> Iterator[Any]:
    program = str(Path(sys.executable).with_name("join-pipeline"))
    server = StdioServerParameters(command=program, args=["mcp"], env=shell.environment)
    async with Client(stdio_client(server)) as client:
        return iter(
            [
                (await client.list_tools()).tools,
                await client.call_tool("list_views", {}),
                await client.call_tool("describe", {"name": "how_sure_are_we"}),
                await client.call_tool("query", {"sql": "FROM where_do_applications_wait", "limit": 3}),
                await client.call_tool("definitions", {"word": "pass"}),
                await client.call_tool("query", {"sql": "DROP VIEW how_sure_are_we"}),
                await client.call_tool("describe", {"name": "fct_application"}),
            ]
        )
