"""The pages of a listing, with their records as the API sent them.

Belongs here: the types. Not here: how an API pages, what a record means.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the API sent it. Its id and the text of its update time are None if they can't be read."""

    id: str | None
    updated: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `fetched_at` is an upper bound of the server time, `n_bytes` the size of the body."""

    number: int
    records: list[Record]
    fetched_at: datetime
    n_bytes: int
