"""The server's time: every instant that a sync writes comes from here.

The offset is that of the first `Date` header against the monotonic clock, so a wrong or jumping local clock changes
nothing. `Date` has whole seconds and is as old as its way here, so the true time lies between two bounds.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

DATE_RESOLUTION: Final = 1.0
SKEW_REPORTED: Final = timedelta(minutes=5)


def http_date(text: str) -> datetime | None:
    """The instant of a header such as `Date`, or None where it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # "-0000" gives a time without a zone, and means UTC
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


class ServerClock:
    """Bounds of the server's time. Before the first `Date` header it is the local time."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._offset: float | None = None
        self._slack = 0.0
        self.skew = timedelta(0)

    def observe(self, date: str | None, asked_at: float) -> None:
        """Take an answer's `Date` header; `asked_at` is the monotonic time at which its request was sent."""
        if self._offset is not None or date is None:
            return
        told = http_date(date)
        if told is None:
            return
        arrived = self._monotonic()
        self._offset = told.timestamp() - arrived
        self._slack = DATE_RESOLUTION + (arrived - asked_at)
        self.skew = timedelta(seconds=told.timestamp() - self._wall())

    @property
    def is_set(self) -> bool:
        return self._offset is not None

    def epoch(self) -> float:
        """Not later than the server's time, in epoch seconds."""
        return self._wall() if self._offset is None else self._monotonic() + self._offset

    def earliest(self) -> datetime:
        """Not later than the server's time."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    def latest(self) -> datetime:
        """Not earlier than the server's time."""
        return datetime.fromtimestamp(self.epoch() + self._slack, UTC)

    def when_asked(self, asked_at: float) -> datetime:
        """Not later than the server's time at monotonic time `asked_at`."""
        return self.earliest() - timedelta(seconds=self._monotonic() - asked_at)
