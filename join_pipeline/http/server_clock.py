"""Server time. Every instant that a sync writes comes from here.

The clock is the monotonic clock plus the offset of the first `Date` header, so a wrong or jumping local clock changes
nothing. `Date` has whole seconds and is as old as the response, so the true time lies between two bounds.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

DATE_RESOLUTION: Final = 1.0
SKEW_REPORTED: Final = timedelta(minutes=5)


def http_date(text: str) -> datetime | None:
    """The instant in a header such as `Date`; None if there is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # for "-0000", which means UTC, the parser returns an instant without a zone
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


class ServerClock:
    """Bounds of the server time. Before the first `Date` header it is the local time."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._offset: float | None = None
        self._slack = 0.0
        self.skew = timedelta(0)

    def observe(self, date: str | None, asked_at: float) -> None:
        """Take a response's `Date` header. `asked_at` is the monotonic time at which its request was sent."""
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
        """A lower bound of the server time, in epoch seconds."""
        return self._wall() if self._offset is None else self._monotonic() + self._offset

    def earliest(self) -> datetime:
        """A lower bound of the server time."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    def latest(self) -> datetime:
        """An upper bound of the server time."""
        return datetime.fromtimestamp(self.epoch() + self._slack, UTC)

    def when_asked(self, asked_at: float) -> datetime:
        """A lower bound of the server time at monotonic time `asked_at`."""
        return self.earliest() - timedelta(seconds=self._monotonic() - asked_at)
