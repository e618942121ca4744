"""Ask: one query of the published file, as its readers see it.

Belongs here: opening it so that nothing can be changed, and telling a wrong query from a broken file. Not here:
printing (cli). A publish waits for nobody who asks, and who asks keeps the file that was there when it began.
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
    """Columns by name, and rows as they come: they end with the block that asked."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextlib.contextmanager
def answering(settings: Settings, sql: str) -> Iterator[Answer]:
    """What a query of the published file gives; instants in UTC.

    `BuildError` if nothing is published or it can't be read, `InputError` if DuckDB does not take the query. It can
    neither change the file nor read or write any other.
    """
    published = settings.published
    if not published.exists():
        raise BuildError(f"{published} is not there. Nothing is published yet: run `join-pipeline build` first.")
    # no file but this one; DuckDB would spill beside it, into the folder that readers look at
    config: dict[str, Any] = {
        "memory_limit": settings.memory_limit,
        "enable_external_access": False,
        "temp_directory": "",
    }
    try:
        con = duckdb.connect(published, read_only=True, config=config)
    except duckdb.Error as error:
        raise BuildError(f"{published} can't be read ({_first(error)}). `join-pipeline build` makes it anew.") from None
    with contextlib.closing(con):
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET lock_configuration = true")
        try:
            # None where there is nothing to do, as in a comment
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
    except duckdb.Error as error:  # DuckDB computes while it is read
        raise InputError("query", _first(error)) from None


def _first(error: duckdb.Error) -> str:
    """What DuckDB says, without the picture of where it is."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split())
