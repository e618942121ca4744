"""What a column can be: Arrow types, privacy tiers, and since when it is there."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import pyarrow as pa


class Tier(IntEnum):
    """How much a column tells about a person."""

    PSEUDONYMOUS = 1
    """Ids, times, states: nothing that names anybody."""
    PERSONAL = 2
    """Identifies a person."""
    RAW = 3
    """A raw payload, or free text."""

    @property
    def is_personal(self) -> bool:
        """Whether the column lies in the personal file."""
        return self is not Tier.PSEUDONYMOUS


TEXT: Final = pa.string()
JSON: Final = pa.string()
WHOLE: Final = pa.int64()
NUMBER: Final = pa.float64()
FLAG: Final = pa.bool_()
INSTANT: Final = pa.timestamp("us", tz="UTC")
TEXTS: Final = pa.list_(pa.string())
LOCATION: Final = pa.struct(
    [(name, pa.string()) for name in ("city", "country", "raw", "state", "street_1", "street_2", "zip_code")]
)
PHONES: Final = pa.list_(pa.struct([("phone_number", pa.string()), ("type", pa.string())]))
EMAILS: Final = pa.list_(pa.struct([("email_address", pa.string()), ("type", pa.string())]))


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `added` marks what goes beyond the connector's coverage. `is_derived` marks what follows from other records, so that
    it may change although its own payload did not. `since` is the lake's format in which the column came: files of an
    older format lack it. `moved` is the format in which its tier changed: files of an older format have it by the old
    tier. `references` is the model whose id it holds.
    """

    name: str
    type: pa.DataType
    doc: str
    tier: Tier = Tier.PSEUDONYMOUS
    added: bool = False
    is_derived: bool = False
    since: int = 1
    moved: int = 0
    references: str | None = None
