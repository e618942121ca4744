"""Server time. Every instant that a sync writes comes from here.

The clock is the monotonic clock plus the offset of the `Date` headers. All answers are heard. Their median counts if it
is within an hour of this machine's clock, else this machine's clock counts: one wrong `Date`, or a wrong clock at the
source, moves nothing. `Date` has whole seconds and is as old as the response, so the true time lies between two bounds.
"""

import math
import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

DATE_RESOLUTION: Final = 1.0
SKEW_REPORTED: Final = timedelta(minutes=5)
MOST_SKEW: Final = timedelta(hours=1)
"""A server's time that is further off this machine's clock is not believed."""
LONGEST_AGE: Final = 366 * 86_400.0
SANDBOX_CLOCK: Final = "x-sandbox-clock"
"""The header in which a sandbox says that its clock is simulated, with the epoch seconds that this machine's clock
would show. The client reads it from an unencrypted server on this machine only.
"""


def http_date(text: str) -> datetime | None:
    """The instant in a header such as `Date`; None if there is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # for "-0000", which means UTC, the parser returns an instant without a zone
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def seconds_of(text: str | None, most: float = math.inf) -> float | None:
    """The number of seconds in a header such as `Age`; None if it has none between 0 and `most`."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 <= seconds <= most else None


@dataclass(order=True, slots=True)
class _Agreeing:
    """Answers whose dates are equally far off this machine's clock: how far, their bounds, and how many there are.

    The bounds are offsets to the monotonic clock. An answer that agrees with them changes nothing. One that does not
    widens them: this machine may have slept, which stops the monotonic clock only.
    """

    skew: float
    lo: float = field(compare=False)
    hi: float = field(compare=False)
    n: int = field(default=1, compare=False)

    def take(self, lo: float, hi: float) -> None:
        self.n += 1
        self.lo = lo if hi < self.lo else self.lo
        self.hi = hi if lo > self.hi else self.hi


class ServerClock:
    """Bounds of the time. Without a `Date` header that can be believed it is the time of this machine's clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._heard: list[_Agreeing] = []
        self._simulated: float | None = None  # a sandbox's clock, as an offset to the monotonic clock
        self._latest = 0.0
        self.n_dated = 0

    def observe(
        self, date: str | None, asked_at: float, *, age: str | None = None, simulated: float | None = None
    ) -> None:
        """Take a response's `Date` header. `asked_at` is the monotonic time at which its request was sent.

        `age` is its header `Age`: a cache sends the date at which the server answered it. `simulated` is the sandbox's
        clock, in epoch seconds.
        """
        arrived = self._monotonic()
        if simulated is not None:
            self._simulated = simulated - arrived
        told = None if date is None else http_date(date)
        if told is None:
            return
        at = told.timestamp() + (seconds_of(age, LONGEST_AGE) or 0.0)
        lo, hi = at - arrived, at - arrived + DATE_RESOLUTION + (arrived - asked_at)
        skew = at - self._local()
        self.n_dated += 1
        for one in self._heard:
            if abs(one.skew - skew) <= SKEW_REPORTED.total_seconds():
                one.take(lo, hi)
                return
        insort(self._heard, _Agreeing(skew, lo, hi))

    @property
    def is_set(self) -> bool:
        """Whether an answer had a date."""
        return bool(self._heard)

    @property
    def is_believed(self) -> bool:
        """Whether the server's time counts: the median of its dates is within an hour of this machine's clock."""
        return self._believed() is not None

    @property
    def is_simulated(self) -> bool:
        """Whether the server is a sandbox, whose clock stands in for this machine's."""
        return self._simulated is not None

    @property
    def n_astray(self) -> int:
        """The number of answers whose date differs from the median by more than five minutes."""
        median = self._median()
        return self.n_dated - (median.n if median else 0)

    @property
    def skew(self) -> timedelta:
        """How far the server's clock, by the median of its dates, is ahead of this machine's."""
        median = self._median()
        return timedelta(seconds=median.skew if median else 0.0)

    @property
    def simulated_ahead(self) -> timedelta:
        """How far a sandbox's clock is ahead of this machine's."""
        return timedelta(seconds=self._local() - self._wall() if self.is_simulated else 0.0)

    def epoch(self) -> float:
        """A lower bound of the time, in epoch seconds."""
        believed = self._believed()
        return self._local() if believed is None else self._monotonic() + believed.lo

    def told_epoch(self) -> float:
        """What the server's clock shows by the median of its dates, whether or not it is believed."""
        median = self._median()
        return self._local() if median is None else self._monotonic() + median.lo

    def earliest(self) -> datetime:
        """A lower bound of the time."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    def latest(self) -> datetime:
        """An upper bound of the time. It never goes back, so that what was seen later is dated later."""
        believed = self._believed()
        local = self._local() + (DATE_RESOLUTION if self.is_simulated else 0.0)
        self._latest = max(self._latest, local if believed is None else self._monotonic() + believed.hi)
        return datetime.fromtimestamp(self._latest, UTC)

    def when_asked(self, asked_at: float) -> datetime:
        """A lower bound of the time at monotonic time `asked_at`."""
        return self.earliest() - timedelta(seconds=self._monotonic() - asked_at)

    def changed_since(self, at: datetime) -> datetime:
        """From when on a list of changes must be asked for to hold all that came after `at`.

        The server dates changes by its own clock, even if that is behind and not believed.
        """
        return at if self.is_believed else max(min(at, at + self.skew), datetime.fromtimestamp(LONGEST_AGE, UTC))

    def _local(self) -> float:
        """This machine's clock, or the clock that a sandbox simulates."""
        return self._wall() if self._simulated is None else self._monotonic() + self._simulated

    def _median(self) -> _Agreeing | None:
        """The answers in the middle; of two middles, those that are nearer to this machine's clock."""
        middles = {(self.n_dated - 1) // 2, self.n_dated // 2}
        found, n = [], 0
        for one in self._heard:
            if any(n <= middle < n + one.n for middle in middles):
                found.append(one)
            n += one.n
        return min(found, key=lambda one: abs(one.skew), default=None)

    def _believed(self) -> _Agreeing | None:
        median = self._median()
        return median if median is not None and abs(median.skew) <= MOST_SKEW.total_seconds() else None
