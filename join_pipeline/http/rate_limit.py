"""The rate limit: waiting before the server would reject a request.

Belongs here: what rate-limit headers mean, when the next request may be sent. Not here: sending it (client).
Source: the headers `…ratelimit-limit`, `-remaining`, `-reset` (seconds to wait; an epoch according to some clients) and
`Retry-After`.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from join_pipeline.errors import RateLimited
from join_pipeline.http.server_clock import http_date

EPOCH_LOOKS_LIKE: Final = 1_000_000_000
EPOCH_IN_MILLISECONDS_LOOKS_LIKE: Final = 1_000 * EPOCH_LOOKS_LIKE
LONGEST_WAIT: Final = 3600.0
MAX_WAIT_SECONDS: Final = 900.0
RESET_RESOLUTION: Final = 1.0  # `reset` has whole seconds
PROBE_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.05


def wait_asked_for(headers: Mapping[str, str], now: float, prefix: str) -> float | None:
    """How many seconds a response asks to wait, by `Retry-After` in both of its forms or by `<prefix>-reset`.

    `now` is the server time in epoch seconds. The result is at most 3600; None if no header can be read.
    """
    for name in ("retry-after", f"{prefix}-reset"):
        text = headers.get(name, "").strip()
        if not text:
            continue
        seconds = _number(text)
        if seconds is None:
            date = http_date(text)
            if date is None:
                continue
            seconds = date.timestamp() - now
        elif seconds >= EPOCH_LOOKS_LIKE:
            seconds = seconds / (1_000 if seconds >= EPOCH_IN_MILLISECONDS_LOOKS_LIKE else 1) - now
        return min(max(seconds, 0.0), LONGEST_WAIT)
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class RateLimit:
    """The number of requests that the window still allows. All threads of a client share it.

    `prefix` is the prefix of the headers. Messages show `whose` limit it is and the `credential` that it counts.

    Several requests are in flight at a time, and their responses arrive in any order. So the smallest number that a
    response reported holds until the window ends, and each request in flight may use one place of it.
    """

    def __init__(
        self,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        max_wait_seconds: float = MAX_WAIT_SECONDS,
        *,
        prefix: str,
        whose: str,
        credential: str,
    ) -> None:
        self._prefix = prefix
        self._whose = whose
        self._credential = credential
        self._sleep = sleep
        self._monotonic = monotonic
        self._max_wait_seconds = max_wait_seconds
        self._lock = threading.Lock()
        self._in_flight = 0
        self._remaining: int | None = None  # None: no response reported a limit
        self._resets_at = 0.0
        self._is_told = False  # False until the first response of a new window

    def acquire(self) -> float:
        """Take a place, if need be in the next window, and return the monotonic time at which it was taken.

        Raises `RateLimited` if the wait would be longer than `max_wait_seconds`.
        """
        waited = 0.0
        while True:
            with self._lock:
                now = self._monotonic()
                wait = self._wait(now)
                if wait <= 0:
                    self._in_flight += 1
                    return now
            waited += wait
            if waited > self._max_wait_seconds:
                raise RateLimited(
                    f"{self._whose} rate limit leaves no room for {waited:.0f} s, and JOIN_PIPELINE_MAX_WAIT_SECONDS "
                    f"is {self._max_wait_seconds:.0f}. Another program may use the same {self._credential}. Run it "
                    f"again later.",
                    waited,
                )
            self._sleep(wait)

    def release(
        self, headers: Mapping[str, str] | None, now: float, asked_at: float, *, is_refused: bool = False
    ) -> None:
        """Give the place back, with the headers of the response, or None if there was no response.

        `now` is the server time in epoch seconds, `asked_at` is the result of `acquire`. `is_refused` is for a 429.
        """
        with self._lock:
            self._in_flight -= 1
            remaining = 0 if is_refused else _remaining(headers, self._prefix)
            reset = None if remaining is None else wait_asked_for(headers or {}, now, self._prefix)
            if remaining is None or reset is None:
                self._count_unanswered(has_answer=headers is not None)
                return
            arrived = self._monotonic()
            is_same_window = (
                self._is_told
                and not is_refused
                and asked_at < self._resets_at
                and asked_at + reset - RESET_RESOLUTION <= self._resets_at <= arrived + reset + RESET_RESOLUTION
            )
            if is_same_window and self._remaining is not None:
                self._remaining = min(self._remaining, remaining)
                # if windows are short, this may be the next window after all, so the later end holds
                self._resets_at = max(self._resets_at, arrived + reset)
            else:
                self._remaining, self._resets_at, self._is_told = remaining, arrived + reset, True

    def _wait(self, now: float) -> float:
        if self._remaining is None or self._remaining > self._in_flight:
            return 0.0
        if now >= self._resets_at:
            # the size of a new window is unknown until its first response, so one request goes ahead. Another one goes
            # each second, because a response that never arrives must not stop the others
            self._remaining, self._resets_at, self._is_told = 0, now + PROBE_SECONDS, False
            return 0.0
        if self._remaining or not self._is_told:
            # a response in flight may make room
            return min(POLL_SECONDS, self._resets_at - now)
        return self._resets_at - now

    def _count_unanswered(self, *, has_answer: bool) -> None:
        if has_answer and not self._is_told:
            self._remaining = None
        elif self._remaining:
            self._remaining -= 1  # the server may have counted it


def _remaining(headers: Mapping[str, str] | None, prefix: str) -> int | None:
    try:
        return max(0, int((headers or {})[f"{prefix}-remaining"]))
    except (KeyError, ValueError):
        return None
