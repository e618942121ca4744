"""What a column can be: Arrow types, privacy tiers."""

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

Tier = Literal[1, 2, 3]
"""1 pseudonymous · 2 identifies a person · 3 raw payload or free text"""

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
    """One column: `added` marks what goes beyond the connector's coverage."""

    name: str
    type: pa.DataType
    doc: str
    tier: Tier = 1
    added: bool = False
