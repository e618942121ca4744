"""The parts of a column's declaration: Arrow types, privacy tiers, and the lake's formats that changed it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import pyarrow as pa


class Tier(IntEnum):
    """How personal a column is."""

    PSEUDONYMOUS = 1
    """Ids, times, states: nothing that identifies a person."""
    PERSONAL = 2
    """Identifies a person."""
    RAW = 3
    """A raw payload, or free text."""

    @property
    def is_personal(self) -> bool:
        """Whether the personal file has the column."""
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

    `added`: the column goes beyond the coverage of the unified connector.
    `is_derived`: the value can follow from other records, so it can change although the record's payload did not.
    `since`: the lake's format that added the column. Files of older formats lack it.
    `moved`: the lake's format that changed the column's tier. Files of older formats store it by its old tier.
    `references`: the model whose id the column holds.
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
