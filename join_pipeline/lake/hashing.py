"""The content hash of a version: what is compared to see whether a record changed.

Belongs here: which columns it covers, as SQL. Not here: comparing (sync.diff).
"""

from collections.abc import Callable, Iterable
from typing import Final

from join_pipeline.lake.sql import duckdb_type
from join_pipeline.models import Column, Model
from join_pipeline.models.declared import OBSERVATION

HEAVY: Final = "remote_data"
"""The payload itself is not hashed: it holds parts of other records, and its own part has its hash."""
FIRST_FORMAT: Final = 1
PAYLOAD_HASH: Final = next(column for column in OBSERVATION if column.name == "payload_hash")


def light(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns without the heavy one."""
    return tuple(column for column in columns if column.name != HEAVY)


def content_hash(model: Model, value_of: Callable[[str], str]) -> str:
    """SQL of a row's content hash; `value_of` gives the SQL of a column's value by its name.

    A column that came in a later format counts only where it is not null. So a release that adds a column changes no
    hash by itself, and a record that has a value for it gets another one.
    """
    hashed = (*light(model.fields), PAYLOAD_HASH)
    # a value that was computed may have another type than what is declared, and then another text
    values = {column.name: f"{value_of(column.name)}::{duckdb_type(column.type)}" for column in hashed}
    first = ", ".join(f'"{column.name}" := {values[column.name]}' for column in hashed if column.since == FIRST_FORMAT)
    later = "".join(
        f" || coalesce('|{column.name}=' || to_json({values[column.name]})::VARCHAR, '')"
        for column in hashed
        if column.since != FIRST_FORMAT
    )
    return f"md5(to_json(struct_pack({first}))::VARCHAR{later})"
