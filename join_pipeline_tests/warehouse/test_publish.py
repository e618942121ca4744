"""Publish: readers are never blocked, never get an error, and always see one whole published state."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from join_pipeline.errors import BuildError
from join_pipeline.models import MODELS
from join_pipeline.settings import Settings
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.publish import publish, tables_to_publish
from join_pipeline_tests.cli.companies import Grown
from join_pipeline_tests.warehouse.readers import holder, looper

PUBLISHES = 5
MANY_PUBLISHES = 8
EMAIL = re.compile(rb"[\w.+-]{2,}@[\w-]{2,}\.[A-Za-z]{2,}")
"""As long as an address of the sandbox is at least: packed numbers look like shorter ones by chance."""


@dataclass(frozen=True)
class Publishing:
    """A built warehouse, and a text column in the first and in the last table that are written to tell states apart."""

    settings: Settings
    marks: tuple[tuple[str, str], ...]

    @property
    def query(self) -> str:
        """What a file says of which state it is: twice the same word."""
        return "SELECT " + ", ".join(f"(SELECT min({c}) || '…' || max({c}) FROM {t})" for t, c in self.marks)

    def publish(self, word: str) -> None:
        """Publish a state that says `word`."""
        with warehouse(self.settings) as con:
            for table, column in self.marks:
                con.execute(f"UPDATE recruiting.{table} SET {column} = ?", [word])
        publish(self.settings)

    def state(self, query: str | None = None) -> list[list[object]]:
        """What somebody sees who opens the file now."""
        with contextlib.closing(duckdb.connect(self.settings.published, read_only=True)) as con:
            return [list(row) for row in con.execute(query or self.query).fetchall()]


def warehouse(settings: Settings) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The warehouse, to change what is published next."""
    return contextlib.closing(duckdb.connect(settings.warehouse))


@pytest.fixture
def settings(built: Grown) -> Settings:
    return built.shell.settings


@pytest.fixture
def publishing(settings: Settings) -> Iterator[Publishing]:
    """States to publish; the marts are put back afterwards."""
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        found = con.execute(
            """SELECT table_name, min(column_name) FROM duckdb_columns() JOIN duckdb_tables() USING (table_name)
            WHERE data_type = 'VARCHAR' AND estimated_size > 0 GROUP BY table_name ORDER BY table_name"""
        ).fetchall()
    marks = (found[0], found[-1])
    with warehouse(settings) as con:
        for table, _ in marks:
            con.execute(f"CREATE TABLE kept_{table} AS FROM recruiting.{table}")
    yield Publishing(settings, marks)
    with warehouse(settings) as con:
        for table, _ in marks:
            con.execute(f"DELETE FROM recruiting.{table}")
            con.execute(f"INSERT INTO recruiting.{table} FROM kept_{table}")
            con.execute(f"DROP TABLE kept_{table}")
    publish(settings)


def whole(word: str) -> list[list[str]]:
    return [[f"{word}…{word}", f"{word}…{word}"]]


def let_the_owner_write(path: Path) -> None:
    """Root can always write; for everybody else a careless hand comes first."""
    path.chmod(0o644)


def test_who_reads_keeps_the_old_file_and_who_comes_gets_the_new_one(publishing: Publishing) -> None:
    publishing.publish("state 0")
    with contextlib.ExitStack() as stack:
        readers = []
        for n in range(1, PUBLISHES + 1):
            readers.append(stack.enter_context(holder(publishing.settings.published, read_only=True)))
            publishing.publish(f"state {n}")
            assert publishing.state() == whole(f"state {n}")
            assert [reader.ask(publishing.query) for reader in readers] == [whole(f"state {m}") for m in range(n)]


def test_a_writer_neither_blocks_nor_is_broken_nor_breaks_the_next_file(publishing: Publishing) -> None:
    tables = "SELECT list(table_name ORDER BY ALL) FROM duckdb_tables()"
    publishing.publish("state 0")
    listed = publishing.state(tables)
    with contextlib.ExitStack() as stack:
        writers = []
        for n in range(1, PUBLISHES + 1):
            let_the_owner_write(publishing.settings.published)
            writers.append(stack.enter_context(holder(publishing.settings.published, read_only=False)))
            if n % 2:
                writers[-1].ask("CREATE TABLE scratch AS FROM range(10)")
            publishing.publish(f"state {n}")
            for writer in writers:  # before this publish and after it: whatever it leaves bears the new file's name
                writer.ask("CREATE OR REPLACE TABLE scratch AS FROM range(10)")
                writer.ask("DELETE FROM dim_job")
            if n == PUBLISHES - 1:
                writers[0].kill()
                del writers[0]
            assert publishing.state() == whole(f"state {n}")
            assert publishing.state(tables) == listed
        assert all(writer.ask("SELECT 1") == [[1]] for writer in writers)
    assert publishing.state() == whole(f"state {PUBLISHES}")
    assert publishing.state(tables) == listed
    assert writes_are_kept_off(publishing.settings)  # the writers have gone, but no publish came since
    publishing.publish("state")
    assert not writes_are_kept_off(publishing.settings)
    assert not (publishing.settings.home / "held").exists()


def writes_are_kept_off(settings: Settings) -> bool:
    """Whether the dangling link is there."""
    return settings.published.with_name(f"{settings.published.name}.wal").is_symlink()


def test_a_copy_that_follows_links_works(publishing: Publishing, tmp_path: Path) -> None:
    for n in range(2):
        with holder(publishing.settings.published, read_only=True):
            publishing.publish(f"state {n}")
    assert not writes_are_kept_off(publishing.settings)
    shutil.copytree(publishing.settings.home, tmp_path / "copy", symlinks=False)
    with contextlib.closing(
        duckdb.connect(tmp_path / "copy" / "published" / "recruiting.duckdb", read_only=True)
    ) as con:
        assert [list(row) for row in con.execute(publishing.query).fetchall()] == whole("state 1")


def test_a_log_that_was_left_is_never_read_again(publishing: Publishing) -> None:
    log = publishing.settings.published.with_name(f"{publishing.settings.published.name}.wal")
    assert not log.is_symlink()
    let_the_owner_write(publishing.settings.published)
    with holder(publishing.settings.published, read_only=False) as writer:
        writer.ask("PRAGMA disable_checkpoint_on_shutdown")
        assert "Error" not in str(writer.ask("CREATE TABLE scratch AS FROM range(10)"))
        writer.kill()
    assert log.is_file()
    publishing.publish("state")
    assert publishing.state() == whole("state")
    assert not log.exists()


@pytest.mark.parametrize("read_only", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["reading", "writing"])
def test_nobody_ever_sees_a_lock_or_half_a_file(publishing: Publishing, read_only: bool) -> None:
    publishing.publish("state 0")
    with looper(publishing.settings.published, publishing.query, read_only=read_only) as reader:
        for n in range(1, MANY_PUBLISHES + 1):
            publishing.publish(f"state {n}")
        n_looks, seen = reader.ask("enough")
    assert n_looks > MANY_PUBLISHES
    refused = [answer for answer in seen if isinstance(answer, str)]
    assert all(not read_only and "Permission denied" in answer for answer in refused), refused  # but never for root
    states = [whole(f"state {n}") for n in range(MANY_PUBLISHES + 1)]
    assert [answer for answer in seen if answer not in [*refused, *states]] == []
    assert publishing.state() == whole(f"state {MANY_PUBLISHES}")


def test_only_the_owner_gets_to_the_file_and_nobody_writes_it(settings: Settings) -> None:
    publish(settings)
    assert settings.published.stat().st_mode & 0o777 == 0o444
    assert settings.published.parent.stat().st_mode & 0o777 == 0o700
    assert settings.warehouse.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in settings.published.parent.iterdir()) == [
        "recruiting.duckdb",
        "report.html",
    ]


def test_only_what_is_listed_is_published_and_every_table_view_and_column_has_a_comment(settings: Settings) -> None:
    listed = {table.name: table for table in tables_to_publish(read_manifest(settings))}
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        tables = dict(con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
        views = dict(con.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall())
        schemas = con.execute("SELECT schema_name FROM duckdb_schemas() WHERE NOT internal").fetchall()
        columns = con.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    assert tables == {name: table.description for name, table in listed.items() if not table.is_view}
    assert views == {name: table.description for name, table in listed.items() if table.is_view}
    assert len(views) == 17
    assert all([*tables.values(), *views.values()])
    assert not [one for one in [*tables.values(), *views.values(), *(said for *_, said in columns)] if "\n" in one]
    assert schemas == []
    assert {name for name, *_ in columns} == tables.keys() | views.keys()
    for table, column, comment in columns:
        assert comment
        assert comment == listed[table].columns[column]


def test_views_work_whatever_the_file_is_called_and_whatever_is_the_default(settings: Settings) -> None:
    names = [table.name for table in tables_to_publish(read_manifest(settings)) if table.is_view]
    with contextlib.closing(duckdb.connect()) as con:
        con.execute(f"ATTACH '{settings.published}' AS \"Our hiring\" (READ_ONLY)")
        empty = [name for name in names if not con.execute(f'FROM "Our hiring".{name}').fetchall()]
    assert sorted(empty) == ["how_is_the_plan", "what_does_a_hire_cost", "who_is_overdue"], (
        "no file says what is wanted"
    )


def test_nothing_of_a_person_is_published(settings: Settings) -> None:
    publish(settings)
    assert EMAIL.findall(settings.published.read_bytes()) == []
    personal = {column.name for model in MODELS.values() for column in model.personal} - {"title", "url"}
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        columns = con.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
        texts = {
            str(value)
            for (table,) in con.execute(
                "SELECT DISTINCT table_name FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
            for row in con.execute(f"FROM {table}").fetchall()
            for value in row
            if value is not None
        }
    # a metric's name, and no tag's: these are `tag_name` where a user's file allows it
    assert [name for name in columns if name[1] in personal] == [("metric_definition", "name")]
    with contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
        ids = con.execute(
            "SELECT id FROM ats.applications UNION SELECT id FROM ats.candidates UNION SELECT id FROM ats.users"
        )
        assert not texts & {text for (text,) in ids.fetchall()}
        people = con.execute(
            """SELECT first_name || ' ' || last_name, last_name FROM ats_personal.candidates
            WHERE last_name IS NOT NULL"""
        ).fetchall()
    assert len(people) > 50
    assert not texts & {text for person in people for text in person}
    assert not [text for text in texts if EMAIL.search(text.encode())]


def test_a_publish_that_fails_leaves_the_file_of_before(settings: Settings) -> None:
    before = settings.published.read_bytes()
    with warehouse(settings) as con:
        con.execute("ALTER TABLE recruiting.stage_milestone RENAME TO elsewhere")
    with pytest.raises(BuildError, match="readers keep the old file"):
        publish(settings)
    with warehouse(settings) as con:
        con.execute("ALTER TABLE recruiting.elsewhere RENAME TO stage_milestone")
    assert settings.published.read_bytes() == before
    assert not [path for path in settings.published.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"columns": {}, "config": {"meta": {}}}, "names no audience"),
        (
            {"columns": {"email": {"name": "email", "meta": {"tier": 2}}}, "config": {"meta": {"audience": "analyst"}}},
            "email",
        ),
    ],
)
def test_a_model_that_is_not_meant_for_readers_stops_the_publish(node: dict[str, object], words: str) -> None:
    manifest = {"nodes": {"model.x": {"resource_type": "model", "schema": "recruiting", "name": "people", **node}}}
    with pytest.raises(BuildError, match=words):
        tables_to_publish(manifest)
