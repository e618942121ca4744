"""The report's data: datasets read from the published file, and what the page must know besides.

Belongs here: opening the file, and a typed result that goes into the page as JSON. Not here: the queries themselves.
"""

import contextlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from join_pipeline.errors import BuildError
from join_pipeline.report.queries import DATASETS, HORIZON, SHOWN_GROUPS


class Dataset(msgspec.Struct, frozen=True):
    """Rows under their columns' names."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read_datasets(published: Path, memory_limit: str) -> dict[str, Dataset]:
    """Every dataset of the report. `BuildError` if there is no published file, or it lacks a model."""
    if not published.exists():
        raise BuildError(f"{published} is not there. The report is made from it: run `join-pipeline build` first.")
    try:
        with contextlib.closing(duckdb.connect(config={"memory_limit": memory_limit})) as con:
            con.execute("SET TimeZone = 'UTC'")
            path = str(published).replace("'", "''")
            con.execute(f"ATTACH '{path}' AS published (READ_ONLY)")
            con.execute("USE published")
            for statement in (SHOWN_GROUPS, HORIZON):
                con.execute(statement)
            return {name: _read(con, query) for name, query in DATASETS.items()}
    except duckdb.Error as error:
        raise BuildError(
            f"{published} can't be read ({error}). `join-pipeline build` makes it anew, with this version's models."
        ) from None


def _read(con: duckdb.DuckDBPyConnection, query: str) -> Dataset:
    cursor = con.execute(query)
    columns = [column[0] for column in cursor.description or ()]
    return Dataset(columns, [tuple(map(_plain, row)) for row in cursor.fetchall()])


def _plain(value: Any) -> Any:
    """As JSON has it: days as `YYYY-MM-DD`, instants as ISO 8601 with a zone."""
    return value.isoformat() if isinstance(value, date | datetime) else value
