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
_sorted: Final = msgspec.json.Encoder(order="sorted").encode
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

    What holds none is returned as the same object, because this runs over every value of every payload.
    Raises `RecursionError` at a fixed depth, so that a sync and a replay agree.
    """
    kind = type(value)
    if kind is str:
        return _cut(value) if "://" in value else value
    if kind is not dict and kind is not list:
        return value
    if depth >= MAX_DEPTH:
        raise RecursionError
    kept = value
    for place, item in value.items() if kind is dict else enumerate(value):
        inner = type(item)
        if inner is str:
            new = _cut(item) if "://" in item else item
        elif inner is dict or inner is list:
            new = without_query(item, depth + 1)
        else:
            continue
        if new is not item:
            kept = kept.copy() if kept is value else kept
            kept[place] = new
    return kept


def _cut(text: str) -> str:
    """A URL without its query. A text that only mentions a URL stays unchanged."""
    if ("?" in text or "#" in text) and _URL.fullmatch(text):
        return re.split("[?#]", text, maxsplit=1)[0]
    return text


def json_text(value: Any) -> str:
    """JSON text with sorted keys, so that equal content gives equal text."""
    return _sorted(value).decode()


def content_digest(value: Any) -> str:
    """The hash of a JSON value: 32 hex digits of BLAKE2b. The order of keys does not matter."""
    return text_digest(_sorted(value))


def text_digest(json: bytes) -> str:
    """The same of a value whose JSON is there already, with sorted keys."""
    return hashlib.blake2b(json, digest_size=16).hexdigest()
