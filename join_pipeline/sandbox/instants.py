"""Instants: the sandbox stores milliseconds since 1970 in UTC, and reads and writes them as text."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NEVER: Final = 2**62  # later than anything that happens
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)


def from_datetime(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def to_datetime(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def iso(ms: int, *, has_milliseconds: bool = True) -> str:
    """The text in JOIN's format, to the millisecond or the second."""
    return (_NAIVE_EPOCH + timedelta(milliseconds=ms)).isoformat(
        "T", "milliseconds" if has_milliseconds else "seconds"
    ) + "Z"


def iso_column(moments: npt.NDArray[np.integer[Any]], *, has_milliseconds: bool = True) -> list[str]:
    """The same for many at once, which takes a fifth of the time."""
    instants = moments.astype("datetime64[ms]").astype(f"datetime64[{'ms' if has_milliseconds else 's'}]")
    words: list[str] = np.datetime_as_string(instants, timezone="UTC").tolist()
    return words


def parse(text: str) -> int:
    """ISO 8601 with any offset; without one it is UTC. ValueError if it is no instant."""
    instant = datetime.fromisoformat(text)
    return from_datetime(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def http_date(ms: int) -> str:
    """The form of a `Date` header."""
    return format_datetime(to_datetime(ms).replace(microsecond=0), usegmt=True)
