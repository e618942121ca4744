"""Parquet for readers: the published tables of all companies, read by one glob, each company once and whole."""

import contextlib
import json
import re
import shutil
from pathlib import Path
from unittest import mock

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from join_pipeline import pipeline
from join_pipeline.errors import BuildError
from join_pipeline.people.traces import files_of
from join_pipeline.settings import Settings
from join_pipeline.warehouse.parquet import (
    note_path,
    noted_connections,
    parquet_file,
    publish_parquet,
    read_note,
    withdraw_parquet,
)
from join_pipeline_tests.cli.commands import is_told
from join_pipeline_tests.cli.companies import Grown

PAGE = Path(__file__).parents[2] / "docs" / "several-companies.md"
TABLES = ("fct_application", "mart_speed", "schema_version", "where_do_applications_wait")


@pytest.fixture
def on(built: Grown, tmp_path: Path) -> Settings:
    """A built company in a data folder of its own, that publishes Parquet."""
    shutil.copytree(built.shell.settings.published.parent, tmp_path / "data" / "join" / "published")
    return built.shell.but(JOIN_PIPELINE_PUBLISH_PARQUET="true").settings.model_copy(update={"data": tmp_path / "data"})


@pytest.fixture
def two(on: Settings) -> Settings:
    """The same beside another company, whose name looks like a number."""
    other = on.model_copy(update={"connection": "2024"})
    shutil.copytree(on.home, other.home)
    for one in (on, other):
        assert publish_parquet(one, TABLES) == len(TABLES)
    return on


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(query).fetchall()


def test_duckdb_reads_all_companies_by_one_glob(two: Settings) -> None:
    with contextlib.closing(duckdb.connect()) as con:
        con.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            files = f"{two.parquet}/{table}/*/*.parquet"
            glob = f"read_parquet('{files}', hive_partitioning = true, hive_types = {{'connection': VARCHAR}})"
            for name in ("join", "2024"):
                found = con.execute(f"SELECT * EXCLUDE (connection) FROM {glob} WHERE connection = '{name}'").fetchall()
                assert found == rows(two, f"FROM {table}"), table
            assert con.execute(f"SELECT DISTINCT connection FROM {glob} ORDER BY ALL").fetchall() == [
                ("2024",),
                ("join",),
            ]
        described = con.execute(f"DESCRIBE FROM '{parquet_file(two.parquet, 'fct_application', 'join')}'").fetchall()
    assert described.pop()[0] == "connection"
    assert [row[:2] for row in described] == [row[:2] for row in rows(two, "DESCRIBE fct_application")]


def test_polars_and_arrow_read_the_same(two: Settings) -> None:
    ((n,),) = rows(two, "SELECT count(*) FROM fct_application")
    folder = two.parquet / "fct_application"
    schema = {"connection": pl.String}
    read = pl.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True, hive_schema=schema)
    assert dict(read.group_by("connection").len().rows()) == {"join": n, "2024": n}
    table = ds.dataset(folder, partitioning="hive").to_table(columns=["connection", "application_key"])
    assert table.num_rows == 2 * n
    file = pq.ParquetFile(parquet_file(two.parquet, "fct_application", "join"))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_guides_own_words_read_all_companies(two: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(two.data.parent)
    (sql,) = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (python,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    with contextlib.closing(duckdb.connect()) as con:
        assert {name for name, _ in con.execute(sql).fetchall()} == {"join", "2024"}
    imports, read = python.split("\n\n")
    found = eval(read, {"pl": pl})  # noqa: S307  our own page
    assert imports == "import polars as pl"
    assert set(found["connection"].unique()) == {"join", "2024"}


def test_the_note_names_the_build_of_every_file(two: Settings) -> None:
    note = read_note(two.parquet, "join")
    assert note is not None
    for name, file in note.tables.items():
        path = parquet_file(two.parquet, name, "join")
        assert (pq.read_metadata(path).num_rows, path.stat().st_size) == (file.rows, file.bytes)
        assert pq.read_metadata(path).metadata[b"build"].decode() == note.build
        assert path.stat().st_mode & 0o222 == 0
    assert set(note.tables) == set(TABLES)
    assert [(note.sync_id,)] == rows(two, "SELECT max(sync_id) FROM dim_sync")
    assert noted_connections(two.parquet) == ["2024", "join"]
    before = note.build
    publish_parquet(two, TABLES[:2])
    after = read_note(two.parquet, "join")
    assert after is not None
    assert after.build != before
    assert [path.parent.parent.name for path in two.parquet.glob("*/connection=join/*.parquet")] == sorted(TABLES[:2])


def test_a_reader_finds_every_file_whole_while_they_are_replaced(two: Settings) -> None:
    """At each rename: all files of all tables are there, none is half, and the note is away as long as they differ."""
    replace, seen = Path.replace, []

    def looking(aside: Path, target: Path) -> Path:
        builds = [pq.read_metadata(parquet_file(two.parquet, table, "join")).metadata[b"build"] for table in TABLES]
        if target.suffix == ".parquet":
            seen.append((len(set(builds)), read_note(two.parquet, "join")))
        return replace(aside, target)

    with mock.patch.object(Path, "replace", looking):
        publish_parquet(two, TABLES)
    assert [n for n, _ in seen] == [1, 2, 2, 2]
    assert {note for _, note in seen} == {None}
    assert read_note(two.parquet, "join") is not None


def test_a_failure_leaves_the_old_files_and_no_half_ones(two: Settings) -> None:
    files = {path: path.read_bytes() for path in two.parquet.rglob("*") if path.is_file()}
    with pytest.raises(BuildError, match="build again"):
        publish_parquet(two, [*TABLES, "no_such_table"])
    left = {path: path.read_bytes() for path in two.parquet.rglob("*") if path.is_file()}
    assert left == files


def test_what_is_switched_off_is_withdrawn_and_others_stay(two: Settings) -> None:
    assert publish_parquet(two.model_copy(update={"publish_parquet": False}), TABLES) is None
    assert {path.name for path in two.parquet.glob("*/*")} == {"connection=2024"}
    assert withdraw_parquet(two.parquet, "2024")
    assert not withdraw_parquet(two.parquet, "2024")
    assert list(two.parquet.glob("*")) == []
    demo = two.model_copy(update={"connection": "sandbox"})
    assert publish_parquet(demo, TABLES) is None, "made-up people are not among the companies'"


def test_who_looks_for_a_person_looks_there_and_not_into_other_companies(two: Settings) -> None:
    found = [inside for place, inside, _ in files_of(two) if place.name == "published Parquet files"]
    assert found == [
        "../published/parquet/_builds/connection=join/build.json",
        *(f"../published/parquet/{table}/connection=join/{table}.parquet" for table in TABLES),
    ]


def test_a_build_publishes_all_tables_and_none_when_nothing_changed(built: Grown, tmp_path: Path) -> None:
    shell = built.shell.but(JOIN_PIPELINE_PUBLISH_PARQUET="true", JOIN_PIPELINE_DATA=str(tmp_path / "data"))
    shutil.copytree(built.shell.settings.home, tmp_path / "data" / "join")
    told = shell("build", "--json").document
    tables = {table["name"]: table["rows"] for table in told["published"]["tables"]}
    assert told["published"]["n_parquet"] == len(tables) > 60
    noted = json.loads(note_path(tmp_path / "data" / "published" / "parquet", "join").read_text())
    assert {name: file["rows"] for name, file in noted["tables"].items()} == tables
    assert shell("build", "--json").document["is_unchanged"]
    made = shell("portfolio", "--json").document
    assert made["rows"]["companies"] == 1
    assert made["companies"][0]["state"] in {"ok", "old"}  # the company's clock stands still
    with contextlib.closing(duckdb.connect(made["path"], read_only=True)) as con:
        speed = "n, days_p25, days_p50_lo, days_p50, days_p50_hi, days_p75, is_suppressed"
        found = con.execute(f"SELECT metric, {speed} FROM who_is_slow_by_company ORDER BY metric").fetchall()
        own = "scope = 'overall' AND period_grain = 'all'"
        assert found == rows(shell.settings, f"SELECT metric, {speed} FROM mart_speed WHERE {own} ORDER BY metric")
        open_ = con.execute("SELECT n_open_at_least FROM who_waits_by_company WHERE milestone = 'all'").fetchall()
        assert open_ == rows(shell.settings, "SELECT sum(n_open)::BIGINT FROM where_do_applications_wait")
        queries = re.findall(r'portfolio\.duckdb "(FROM [^"]+)"', PAGE.read_text())
        assert [len(con.execute(query).fetchall()) for query in queries] == [1, 1, 0]
    note_path(tmp_path / "data" / "published" / "parquet", "join").unlink()
    with mock.patch.object(pipeline, "_build", side_effect=BuildError("it builds")):
        is_told(shell("build"), 1, "it builds")  # as after a build that was killed while it replaced the files
