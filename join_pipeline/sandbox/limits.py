"""The rate limit: a number of requests in a window of real time. Headers on every response state it."""

import math
import time


class RateLimit:
    """One window, which starts with its first request. It is real time, because the sandbox's clock may stand still."""

    def __init__(self, limit: tuple[int, float] | None, prefix: str = "x-ratelimit") -> None:
        self._limit = limit
        self._prefix = prefix
        self._used = 0
        self._ends = 0.0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether one more request is allowed, and the headers with the remaining number."""
        if self._limit is None:
            return True, {}
        allowed, seconds = self._limit
        now = time.monotonic()
        if now >= self._ends:
            self._used, self._ends = 0, now + seconds
        self._used = min(self._used + 1, allowed + 1)
        return self._used <= allowed, {
            f"{self._prefix}-limit": str(allowed),
            f"{self._prefix}-remaining": str(max(allowed - self._used, 0)),
            f"{self._prefix}-reset": str(math.ceil(self._ends - now)),
        }

    def exhausted(self) -> dict[str, str]:
        """The headers of a response that asks for a retry in a second."""
        return {f"{self._prefix}-remaining": "0", f"{self._prefix}-reset": "1"}
