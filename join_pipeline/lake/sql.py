"""DuckDB over the lake's files: a scratch database with bounded memory, and readers that cope with no files."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from join_pipeline.errors import LakeError
from join_pipeline.lake.files import appearing, make_folder
from join_pipeline.models import Column


@contextmanager
def scratch(folder: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills into `folder`, with instants in UTC."""
    make_folder(folder)
    con = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": False,
        }
    )
    try:
        con.execute("SET TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def quoted(columns: Sequence[Column], prefix: str = "") -> str:
    """Column names for a SELECT."""
    return ", ".join(f'{prefix}"{column.name}"' for column in columns)


def files_literal(paths: Sequence[str]) -> str:
    """Paths as a SQL list. They are made by this package, and still quoted."""
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def write_query(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """The rows of a query as a Parquet file that appears whole. `LakeError` if the disk is full."""
    with appearing(path) as aside:
        try:
            con.execute(f"COPY ({query}) TO {files_literal([str(aside)])[1:-1]} (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.IOException as error:
            raise LakeError(f"{path} can't be written ({error}). Free some space and run it again.") from None


def empty_table(con: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema) -> None:
    """An empty table with the DuckDB types of an Arrow schema."""
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({_typed_columns(schema)})')


@functools.cache
def _typed_columns(schema: pa.Schema) -> str:
    """Columns as DuckDB declares them. Asked once: a sync makes some sixty tables."""
    relation = duckdb.from_arrow(schema.empty_table())
    return ", ".join(f'"{name}" {kind}' for name, kind in zip(relation.columns, relation.types, strict=True))
