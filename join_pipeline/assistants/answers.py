"""Answers: the tables that an assistant may read, and one query on them, with limits of rows, bytes and time.

Without `analyst`, an assistant gets a copy in memory of the shared tables alone. So no query can name another one,
however it is written.
Belongs here: opening, limits, descriptions. Not here: the protocol (server).
"""

import contextlib
import math
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.assistants.audiences import read_audiences
from join_pipeline.errors import BuildError, InputError, foreign
from join_pipeline.settings import Settings
from join_pipeline.warehouse.query import LOCKED, about, opened

MOST_ROWS: Final = 1000
MOST_BYTES: Final = 200_000
MOST_CHARACTERS: Final = 1000
MOST_SECONDS: Final = 20.0
TABLES: Final = """
    SELECT table_name AS name, 'table' AS kind, coalesce(comment, '') AS said FROM duckdb_tables()
    WHERE schema_name = 'main' AND NOT internal
    UNION ALL SELECT view_name, 'view', coalesce(comment, '') FROM duckdb_views()
    WHERE schema_name = 'main' AND NOT internal
    ORDER BY kind DESC, name"""
COLUMNS: Final = """
    SELECT table_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns()
    WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view that the assistant may read: what one row is, and of each column name, type and meaning."""

    name: str
    kind: str
    audience: str
    description: str
    columns: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query as JSON can hold them. `is_cut` says that there are more rows, or longer texts."""

    columns: list[str]
    rows: list[list[Any]]
    is_cut: bool


@dataclass(slots=True)
class Answers:
    """The published file as an assistant may see it. A publish replaces the file; each question reads the newest."""

    settings: Settings
    is_analyst: bool = False
    seconds: float = MOST_SECONDS
    _audiences: dict[str, str] = field(default_factory=read_audiences)
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _copied: tuple[tuple[int, ...], duckdb.DuckDBPyConnection, list[Table]] | None = None

    def tables(self) -> list[Table]:
        """The tables and views that may be read, views first."""
        with self._opened() as (_, tables):
            return tables

    def table(self, name: str) -> Table:
        """One of them. Raises `InputError` with the names if it is none."""
        tables = {table.name: table for table in self.tables()}
        if name not in tables:
            raise InputError("name", f"is no table or view here. There are: {', '.join(tables)}.")
        return tables[name]

    def as_of(self) -> str:
        """The end of the data, as text in UTC."""
        return str(self.query("SELECT max(as_of)::VARCHAR FROM dim_sync", 1).rows[0][0])

    def query(self, sql: str, limit: int = 100) -> Answer:
        """Run one SELECT. Raises `InputError` if it is another statement, is wrong, or takes too long."""
        if not 1 <= limit <= MOST_ROWS:
            raise InputError("limit", f"is a number from 1 to {MOST_ROWS:,}")
        with self._opened() as (con, _), self._limited(con):
            try:
                statements = con.extract_statements(sql)
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise InputError("sql", "is not one SELECT. Nothing else is allowed here.")
                con.execute("BEGIN TRANSACTION READ ONLY")
                cursor = con.execute(statements[0])
                columns = [column[0] for column in cursor.description or ()]
                rows, is_cut = _within_limits(cursor, limit)
                return Answer(columns, rows, is_cut)
            except duckdb.InterruptException:
                raise InputError("sql", f"took longer than {self.seconds:.0f} seconds. Ask for less.") from None
            except duckdb.Error as error:
                raise InputError("sql", about(error)) from None
            except (OverflowError, ValueError, TypeError):
                raise InputError("sql", "has values that can't be shown. Cast them to VARCHAR.") from None
            finally:
                with contextlib.suppress(duckdb.Error):
                    con.execute("ROLLBACK")

    @contextlib.contextmanager
    def _limited(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt whatever the connection does after the time limit."""
        timer = threading.Timer(self.seconds, con.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[Table]]]:
        """A connection to what may be read, one question at a time."""
        with self._turn:
            if self.is_analyst:
                with opened(self.settings) as con:
                    yield con, self._described(con)
                return
            with contextlib.closing(self._copy().cursor()) as con:
                yield con, self._copied[2] if self._copied else []

    def _copy(self) -> duckdb.DuckDBPyConnection:
        """The copy of the shared tables, made anew if another file was published since."""
        try:
            stat = self.settings.published.stat()
        except OSError:
            raise BuildError("Nothing is published yet: run `join-pipeline build` first.") from None
        state = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if self._copied is None or self._copied[0] != state:
            if self._copied is not None:
                self._copied[1].close()
                self._copied = None
            self._copied = state, *self._copied_now()
        return self._copied[1]

    def _copied_now(self) -> tuple[duckdb.DuckDBPyConnection, list[Table]]:
        with opened(self.settings) as file:  # it says what is wrong with the file, if anything is
            tables = self._described(file)
            views = dict(file.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall())
        config: dict[str, Any] = {**LOCKED, "memory_limit": self.settings.memory_limit, "temp_directory": ""}
        con = duckdb.connect(config=config | {"enable_external_access": True})  # until the file is copied
        try:
            con.execute("SET TimeZone = 'UTC'")
            path = str(self.settings.published).replace("'", "''")
            con.execute(f"ATTACH '{path}' AS published (READ_ONLY)")
            for table in tables:
                if table.kind == "table":
                    con.execute(f'CREATE TABLE "{table.name}" AS FROM published.main."{table.name}"')
            con.execute("DETACH published")
            con.execute("SET enable_external_access = false")
            for table in tables:
                if table.kind == "view":
                    con.execute(views[table.name])
            con.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            con.close()
            raise BuildError(f"The published file can't be read ({foreign(error)}). Build it again.") from None
        return con, tables

    def _described(self, con: duckdb.DuckDBPyConnection) -> list[Table]:
        """The tables for this assistant. One whose audience this release does not know is for analysts."""
        columns: dict[str, list[tuple[str, str, str]]] = {}
        for table, *column in con.execute(COLUMNS).fetchall():
            columns.setdefault(table, []).append(tuple(column))
        described = [
            Table(name, kind, self._audiences.get(name, "analyst"), said, tuple(columns.get(name, ())))
            for name, kind, said in con.execute(TABLES).fetchall()
        ]
        return [table for table in described if self.is_analyst or table.audience == "shared"]


def _within_limits(cursor: duckdb.DuckDBPyConnection, limit: int) -> tuple[list[list[Any]], bool]:
    """The rows up to the limits, and whether something was left out."""
    rows: list[list[Any]] = []
    size, is_cut = 0, False
    while row := cursor.fetchone():
        values = [_value(value) for value in row]
        size += len(msgspec.json.encode(values))
        if len(rows) == limit or size > MOST_BYTES:
            return rows, True
        is_cut = is_cut or any(isinstance(value, str) and len(value) > MOST_CHARACTERS for value in values)
        rows.append(values)
    return rows, is_cut


def _value(value: Any) -> Any:
    """A value as JSON can hold it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    text = re.sub("[\ud800-\udfff]", "\ufffd", str(value))
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
