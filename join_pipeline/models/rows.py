"""What mapping gives: rows of models, each with what decides between several parents of one record."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

_URL: Final = re.compile(r"https?://\S+", re.IGNORECASE)

Row = dict[str, Any]
"""One row of a model: its own columns by name, with `id`, `remote_id` and, where there is one, `payload_hash`."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The record that a row came through. The live parent that is greatest by (updated_at, id) gives the content."""

    updated_at: datetime
    id: int

    def columns(self) -> Row:
        return {"parent_updated_at": self.updated_at, "parent_id": self.id}


@dataclass(slots=True)
class Mapped:
    """The rows of one payload by model, and what was unknown in it, to be counted.

    `gone` are records that it says were deleted, by model and id, and when; `endings` how they were in the end.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    gone: list[tuple[str, str, datetime]] = field(default_factory=list)
    endings: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, model: str, row: Row) -> None:
        self.rows.setdefault(model, []).append(row)


def country_code(text: str | None) -> str | None:
    """ISO 3166-1 alpha-2 in upper case; what is none stays as it came."""
    return text.upper() if text and len(text) == 2 else text or None


def without_query(value: Any) -> Any:
    """`value` with the query of every URL in it removed: signatures change by themselves and open doors."""
    kind = type(value)
    if kind is dict:
        return {key: item if _holds_no_url(item) else without_query(item) for key, item in value.items()}
    if kind is list:
        return [without_query(item) for item in value]
    # only a value that is a URL as a whole: a text that mentions one stays as it is
    if not _holds_no_url(value) and _URL.fullmatch(value):
        return re.split("[?#]", value, maxsplit=1)[0]
    return value


def _holds_no_url(value: Any) -> bool:
    """The cheap test that most values pass; this runs over every value of every payload."""
    kind = type(value)
    return "://" not in value if kind is str else kind is not dict and kind is not list


def json_text(value: Any) -> str:
    """JSON text with sorted keys, so that equal content is equal text."""
    return msgspec.json.encode(value, order="sorted").decode()


def content_digest(value: Any) -> str:
    """A short hash of a JSON value, whatever the order of its keys."""
    return hashlib.blake2b(msgspec.json.encode(value, order="sorted"), digest_size=16).hexdigest()
