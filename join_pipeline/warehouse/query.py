"""Query: run one query on the published file, as its readers see it.

A publish does not wait for a query, and a query keeps the file that it opened.
Belongs here: opening the file read-only, and separating a wrong query from a broken file. Not here: printing (cli).
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError, InputError, foreign
from join_pipeline.settings import Settings

BATCH: Final = 1000
ABOUT_THE_QUERY: Final = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
    duckdb.InvalidInputException,
)
"""DuckDB's messages of these speak of the query and its names, and of no row."""
LOCKED: Final = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
"""A query reaches no other file and no server, loads no extension, and its names are no variables of this program."""
IN_TIME: Final = re.compile("INTERVAL|DATE|TIME")
ENDS: Final = frozenset({date.max, date.min, datetime.max, datetime.min})  # noqa: DTZ901  DuckDB gives no zone here
"""What DuckDB's infinite instants become in Python. As texts they are what they are."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The columns' names, and an iterator of the rows, which is valid inside the `answering` block only."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file so that nothing reaches another file or changes a setting. Instants are in UTC.

    Raises `BuildError` if nothing is published or the file can't be read.
    """
    published = settings.published
    if not published.exists():
        raise BuildError(f"{published} is not there. Nothing is published yet: run `join-pipeline build` first.")
    # without a setting, DuckDB would spill into the folder that readers look at
    config: dict[str, Any] = {**LOCKED, "memory_limit": settings.memory_limit, "temp_directory": ""}
    try:
        con = duckdb.connect(published, read_only=True, config=config)
    except duckdb.Error as error:
        raise BuildError(
            f"{published} can't be read ({foreign(error)}). `join-pipeline build` makes it again."
        ) from None
    with contextlib.closing(con):
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET lock_configuration = true")
        yield con


@contextlib.contextmanager
def answering(settings: Settings, sql: str) -> Iterator[Answer]:
    """Run a query on the published file and yield the result. Instants are in UTC.

    The query can't change the file, nor read or write another one. Raises `BuildError` if nothing is published or the
    file can't be read, `InputError` if DuckDB rejects the query.
    """
    with opened(settings) as con:
        try:
            # DuckDB returns None if there is no statement, as in a comment
            cursor: duckdb.DuckDBPyConnection | None = con.execute(sql)
        except duckdb.Error as error:
            raise InputError("query", about(error)) from None
        if cursor is None:
            raise InputError("query", "is empty")
        yield Answer(tuple(column[0] for column in cursor.description or ()), _rows(cursor, sql))


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[Any, ...]]:
    """The rows. As soon as a row has an instant or interval that Python can't hold, all of those come as texts."""
    kinds = [str(column[1]) for column in cursor.description or ()]
    n_yielded = 0
    try:
        while rows := cursor.fetchmany(BATCH):
            if any(value in ENDS for row in rows for value in row if isinstance(value, date)):
                yield from islice(_texts(cursor, sql, kinds), n_yielded, None)
                return
            yield from rows
            n_yielded += len(rows)
    except duckdb.Error as error:  # DuckDB computes rows while they are fetched
        raise InputError("query", about(error)) from None
    except (OverflowError, ValueError, TypeError):
        yield from islice(_texts(cursor, sql, kinds), n_yielded, None)


def _texts(cursor: duckdb.DuckDBPyConnection, sql: str, kinds: list[str]) -> Iterator[tuple[Any, ...]]:
    columns = [f"#{n}{'::VARCHAR' * bool(IN_TIME.search(kind))}" for n, kind in enumerate(kinds, start=1)]
    try:
        cursor.execute(f"SELECT {', '.join(columns)} FROM ({sql.strip().rstrip(';')}\n)")
        while rows := cursor.fetchmany(BATCH):
            yield from rows
    except (duckdb.Error, OverflowError, ValueError, TypeError):
        raise InputError("query", "has values that can't be shown. Cast them to VARCHAR.") from None


def about(error: duckdb.Error) -> str:
    """What is wrong with the query, on one line. DuckDB's message is passed on only if it speaks of the query alone."""
    if isinstance(error, ABOUT_THE_QUERY):
        return " ".join(str(error).partition("\n\nLINE ")[0].split())
    return foreign(error)
