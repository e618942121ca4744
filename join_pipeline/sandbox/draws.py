"""Repeatable random draws: `Draw` for one thing at a time, `Dice` for whole columns.

Names and answers are drawn on request from the seed and the thing's number. Instants are drawn for the whole company at
once, in numpy.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from join_pipeline.sandbox.instants import DAY, HOUR, MINUTE

T = TypeVar("T")
Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DAYS_TO_MONDAY: Final = np.array([0, 0, 0, 0, 0, 2, 1])  # by weekday, Monday first

_AFTER_WEEKEND: Final = np.array([0.5, 0.25, 0.15, 0.1])  # what piled up is done on Monday, Tuesday, …


class Draw:
    """Up to about twenty draws about one thing. The same key always gives the same draws."""

    __slots__ = ("_bits",)

    def __init__(self, seed: int, what: str, number: int) -> None:
        key = f"({seed}, '{what}', {number})".encode()
        self._bits = int.from_bytes(blake2b(key, digest_size=24).digest())

    def below(self, n: int) -> int:
        self._bits, drawn = divmod(self._bits, n)
        return drawn

    def chance(self, percent: int) -> bool:
        self._bits, drawn = divmod(self._bits, 100)
        return drawn < percent

    def pick(self, choices: Sequence[T]) -> T:
        self._bits, drawn = divmod(self._bits, len(choices))
        return choices[drawn]


class Dice:
    """Columns of draws. Waits are log-normal; people in offices act on workdays, candidates at any waking hour."""

    def __init__(self, *key: int) -> None:
        self._rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))

    def uniform(self, n: int) -> Floats:
        return self._rng.random(n)

    def below(self, limit: int, n: int) -> Ints:
        return self._rng.integers(0, limit, n)

    def chance(self, p: float | Floats, n: int) -> Bools:
        return self._rng.random(n) < p

    def pick(self, weights: Floats, n: int) -> Ints:
        """Indices into `weights`, drawn with these weights."""
        bounds = np.cumsum(weights)
        drawn: Ints = np.searchsorted(bounds, self._rng.random(n) * bounds[-1], side="right").astype(np.int64)
        return drawn

    def around(self, median: float | Floats, sigma: float, n: int) -> Floats:
        """Log-normal: half of them above the median, some far above."""
        return np.exp(self._rng.standard_normal(n) * sigma) * median

    def days(self, median: float | Floats, sigma: float, n: int) -> Ints:
        """Log-normal waits around a median in days, in milliseconds."""
        return (self.around(median, sigma, n) * DAY).astype(np.int64)

    def exponential_minutes(self, mean: float, n: int) -> Ints:
        return (self._rng.exponential(mean * MINUTE, n)).astype(np.int64) + 1

    def in_office(self, earliest: Ints, after: Ints) -> Ints:
        """The next moment from `earliest` at which somebody is at work, later than `after`."""
        n = len(earliest)
        day = earliest // DAY
        to_monday = np.where(self.chance(0.05, n), 0, _DAYS_TO_MONDAY[(day + 3) % 7])  # 1970 began on a Thursday
        # 07:00 to 17:00 UTC, most of it around the middle
        to_monday += np.where(to_monday > 0, self.pick(_AFTER_WEEKEND, n), 0)
        time_of_day = (7 * HOUR + 10 * HOUR * self._rng.beta(1.6, 1.9, n)).astype(np.int64)
        return self._later((day + to_monday) * DAY + time_of_day, after)

    def at_home(self, earliest: Ints, after: Ints) -> Ints:
        """A moment on the day of `earliest` at which a candidate sits at a screen, later than `after`."""
        n = len(earliest)
        is_evening = self.chance(0.45, n)
        start = np.where(is_evening, 16.0, 6.0)
        hours = start + self._rng.beta(2.0, 2.0, n) * np.where(is_evening, 6.5, 10.0)
        return self._later(earliest // DAY * DAY + (hours * HOUR).astype(np.int64), after)

    def _later(self, moment: Ints, after: Ints) -> Ints:
        return np.where(moment > after, moment, after + self.exponential_minutes(45.0, len(moment)))
