"""Query: run one query on the published file, as its readers see it.

A publish does not wait for a query, and a query keeps the file that it opened.
Belongs here: opening the file read-only, and separating a wrong query from a broken file. Not here: printing (cli).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError, InputError
from join_pipeline.settings import Settings

BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """The columns' names, and an iterator of the rows, which is valid inside the `answering` block only."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextlib.contextmanager
def answering(settings: Settings, sql: str) -> Iterator[Answer]:
    """Run a query on the published file and yield the result. Instants are in UTC.

    The query can't change the file, nor read or write another one. Raises `BuildError` if nothing is published or the
    file can't be read, `InputError` if DuckDB rejects the query.
    """
    published = settings.published
    if not published.exists():
        raise BuildError(f"{published} is not there. Nothing is published yet: run `join-pipeline build` first.")
    # the query reaches no other file; without a setting, DuckDB would spill into the folder that readers look at
    config: dict[str, Any] = {
        "memory_limit": settings.memory_limit,
        "enable_external_access": False,
        "temp_directory": "",
    }
    try:
        con = duckdb.connect(published, read_only=True, config=config)
    except duckdb.Error as error:
        raise BuildError(
            f"{published} can't be read ({_first(error)}). `join-pipeline build` makes it again."
        ) from None
    with contextlib.closing(con):
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET lock_configuration = true")
        try:
            # DuckDB returns None if there is no statement, as in a comment
            cursor: duckdb.DuckDBPyConnection | None = con.execute(sql)
        except duckdb.Error as error:
            raise InputError("query", _first(error)) from None
        if cursor is None:
            raise InputError("query", "is empty")
        yield Answer(tuple(column[0] for column in cursor.description or ()), _rows(cursor))


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    try:
        while rows := cursor.fetchmany(BATCH):
            yield from rows
    except duckdb.Error as error:  # DuckDB computes rows while they are fetched
        raise InputError("query", _first(error)) from None


def _first(error: duckdb.Error) -> str:
    """DuckDB's message on one line, without the excerpt that marks the position."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split())
