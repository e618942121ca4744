"""DuckDB over the lake's files: a scratch database with bounded memory, and readers that cope with no files."""

import functools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from join_pipeline.errors import LakeError
from join_pipeline.lake.files import appearing, make_folder
from join_pipeline.models import Column

LEAST_OBJECT_SIZE: Final = 16_777_216
"""DuckDB's own limit of one JSON object, in bytes."""
Schema = Iterable[Column | pa.Field]
"""Columns with `name` and `type`: ours, or an Arrow schema's."""


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


@contextmanager
def ordered(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What is written within keeps the order of its rows. That costs memory, so a scratch database does not else."""
    con.execute("SET preserve_insertion_order = true")
    try:
        yield
    finally:
        con.execute("SET preserve_insertion_order = false")


def quoted(columns: Sequence[Column], prefix: str = "") -> str:
    """Column names for a SELECT."""
    return ", ".join(f'{prefix}"{column.name}"' for column in columns)


def typed(columns: Iterable[Column], prefix: str = "") -> str:
    """Columns for a SELECT, with the types that are declared."""
    return ", ".join(f'{prefix}"{one.name}"::{duckdb_type(one.type)} AS "{one.name}"' for one in columns)


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


def columns_sql(columns: Schema) -> str:
    """Columns with their types, as a CREATE TABLE has them."""
    return ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in columns)


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, schema: Schema, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append rows, by column name, to a table that has the columns of `schema` in that order."""
    with rows_relation(_spill(con), schema, rows) as relation:
        con.execute(f"INSERT INTO {table} FROM {relation}")


def write_rows(con: duckdb.DuckDBPyConnection, schema: Schema, rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Rows as a Parquet file that appears whole, in their order where `con` preserves it."""
    with rows_relation(_spill(con), schema, rows) as relation:
        write_query(con, f"FROM {relation}", path)


def _spill(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder that DuckDB spills into: what lies there is as personal as what is held in memory."""
    return Path(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])


@contextmanager
def rows_relation(folder: Path, schema: Schema, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """SQL of rows of Python's. A column that a row lacks is null.

    They go by way of a file of JSON lines in `folder`. That takes an eighth of the time in which pyarrow makes columns
    of them, and pyarrow would import pandas for it, which takes as long as a whole sync of a quiet hour.
    """
    make_folder(folder)
    handle, name = tempfile.mkstemp(suffix=".ndjson", dir=folder)
    path = Path(name)
    longest = 0
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  it is open already
            for row in rows:
                line = msgspec.json.encode(row)
                longest = max(longest, len(line))
                file.write(line + b"\n")
        columns = ", ".join(f"\"{column.name}\": '{duckdb_type(column.type)}'" for column in schema)
        options = f"format = 'newline_delimited', maximum_object_size = {max(longest + 1024, LEAST_OBJECT_SIZE)}"
        yield f"read_json({files_literal([name])}, {options}, columns = {{{columns}}})"
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
