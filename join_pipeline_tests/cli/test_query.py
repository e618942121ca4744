"""`query`: rows for people, scripts and spreadsheets; it changes nothing, and says what is wrong with a query."""

import csv
import io
import re
import zipfile
from pathlib import Path
from unittest import mock

import pytest

from join_pipeline.cli.output import out
from join_pipeline.warehouse.publish import publish
from join_pipeline_tests.cli.commands import Shell, contents, is_good, is_told, is_told_as_json
from join_pipeline_tests.cli.companies import Grown
from join_pipeline_tests.cli.workbooks import read_workbook
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


def test_a_german_spreadsheet_gets_its_csv(published: Shell) -> None:
    query = """SELECT 'ü' AS text, 1.5::DOUBLE AS share, -2.25::DECIMAL(5, 2) AS less, 1e-7::DOUBLE AS small,
        12345 AS n, '-1,5' AS sum"""
    ended = published("query", query, "--csv", "--delimiter", ";", "--decimal", ",", "--bom")
    is_good(ended)
    assert ended.out == "\ufefftext;share;less;small;n;sum\nü;1,5;-2,25;0,0000001;12345;'-1,5\n"
    assert published("query", "SELECT 1.5 AS a, 'b;c' AS d", "--csv", "--delimiter", "tab").out == "a\td\n1.5\tb;c\n"
    for wrong in (["--decimal", ","], ["--delimiter", "x"], ["--delimiter", "ab"]):
        is_told(published("query", query, "--csv", *wrong), 2, "--delimiter")
    is_told(published("query", query, "--bom"), 2, "--csv")


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_a_limit_holds_for_every_form(published: Shell, form: str) -> None:
    query = "SELECT range AS n FROM range(300)"
    assert "299" in published("query", query, form).out
    assert "299" in published("query", query, form, "--limit", "0").out
    few = published("query", query, form, "--limit", "3").out
    assert "2" in few
    assert "3" not in few


def test_a_workbook_holds_texts_as_texts_numbers_as_numbers_and_times_of_the_company(
    published: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "mine.xlsx"
    query = """SELECT '=1+1' AS a, ' @x' AS b, 'http://x.example' AS url, '007' AS zeros, 1.5::DOUBLE AS days,
        0.25::DOUBLE AS share_stuck, 2026 AS calendar_year, 12345678901234567 AS big, true AS is_so, NULL AS none,
        TIMESTAMPTZ '2026-06-01 22:30:00+00' AS at, DATE '2026-06-02' AS day, DATE '1899-01-01' AS old,
        [1, 2] AS list"""
    ended = published("query", query, "--xlsx", str(file))
    assert (ended.code, ended.err) == (0, "")
    assert "Europe/Berlin" in ended.out
    book = read_workbook(file)
    assert list(book) == ["query"]
    head, row = book["query"]
    names = "a b url zeros days share_stuck calendar_year big is_so none at day old list"
    assert " ".join(text for text, _ in head) == names
    assert row[:4] == [("=1+1", "text"), (" @x", "text"), ("http://x.example", "text"), ("007", "text")]
    assert row[4:9] == [("1.5", "0.0"), ("0.25", "%"), ("2026", "0"), ("12345678901234567", "text"), ("1", "bool")]
    # 46,175 days after 1899-12-30 is 2026-06-02, on which it is half past midnight in Berlin
    assert (float(row[9][0]), row[9][1]) == (pytest.approx(46175 + 0.5 / 24), "hh:mm")
    assert row[10:] == [("46175", "yyyy-mm-dd"), ("1899-01-01", "text"), ("[1, 2]", "text")]
    raw = zipfile.ZipFile(file)
    assert not [name for name in raw.namelist() if b"<f>" in raw.read(name) or b"hyperlink" in raw.read(name)]
    assert b'quotePrefix="1"' in raw.read("xl/styles.xml")


def test_a_workbook_replaces_nothing_that_it_was_not_told_to(published: Shell, tmp_path: Path) -> None:
    file = tmp_path / "mine.xlsx"
    file.write_bytes(b"mine")
    is_told(published("query", "SELECT 1", "--xlsx", str(file)), 2, "--force")
    is_told(published("query", "SELECT error('x')", "--xlsx", str(file), "--force"), 2, "query: ")
    is_told(published("export", "--xlsx", str(file)), 2, "--force")
    assert file.read_bytes() == b"mine"
    assert published("query", "SELECT 1 AS n", "--xlsx", str(file), "--force").code == 0
    assert read_workbook(file) == {"query": [[("n", "text")], [("1", "#,##0")]]}
    assert (file.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (0o600, [file])
    for wrong in (tmp_path / "mine.csv", tmp_path / "none" / "mine.xlsx", tmp_path):
        assert published("query", "SELECT 1", "--xlsx", str(wrong), "--force").code == 2


@pytest.mark.parametrize(
    ("language", "about", "header", "metric"),
    [("en", "As of", "Applications", "Time in stage"), ("de", "Stand", "Bewerbungen", "Verweildauer")],
)
def test_all_views_become_a_workbook_in_words(
    published: Shell, tmp_path: Path, language: str, about: str, header: str, metric: str
) -> None:
    file = tmp_path / "answers.xlsx"
    ended = published("export", "--xlsx", str(file), "--language", language, "--json")
    assert (ended.code, ended.err) == (0, "")
    book = read_workbook(file)
    views = [
        row["n"]
        for row in published("query", "SELECT count(*) AS n FROM duckdb_views() WHERE NOT internal", "--json").document
    ]
    assert len(book) == views[0] + 3
    assert ended.document["sheets"] == {name: len(rows) - 1 for name, rows in book.items()}
    texts = {text for rows in book.values() for row in rows for text, _ in row}
    assert {about, header, "Europe/Berlin"} <= texts
    metrics = published("query", "SELECT count(*) AS n FROM metric_definition", "--json").document[0]["n"]
    definitions = list(book.values())[-1]
    assert len(definitions) == metrics + 1
    names = [row[1][0] for row in definitions[1:]]
    assert metric in names
    assert names == sorted(names, key=str.casefold)
    for name in zipfile.ZipFile(file).namelist():
        if name.startswith("xl/worksheets/sheet"):
            sheet = zipfile.ZipFile(file).read(name)
            assert b'state="frozen"' in sheet
            assert b"<autoFilter" in sheet


def test_a_table_that_does_not_fit_is_cut_in_its_texts_and_says_so(published: Shell) -> None:
    wide = "SELECT range AS n, repeat('job ', 30) AS title, 12345678 AS figure FROM range(3)"
    with (
        mock.patch("rich.console.Console.is_terminal", new_callable=mock.PropertyMock, return_value=True),
        mock.patch.object(out, "_width", 60),
    ):
        said = re.sub(r"\x1b\[[0-9;]*m", "", published("query", wide).out)
    assert said.count("12345678") == 3
    assert said.count("…") == 3
    assert "Long texts are cut" in said
    assert max(map(len, said.splitlines()[:6])) <= 60


def test_a_name_in_a_query_is_no_variable_of_the_program(published: Shell) -> None:
    for name in ("sql", "settings", "con", "config"):
        is_told(published("query", f"FROM {name}"), 2, "does not exist")


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
