"""DuckDB over the lake's files: a scratch database with bounded memory, and readers that cope with no files."""

import functools
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

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
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({columns_sql(schema)})')


def columns_sql(columns: Iterable[Column | pa.Field]) -> str:
    """Columns with their types, as a CREATE TABLE has them."""
    return ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in columns)


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Append Arrow rows to a table that has the same columns in the same order.

    By way of a file in the folder that DuckDB spills into: where it is handed an Arrow table, DuckDB imports pandas,
    which takes as long as a whole sync of a quiet hour.
    """
    folder = Path(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])
    make_folder(folder)
    handle, name = tempfile.mkstemp(suffix=".parquet", dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        pq.write_table(rows, path, compression="none")
        con.execute(f"INSERT INTO {table} FROM read_parquet({files_literal([name])})")
    finally:
        path.unlink(missing_ok=True)


_SCALARS: Final = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.date32(): "DATE",
}


@functools.cache
def duckdb_type(kind: pa.DataType) -> str:
    """DuckDB's name for an Arrow type that columns of ours may have."""
    if pa.types.is_struct(kind):
        members = ", ".join(f'"{field.name}" {duckdb_type(field.type)}' for field in kind)
        return f"STRUCT({members})"
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    return _SCALARS[kind]
