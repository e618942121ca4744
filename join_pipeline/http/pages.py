"""The pages of a listing, with their records as the API sent them.

Belongs here: the types, the keys of a record. Not here: how an API pages, what a record means.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from join_pipeline.errors import ContractError
from join_pipeline.http.lenient import identity_text, in_utc
from join_pipeline.http.tolerant import UNREAD_JSON, parse


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the API sent it. Its id and the text of its update time are None if they can't be read."""

    id: str | None
    updated: str | None
    payload: bytes


def keys_of(payload: bytes, strict: msgspec.json.Decoder[Any], updated_key: str) -> tuple[str | None, str | None]:
    """The id and the text of the update time of a record; None for what can't be read.

    `strict` decodes a struct of the two. A record that it refuses is read without it.
    """
    try:
        keyed = strict.decode(payload)
        found, updated = keyed.id, keyed.updated
    except UNREAD_JSON:
        try:
            read = parse(payload)
        except ContractError:
            return None, None
        found, updated = (read.get("id"), read.get(updated_key)) if isinstance(read, dict) else (None, None)
    name = str(found) if type(found) is int else identity_text(found)  # a name, even if it is too large for an id
    return name, updated if isinstance(updated, str) else None


def instant_of(text: str) -> datetime | None:
    """The instant that the text of an update time tells, in UTC; None if it tells none."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `fetched_at` is an upper bound of the server time, `n_bytes` the size of the body."""

    number: int
    records: list[Record]
    fetched_at: datetime
    n_bytes: int
