"""Instants as the sandbox keeps them, milliseconds since 1970 in UTC, and as others read and write them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NEVER: Final = 2**62  # later than anything that happens
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def from_datetime(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def to_datetime(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def iso(ms: int, *, has_milliseconds: bool = True) -> str:
    day, rest = divmod(ms, DAY)
    seconds, fraction = divmod(rest, SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    if has_milliseconds:
        return f"{_date(day)}T{hour:02d}:{minute:02d}:{second:02d}.{fraction:03d}Z"
    return f"{_date(day)}T{hour:02d}:{minute:02d}:{second:02d}Z"


def parse(text: str) -> int:
    """ISO 8601 with any offset; without one it is UTC. ValueError if it is no instant."""
    instant = datetime.fromisoformat(text)
    return from_datetime(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def http_date(ms: int) -> str:
    """The form of a `Date` header."""
    return format_datetime(to_datetime(ms).replace(microsecond=0), usegmt=True)
