"""DuckDB for the lake's files.

Belongs here: the scratch database, SQL of columns and files, writing rows to tables and Parquet. Not here: queries
about models.
"""

import contextlib
import ctypes
import functools
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from join_pipeline.errors import LakeError, foreign
from join_pipeline.lake.damage import foreign_errors
from join_pipeline.lake.files import appearing, make_folder, unwritable
from join_pipeline.models import Column

_PATTERN: Final = re.compile(r"[*?\[]")
LEAST_OBJECT_SIZE: Final = 16_777_216
"""DuckDB's default limit for one JSON object, in bytes."""
LINES: Final = 200
"""So many rows are written at once."""
Schema = Iterable[Column | pa.Field]
"""Anything with `name` and `type`: columns of models, or fields of an Arrow schema."""


@contextmanager
def scratch(folder: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that spills to `folder/spill` beyond `memory_limit`, with instants in UTC.

    What the engines raise inside, such as about a damaged file, becomes a `LakeError`.
    """
    make_folder(folder)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": False,
    }
    try:
        with foreign_errors(), contextlib.closing(duckdb.connect(config=config)) as con:
            con.execute("SET TimeZone = 'UTC'")
            yield con
    finally:
        _give_back()


def _give_back() -> None:
    """Give freed memory back to the system. glibc keeps it, and a process of many companies would grow with each."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such function
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def ordered(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the order of rows in everything that is written inside. It costs memory, so it is off by default."""
    con.execute("SET preserve_insertion_order = true")
    try:
        yield
    finally:
        con.execute("SET preserve_insertion_order = false")


def quoted(columns: Sequence[Column], prefix: str = "") -> str:
    """Column names for a SELECT."""
    return ", ".join(f'{prefix}"{column.name}"' for column in columns)


def typed(columns: Iterable[Column], prefix: str = "") -> str:
    """Columns for a SELECT, cast to their declared types."""
    return ", ".join(f'{prefix}"{one.name}"::{duckdb_type(one.type)} AS "{one.name}"' for one in columns)


def files_literal(paths: Sequence[str]) -> str:
    """Paths of files to be read, as a SQL list of quoted texts. Each names this one file, whatever letters it has."""
    return "[" + ", ".join(path_literal(without_patterns(path)) for path in paths) + "]"


def path_literal(path: str) -> str:
    """The path of a file to be written or attached, as a quoted text."""
    return "'" + path.replace("'", "''") + "'"


def without_patterns(path: str) -> str:
    """The pattern that stands for this path alone: DuckDB takes `*` and `[` for patterns in paths that it reads."""
    return _PATTERN.sub(r"[\g<0>]", path)


def write_query(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of a query to a Parquet file, atomically. Raises `LakeError` if the disk is full."""
    with appearing(path) as aside:
        try:
            con.execute(f"COPY ({query}) TO {path_literal(str(aside))} (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.IOException as error:
            raise LakeError(f"{path} can't be written ({foreign(error)}). Free some space and run it again.") from None


def empty_table(con: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema) -> None:
    """Make an empty table with the DuckDB types of an Arrow schema."""
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({columns_sql(schema)})')


def columns_sql(columns: Schema) -> str:
    """Columns with their types, for a CREATE TABLE."""
    return ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in columns)


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, schema: Schema, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append rows to a table that has the columns of `schema`, in that order. Rows are dicts by column name."""
    with rows_relation(_spill(con), schema, rows) as relation:
        con.execute(f"INSERT INTO {table} FROM {relation}")


def write_rows(con: duckdb.DuckDBPyConnection, schema: Schema, rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows to a Parquet file, atomically. Inside of `ordered` they keep their order."""
    with rows_relation(_spill(con), schema, rows) as relation:
        write_query(con, f"FROM {relation}", path)


def _spill(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder that DuckDB spills to. Temporary rows may be personal, so they belong there, too."""
    return Path(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])


@contextmanager
def rows_relation(folder: Path, schema: Schema, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """SQL that reads Python rows. A column that a row lacks is null.

    The rows are written to a file of JSON lines in `folder`. Through pyarrow it would take eight times as long, and
    pyarrow would import pandas, which alone takes as long as a sync of a quiet hour.
    """
    make_folder(folder)
    path = folder / f"{secrets.token_hex(8)}.ndjson"
    try:
        longest = _write_lines(path, rows)
        columns = ", ".join(f"\"{column.name}\": '{duckdb_type(column.type)}'" for column in schema)
        options = f"format = 'newline_delimited', maximum_object_size = {max(longest + 1024, LEAST_OBJECT_SIZE)}"
        yield f"read_json({files_literal([str(path)])}, {options}, columns = {{{columns}}})"
    finally:
        path.unlink(missing_ok=True)


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as lines of JSON, in a file of mode 0600. Returns the bytes of the longest line if one is long."""
    longest = 0
    encoder = msgspec.json.Encoder()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            left = iter(rows)
            while some := list(islice(left, LINES)):
                lines = encoder.encode_lines(some)
                if len(lines) > LEAST_OBJECT_SIZE // 2:  # shorter ones can be read whatever their lengths
                    longest = max(longest, *map(len, lines.splitlines()))
                file.write(lines)
    except OSError as error:
        raise unwritable(path, error) from None
    return longest


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
    """DuckDB's name for an Arrow type that a column here may have."""
    if pa.types.is_struct(kind):
        members = ", ".join(f'"{field.name}" {duckdb_type(field.type)}' for field in kind)
        return f"STRUCT({members})"
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    return _SCALARS[kind]
