"""The content hash of a version: what is compared to see whether a record changed.

Belongs here: which columns it covers, as SQL. Not here: comparing (sync.diff).
"""

from collections.abc import Callable, Iterable
from typing import Final

from join_pipeline.models import Column, Model

HEAVY: Final = "remote_data"
"""The payload itself is not hashed: it holds parts of other records, and its own part has its hash."""
FIRST_FORMAT: Final = 1


def light(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns without the heavy one."""
    return tuple(column for column in columns if column.name != HEAVY)


def content_hash(model: Model, value_of: Callable[[str], str]) -> str:
    """SQL of a row's content hash; `value_of` gives the SQL of a column's value by its name.

    A column that came in a later format counts only where it is not null. So a release that adds a column changes no
    hash by itself, and a record that has a value for it gets another one.
    """
    first = [column.name for column in light(model.fields) if column.since == FIRST_FORMAT] + ["payload_hash"]
    packed = ", ".join(f'"{name}" := {value_of(name)}' for name in first)
    parts = [f"to_json(struct_pack({packed}))::VARCHAR"]
    parts += [
        f"coalesce('|{column.name}=' || to_json({value_of(column.name)})::VARCHAR, '')"
        for column in light(model.fields)
        if column.since != FIRST_FORMAT
    ]
    return f"md5({' || '.join(parts)})"
