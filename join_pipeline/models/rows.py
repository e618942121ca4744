"""The rows that a mapping returns, and the helpers that all mappings share."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

_URL: Final = re.compile(r"https?://\S+", re.IGNORECASE)
MAX_DEPTH: Final = 64
"""The depth of lists and objects that every reader reads, however deep the stack of its caller is."""
UNREAD: Final = "unread"
"""The key of a row that names its columns and links that could not be read. What is known of them stays."""

Row = dict[str, Any]
"""One row of a model: its own columns by name, with `id`, `remote_id` and, if it has one, `payload_hash`."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The record whose payload shows a row. The live parent with the greatest (updated_at, id) decides the content."""

    updated_at: datetime | None
    id: int

    def columns(self) -> Row:
        return {"parent_updated_at": self.updated_at, "parent_id": self.id}


@dataclass(slots=True)
class Mapped:
    """The rows of one payload by model, and its unknown words and odd parts, which the caller counts.

    `odd` names the parts whose shape the contract does not have, each with its shape and never with its value.
    `gone` lists the records that the payload reports as deleted: model, id, and when. `endings` are the last rows of
    those records, by model.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    gone: list[tuple[str, str, datetime]] = field(default_factory=list)
    endings: dict[str, list[Row]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)

    def add(self, model: str, row: Row) -> None:
        self.rows.setdefault(model, []).append(row)

    def mark(self, model: str, unread: Collection[str] | None) -> None:
        """Note on the payload's own row of a model which of its links and empty columns could not be read."""
        for row in self.rows.get(model, [])[:1] if unread else ():
            row[UNREAD] = [name for name in unread or () if row.get(name) is None]


def country_code(text: str | None) -> str | None:
    """An ISO 3166-1 alpha-2 code in upper case. Any other text stays unchanged; empty text becomes None."""
    return text.upper() if text and len(text) == 2 else text or None


def without_query(value: Any, depth: int = 0) -> Any:
    """Remove the query from every URL in `value`: a signature grants access, and it changes with every response.

    Raises `RecursionError` at a fixed depth, so that a sync and a replay agree.
    """
    kind = type(value)
    if depth >= MAX_DEPTH and kind in (dict, list):
        raise RecursionError
    if kind is dict:
        return {key: item if _holds_no_url(item) else without_query(item, depth + 1) for key, item in value.items()}
    if kind is list:
        return [without_query(item, depth + 1) for item in value]
    # a text that only mentions a URL stays unchanged
    if not _holds_no_url(value) and _URL.fullmatch(value):
        return re.split("[?#]", value, maxsplit=1)[0]
    return value


def _holds_no_url(value: Any) -> bool:
    """A cheap test, because it runs over every value of every payload. Most values pass it."""
    kind = type(value)
    return "://" not in value if kind is str else kind is not dict and kind is not list


def json_text(value: Any) -> str:
    """JSON text with sorted keys, so that equal content gives equal text."""
    return msgspec.json.encode(value, order="sorted").decode()


def content_digest(value: Any) -> str:
    """The hash of a JSON value: 32 hex digits of BLAKE2b. The order of keys does not matter."""
    return hashlib.blake2b(msgspec.json.encode(value, order="sorted"), digest_size=16).hexdigest()
