"""The rate limit, obeyed before it bites.

Belongs here: what JOIN's rate-limit headers mean and when the next request may go. Not here: sending it (client).
Source: `x-ratelimit-limit`, `-remaining`, `-reset` (seconds to wait; an epoch by some clients) and `Retry-After`.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

EPOCH_LOOKS_LIKE: Final = 1_000_000_000
LONGEST_WAIT: Final = 3600.0


def wait_asked_for(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an answer asks to wait, from `Retry-After` in both its forms or from `x-ratelimit-reset`.

    `now` is the server's time in epoch seconds. None where the answer says nothing that can be read.
    """
    for name in ("retry-after", "x-ratelimit-reset"):
        text = headers.get(name, "").strip()
        if not text:
            continue
        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(text).timestamp() - now
            except (ValueError, TypeError):
                continue
        if seconds >= EPOCH_LOOKS_LIKE:
            seconds -= now
        if not math.isnan(seconds):
            return min(max(seconds, 0.0), LONGEST_WAIT)
    return None


class RateLimit:
    """How many requests the window still has room for; shared by all threads of one client."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._remaining: int | None = None
        self._resets_at = 0.0
        self._in_flight = 0
        self.waited_seconds = 0.0

    def acquire(self) -> None:
        """Take a place in the window, waiting for the next window if this one is full."""
        while True:
            with self._lock:
                wait = self._resets_at - self._monotonic()
                if self._remaining is None or self._remaining > 0 or wait <= 0:
                    if self._remaining is not None:
                        # past the reset the size of the new window is unknown until the next answer: one at a time
                        self._remaining = self._remaining - 1 if self._remaining > 0 else 0
                        if wait <= 0 and self._remaining == 0:
                            self._resets_at = self._monotonic() + 0.05
                    self._in_flight += 1
                    return
                self.waited_seconds += wait
            self._sleep(wait)

    def release(self, headers: Mapping[str, str] | None, now: float) -> None:
        """Give the place back, with what the answer said of the window."""
        with self._lock:
            self._in_flight -= 1
            if headers is None:
                return
            try:
                remaining = int(headers["x-ratelimit-remaining"])
            except (KeyError, ValueError):
                return
            reset = wait_asked_for(headers, now)
            if reset is None:
                return
            # requests in flight are not yet in the server's count
            self._remaining = max(0, remaining - self._in_flight)
            self._resets_at = self._monotonic() + reset
