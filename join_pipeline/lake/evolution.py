"""Schema evolution: reading version files of any release as today's columns.

Belongs here: comparing a file's columns with the declared ones, and the SQL that reads them. Not here: older JSON
(formats), rewriting files (upgrade).

A file is read by the columns that it really has:

* A column that is newer than the file is null.
* A column of another type is cast if the declared type holds all of its values.
* A column that the model no longer declares is left out.
* A column whose tier changed is still in the other file of the pair. It is null until the upgrade moves it.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from join_pipeline.errors import LakeError
from join_pipeline.lake.absent import present
from join_pipeline.lake.damage import damaged, unreadable
from join_pipeline.lake.integrity import fault_of, verified
from join_pipeline.lake.record import LakeFile
from join_pipeline.lake.sql import duckdb_type, files_literal
from join_pipeline.models import Column, Model
from join_pipeline.models.types import TEXT

KEYS: Final = (Column("id", TEXT, "The record"), Column("sync_id", TEXT, "The sync that wrote the version"))
"""The columns that join a personal file to its version file."""


class Fault(Enum):
    """Why a file must be rewritten. A file that only lacks newer columns has no fault."""

    DROPPED = "a column that is not declared any more"
    TYPE = "a column of an older type"
    TIER = "a column whose tier has changed"


@dataclass(frozen=True, slots=True)
class Fit:
    """How one file fits the declared columns: the SQL to select each of them, and the faults."""

    select: tuple[str, ...]
    faults: frozenset[Fault]


def versions_relation(lake: Path, model: Model, files: Iterable[LakeFile]) -> str:
    """SQL of all version rows in these files: the model's columns of tier 1, as they are declared today.

    Raises `LakeError` with the file that can't be read and the reason.
    """
    return _relation(lake, model, model.plain, files)


def personal_relation(lake: Path, model: Model, files: Iterable[LakeFile]) -> str:
    """SQL of all rows in these personal files: `id`, `sync_id` and the model's columns of tiers 2 and 3."""
    return _relation(lake, model, (*KEYS, *model.personal), files)


def faults(lake: Path, model: Model, versions: Iterable[LakeFile], personal: Iterable[LakeFile]) -> set[Fault]:
    """Why a model's files must be rewritten; an empty set if they need not."""
    found: set[Fault] = set()
    for file in versions:
        found |= _fit(lake, model, model.plain, file).faults
    for file in personal:
        found |= _fit(lake, model, (*KEYS, *model.personal), file).faults
    return found


def moved_relation(lake: Path, columns: Sequence[Column], files: Iterable[LakeFile]) -> str:
    """SQL of `id`, `sync_id` and `columns`, from files that still have these columns by their old tier."""
    parts = []
    for path in (str(verified(lake, file)) for file in files):
        there = _columns(path)
        values = (
            f'"{column.name}"::{duckdb_type(column.type)} AS "{column.name}"'
            if column.name in there
            else f'NULL::{duckdb_type(column.type)} AS "{column.name}"'
            for column in columns
        )
        parts.append(f"SELECT id, sync_id, {', '.join(values)} FROM read_parquet({files_literal([path])})")
    return f"({' UNION ALL '.join(parts)})"


def misplaced(lake: Path, columns: Sequence[Column], files: Iterable[LakeFile]) -> tuple[Column, ...]:
    """The columns among `columns` that one of these files has. They are columns that the files should not have."""
    there = {name for file in files for name in _columns(str(verified(lake, file)))}
    return tuple(column for column in columns if column.name in there)


def _relation(lake: Path, model: Model, columns: Sequence[Column], files: Iterable[LakeFile]) -> str:
    groups: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        select = _fit(lake, model, columns, file).select
        groups.setdefault(select, []).append(str(verified(lake, file)))
    if not groups:
        typed = ", ".join(f'NULL::{duckdb_type(column.type)} AS "{column.name}"' for column in columns)
        return f"(SELECT {typed} WHERE false)"
    parts = [
        f"SELECT {', '.join(select)} FROM read_parquet({files_literal(paths)})" for select, paths in groups.items()
    ]
    return f"({' UNION ALL '.join(parts)})"


def _fit(lake: Path, model: Model, columns: Sequence[Column], file: LakeFile) -> Fit:
    path = lake / file.path
    if path.exists() and (fault := fault_of(lake, file, has_content=False)):
        raise damaged(lake, file.path, fault)
    there = _columns(str(path))
    select, found = [], set()
    for column in columns:
        target = duckdb_type(column.type)
        kind = there.get(column.name)
        if kind is None:
            if max(column.since, column.moved) <= file.format:
                raise LakeError(
                    f"{lake / file.path} lacks the column {column.name}, which {model.name} has had since format "
                    f"{column.since}; the file was written in format {file.format}. Restore the lake from its backup."
                )
            select.append(f'NULL::{target} AS "{column.name}"')
        elif kind == column.type:
            select.append(f'"{column.name}"')
        elif _is_wider(column.type, kind):
            found.add(Fault.TYPE)
            select.append(f'"{column.name}"::{target} AS "{column.name}"')
        else:
            raise LakeError(
                f"{lake / file.path} has the column {column.name} as {kind}; {model.name} has it as {column.type}, and "
                "the one can't be read as the other. Upgrade join-pipeline, or restore the lake from its backup."
            )
    here = {column.name for column in columns}
    declared = {column.name for column in model.version_columns}
    for name in there.keys() - here:
        found.add(Fault.TIER if name in declared else Fault.DROPPED)
    return Fit(tuple(select), frozenset(found))


def _columns(path: str) -> dict[str, pa.DataType]:
    """A file's columns by name."""
    try:
        found = present(Path(path)).stat()
    except OSError as error:
        raise unreadable(Path(path), error) from None
    return _columns_of(path, found.st_ino, found.st_size, found.st_mtime_ns)


@functools.cache
def _columns_of(path: str, *_state: int) -> dict[str, pa.DataType]:
    """A file's columns by name. A file in this state is read once."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise unreadable(Path(path), error) from None
    return {field.name: _read_as(field.type) for field in schema}


def _read_as(kind: pa.DataType) -> pa.DataType:
    """The declared type that is the same as a file's type. Parquet writers have several types for one meaning."""
    if kinds.is_large_string(kind) or kinds.is_string_view(kind):
        return pa.string()
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return pa.list_(_read_as(kind.value_type))
    if kinds.is_struct(kind):
        return pa.struct([(field.name, _read_as(field.type)) for field in kind])
    if kinds.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, tz="UTC")
    return kind


_WIDER: Final[dict[pa.DataType, tuple[pa.DataType, ...]]] = {
    pa.bool_(): (pa.string(),),
    pa.int8(): (pa.int16(), pa.int32(), pa.int64(), pa.float64(), pa.string()),
    pa.int16(): (pa.int32(), pa.int64(), pa.float64(), pa.string()),
    pa.int32(): (pa.int64(), pa.float64(), pa.string()),
    # no whole number here is beyond 2 ** 53, so a double holds each of them
    pa.int64(): (pa.float64(), pa.string()),
    pa.float32(): (pa.float64(), pa.string()),
    pa.float64(): (pa.string(),),
}
"""For each type, the types that hold all of its values."""


def _is_wider(wide: pa.DataType, narrow: pa.DataType) -> bool:
    """Whether a cast from `narrow` to `wide` loses nothing. A struct may gain members."""
    if kinds.is_struct(wide) and kinds.is_struct(narrow):
        members = {field.name: field.type for field in wide}
        return all(field.name in members and _is_wider(members[field.name], field.type) for field in narrow)
    if kinds.is_list(wide) and kinds.is_list(narrow):
        return _is_wider(wide.value_type, narrow.value_type)
    return bool(wide == narrow) or wide in _WIDER.get(narrow, ())
