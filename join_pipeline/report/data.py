"""The report's data: it reads the datasets from the published file.

Belongs here: opening the file, and the type of a dataset, which goes into the page as JSON. Not here: the queries.
"""

import contextlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from join_pipeline.errors import BuildError, foreign
from join_pipeline.report.group_queries import HORIZON, SHOWN_GROUPS
from join_pipeline.report.queries import DATASETS


class Dataset(msgspec.Struct, frozen=True):
    """The rows of a query, and the names of their columns."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read_datasets(published: Path, memory_limit: str) -> dict[str, Dataset]:
    """Read every dataset of the report. Raises `BuildError` if there is no published file, or if it lacks a table."""
    if not published.exists():
        raise BuildError(f"{published} is not there. The report needs it: run `join-pipeline build` first.")
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
            f"{published} can't be read ({foreign(error)}). `join-pipeline build` makes it again, with this release's "
            "tables."
        ) from None


def _read(con: duckdb.DuckDBPyConnection, query: str) -> Dataset:
    cursor = con.execute(query)
    columns = [column[0] for column in cursor.description or ()]
    return Dataset(columns, [tuple(map(_plain, row)) for row in cursor.fetchall()])


def _plain(value: Any) -> Any:
    """A value for JSON: dates as `YYYY-MM-DD`, instants as ISO 8601 with a zone."""
    return value.isoformat() if isinstance(value, date | datetime) else value
