"""The sandbox's clock. It stands still or runs at its own speed, and a tester can set it."""

import time


class Clock:
    """Milliseconds since 1970; `speed` is in simulated seconds per real second."""

    def __init__(self, now: int, speed: float) -> None:
        self._speed = speed
        self.set(now)

    def set(self, now: int) -> None:
        self._from, self._since = now, time.monotonic()

    def now(self) -> int:
        if not self._speed:
            return self._from
        return self._from + int((time.monotonic() - self._since) * self._speed * 1000)
