"""`query`: rows for people, scripts and spreadsheets; it changes nothing, and says what is wrong with a query."""

import csv
import io
import re
from pathlib import Path
from unittest import mock

import pytest

from join_pipeline.cli.output import out
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.cli.commands import Shell, contents, is_good, is_told, is_told_as_json
from join_pipeline_tests.cli.companies import Grown
from join_pipeline_tests.warehouse.readers import Reader

WIDE = "SELECT range AS n, 'job ' || range AS a_name_that_takes_room, 1 / 3 AS share FROM range(3)"
CHANGES = (
    "CREATE TABLE mine AS SELECT 1",
    "DELETE FROM dim_job",
    "UPDATE dim_job SET job_name = 'mine'",
    "DROP VIEW how_sure_are_we",
    "COPY dim_job TO '{folder}/mine.csv'",
    "ATTACH '{folder}/mine.duckdb' AS mine",
    "EXPORT DATABASE '{folder}/mine'",
    "INSTALL httpfs",
    "SET enable_external_access = true",
)
WRONG = {
    "SELEKT 1": "syntax error",
    "FROM dim_jobs": 'Did you mean "dim_job"',
    "SELECT jobname FROM dim_job": "job_name",
    "FROM '{folder}/any.csv'": "any.csv",
    "SELECT error('as it is read') FROM range(9)": "as it is read",
    "/* nothing */": "empty",
}
LOOPER = """
import contextlib, io, json, select, sys
from unittest import mock
from join_pipeline import cli
print(json.dumps("open"), flush=True)
seen = []
while not select.select([sys.stdin], [], [], 0)[0]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        with contextlib.suppress(SystemExit), mock.patch.object(sys, "argv", ["join-pipeline", *sys.argv[1:]]):
            cli.main()
    seen.append(out.getvalue() + err.getvalue())
print(json.dumps(seen), flush=True)
"""


@pytest.fixture
def published(built: Grown) -> Shell:
    return built.shell


def test_people_see_a_table(published: Shell) -> None:
    ended = published("query", "SELECT status, count(*) AS n FROM fct_application GROUP BY ALL ORDER BY ALL")
    is_good(ended)
    assert ended.out.split()[:2] == ["status", "n"]
    assert re.search(r"^ *DECLINED +\d+ *$", ended.out, re.MULTILINE)


def test_the_file_s_name_works_before_a_table_and_instants_are_utc(published: Shell) -> None:
    query = "SELECT count(*) AS n, max(started_at)::VARCHAR AS at FROM recruiting.dim_sync"
    ((n, at),) = [tuple(row.values()) for row in published.but(TZ="Asia/Tokyo")("query", query, "--json").document]
    assert n == 3
    assert at.endswith("+00")


def test_a_pipe_gets_each_row_on_a_line_however_wide(published: Shell) -> None:
    lines = published.but(COLUMNS="20")("query", WIDE).out.strip().splitlines()
    assert [line.split() for line in lines[2:]] == [[str(n), "job", str(n), "0.3333"] for n in range(3)]


def test_a_narrow_terminal_gets_each_value_on_a_line_and_nothing_is_cut(published: Shell) -> None:
    with (
        mock.patch("rich.console.Console.is_terminal", new_callable=mock.PropertyMock, return_value=True),
        mock.patch.object(out, "_width", 30),
    ):
        said = re.sub(r"\x1b\[[0-9;]*m", "", published("query", WIDE).out)
    assert len(re.findall(r"a_name_that_takes_room\S* +job \d", said)) == 3
    assert "…" not in said


def test_rows_beyond_the_limit_are_told_of(published: Shell) -> None:
    query = "SELECT range AS n FROM range(150)"
    assert "and more" in published("query", query).out
    assert "149" not in published("query", query).out
    assert "149" in published("query", query, "--limit", "0").out
    assert "and more" not in published("query", query, "--limit", "150").out
    assert len(published("query", query, "--json").document) == 150


def test_csv_is_what_spreadsheets_read(published: Shell) -> None:
    ended = published("query", "SELECT 'a, \"b\"' AS text, NULL AS none, DATE '2026-06-01' AS day", "--csv")
    is_good(ended)
    assert list(csv.reader(io.StringIO(ended.out))) == [["text", "none", "day"], ['a, "b"', "", "2026-06-01"]]


def test_json_needs_a_name_for_each_column(published: Shell) -> None:
    assert published("query", "SELECT 1 AS a, [1, 2] AS b, NULL AS c", "--json").document == [
        {"a": 1, "b": [1, 2], "c": None}
    ]
    twice = published("query", "SELECT 1 AS a, 2 AS a", "--json")
    is_told_as_json(twice, 2, "InputError", "two columns are called a", "AS", field="query")


def test_a_long_query_comes_from_standard_input(published: Shell) -> None:
    with mock.patch("sys.stdin", io.StringIO("SELECT\n  7 AS n")):
        assert published("query", "-", "--json").document == [{"n": 7}]


def test_what_would_steer_a_terminal_is_not_printed(published: Shell) -> None:
    said = published("query", "SELECT chr(27) || '[2J' || chr(10) || '[red]x[/]' AS title").out
    assert "�[2J�[red]x[/]" in said
    assert "\x1b[2J" not in said


@pytest.mark.parametrize("statement", CHANGES)
def test_it_changes_nothing(published: Shell, tmp_path: Path, statement: str) -> None:
    before = contents(published.data)
    ended = published("query", statement.format(folder=tmp_path))
    is_told(ended, 2, "query: ")
    assert contents(published.data) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("query", "words"), WRONG.items())
def test_a_wrong_query_is_told_in_duckdbs_words(published: Shell, tmp_path: Path, query: str, words: str) -> None:
    is_told(published("query", query.format(folder=tmp_path)), 2, "query: ", words)


def test_without_a_published_file_it_says_what_to_do(known: Shell) -> None:
    is_told(known("query", "SELECT 1"), 1, "recruiting.duckdb", "Nothing is published yet", "join-pipeline build")


def test_a_file_that_is_none_is_told(known: Shell) -> None:
    known.settings.published.parent.mkdir()
    known.settings.published.write_bytes(b"no database" * 999)
    is_told(known("query", "SELECT 1"), 1, "recruiting.duckdb", "can't be read", "join-pipeline build")


def test_it_answers_in_a_loop_while_a_new_file_is_published_again_and_again(
    published: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in published.environment.items():
        monkeypatch.setenv(name, value)
    with Reader(LOOPER, "query", "--json", "SELECT count(*) AS n FROM fct_application") as reader:
        for _ in range(5):
            publish(published.settings)
        seen = reader.ask("enough")
    assert len(seen) > 5
    assert set(seen) == {published("query", "--json", "SELECT count(*) AS n FROM fct_application").out}
