"""The content hash of a version. The diff compares it to see whether a record changed.

Belongs here: the columns that the hash covers, and its SQL. Not here: comparing (sync.diff).
"""

from collections.abc import Callable, Iterable
from typing import Final

from join_pipeline.lake.sql import duckdb_type
from join_pipeline.models import Column, Model
from join_pipeline.models.declared import OBSERVATION

HEAVY: Final = "remote_data"
"""The column of the whole payload. It is not hashed, because it has parts of other records, too; `payload_hash` covers
the record's own part.
"""
FIRST_FORMAT: Final = 1
PAYLOAD_HASH: Final = next(column for column in OBSERVATION if column.name == "payload_hash")


def light(columns: Iterable[Column]) -> tuple[Column, ...]:
    """`columns` without the column of the whole payload."""
    return tuple(column for column in columns if column.name != HEAVY)


def content_hash(model: Model, value_of: Callable[[str], str]) -> str:
    """SQL of a row's content hash: the MD5 of its values as JSON, 32 hex digits.

    `value_of` returns the SQL of a column's value for the column's name. A column that a later format added is hashed
    only if it is not null. So a release that adds a column changes the hash of no record that has no value for it.
    """
    hashed = (*light(model.fields), PAYLOAD_HASH)
    # a computed value may have another type than the declared one, and then another JSON text
    values = {column.name: f"{value_of(column.name)}::{duckdb_type(column.type)}" for column in hashed}
    first = ", ".join(f'"{column.name}" := {values[column.name]}' for column in hashed if column.since == FIRST_FORMAT)
    later = "".join(
        f" || coalesce('|{column.name}=' || to_json({values[column.name]})::VARCHAR, '')"
        for column in hashed
        if column.since != FIRST_FORMAT
    )
    return f"md5(to_json(struct_pack({first}))::VARCHAR{later})"
