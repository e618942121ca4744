"""What past forecasts were worth: the same forecast as of earlier days, and what came of those who waited then.

Belongs here: the days looked back to, what their errors say of the next forecast, the tables that are published. Not
here: one forecast (forecast), reading and writing (dbt models).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.estimates.forecast import HORIZONS, Calibration, fit, forecast
from join_pipeline.estimates.pipeline_history import History, Ints

EVERY: Final = 30
"""Days from one past forecast to the next."""
MOST_ORIGINS: Final = 12
ENOUGH_ORIGINS: Final = 6
MANY_JOBS: Final = 1000
"""Companies with more jobs have their forecasts of half a year compared, since each has many hires."""
NEEDED: Final = 60.0
"""Days of the past before a first forecast."""
DRAWS: Final = 400
CELLS: Final = 100_000
"""Draws times jobs of a past forecast."""
LEVELS: Final = (80, 95)
ABOVE: Final = 1.5
"""How far a share above an interval's level counts as, by how far it is.

Of few hires, the share nearest to a level is more often one above than one below: if both counted alike, intervals of
one to three hires would hold 82 % on average instead of 80.
"""

LEVEL_WEIGHT: Final = 8.0
"""Hires by whose weight it is believed that forecasts are right on average."""
VARIANCES: Final = (0.07, 0.15, 0.4)
"""What is believed of how times differ, relative to the usual one, with the weight of VARIANCE_WEIGHT squared hires.

By horizon: the further ahead, the more comes in between, such as closings that many jobs have in common.
"""
VARIANCE_WEIGHT: Final = 300.0


@dataclass(frozen=True, slots=True)
class Past:
    """A forecast as of `day` for one horizon, and what came of it."""

    day: float
    horizon: int
    n_waiting: int
    expected: float
    chance: float
    low: tuple[int, ...]
    high: tuple[int, ...]
    hired: int


def interval(draws: Ints, level: int) -> tuple[int, int]:
    """The ends, in whole hires, of the interval that holds as nearly `level` per cent of the draws as whole hires can.

    It is chosen from those whose ends are at most one hire from the quantiles.
    """
    n = np.bincount(draws)
    until = np.concatenate([[0], np.cumsum(n) / n.sum()])
    tail = (1 - level / 100) / 2
    lowest = int(np.searchsorted(until[1:], tail, side="right"))
    highest = int(np.searchsorted(until[1:], 1 - tail - 1e-12))
    ends = [
        (low, high)
        for low in range(max(lowest - 1, 0), lowest + 2)
        for high in range(max(highest - 1, low), min(highest + 2, len(n)))
    ]
    over = {(low, high): until[high + 1] - until[low] - level / 100 for low, high in ends}
    distance = {end: round(max(-share, ABOVE * share), 9) for end, share in over.items()}
    uneven = {(low, high): round(abs(until[low] - (1 - until[high + 1])), 9) for low, high in ends}
    return min(ends, key=lambda end: (distance[end], end[1] - end[0], uneven[end], end))


def intervals(draws: Ints) -> list[tuple[int, int]]:
    """The intervals of all levels; a wider one holds the others."""
    ends = [interval(draws, level) for level in LEVELS]
    low, high = np.minimum.accumulate([end[0] for end in ends]), np.maximum.accumulate([end[1] for end in ends])
    return [(int(least), int(most)) for least, most in zip(low, high, strict=True)]


def backtest(history: History) -> tuple[list[Past], Calibration]:
    """Past forecasts from the oldest on, each with what was known then, and what all of them say of the next."""
    last = history.until - HORIZONS[0]
    origins = ENOUGH_ORIGINS if history.n_jobs > MANY_JOBS else MOST_ORIGINS
    days = [last - EVERY * number for number in range(origins) if last - EVERY * number >= NEEDED]
    told: list[Past] = []
    errors: list[tuple[int, float, float, float, float]] = []
    for day in reversed(days):
        then = history.as_of(day)
        model = fit(then)
        plain = forecast(model, Calibration((1.0,) * len(HORIZONS), (0.0,) * len(HORIZONS)), DRAWS, CELLS)
        known = forecast(model, _calibration(errors, day), DRAWS, CELLS)
        for place, horizon in enumerate(HORIZONS):
            if day + horizon > history.until:
                continue
            hired = int(history.hires_of(then, horizon).sum())
            draws = known.total[:, place]
            ends = intervals(draws)
            told.append(
                Past(
                    day,
                    horizon,
                    int(known.n_waiting.sum()),
                    float(draws.mean()),
                    float((draws > 0).mean()),
                    tuple(low for low, _ in ends),
                    tuple(high for _, high in ends),
                    hired,
                )
            )
            mean, variance = float(plain.total[:, place].mean()), float(plain.total[:, place].var())
            errors.append((horizon, day + horizon, mean, variance, hired))
    return told, _calibration(errors, history.until)


def _calibration(errors: list[tuple[int, float, float, float, float]], day: float) -> Calibration:
    """What is known on a day: the errors of the forecasts whose horizon has passed by then."""
    known = np.array([error for error in errors if error[1] <= day]).reshape(-1, 5)
    levels, variances = [], []
    for horizon, believed in zip(HORIZONS, VARIANCES, strict=True):
        mine = known[known[:, 0] == horizon]
        weight = HORIZONS[0] / horizon  # windows of 60 days overlap by half
        level = (mine[:, 4].sum() * weight + LEVEL_WEIGHT) / (mine[:, 2].sum() * weight + LEVEL_WEIGHT)
        mean = level * mine[:, 2]
        excess = ((mine[:, 4] - mean) ** 2 - level * mine[:, 3]).sum() * weight + VARIANCE_WEIGHT * believed
        levels.append(float(level))
        variances.append(float(np.clip(excess / ((mean**2).sum() * weight + VARIANCE_WEIGHT), 0.0, 1.0)))
    return Calibration(tuple(levels), tuple(variances))
