"""What a listing gives: records as they came, page by page. Not here: how an API pages, what a record means."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came; its own id and the time of its last update are None where they can't be read."""

    id: str | None
    updated: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: its records as they came, and when (an upper bound of the server's time)."""

    number: int
    records: list[Record]
    fetched_at: datetime
    n_bytes: int
