"""How many of those who wait will be hired within 30, 60 and 90 days: all of them, and those of each job.

Belongs here: the forecast as of one day, by simulation. What is not certain is drawn: the hazards (jobs are weighted
anew), how a job differs from the others (gamma frailty), when it closes, how good the times are, and chance itself.
Not here: hazards (hazards), what past forecasts were worth (backtest). Nobody who has yet to apply is in it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.estimates.hazards import SHOWN_AGES, chances, counts, hazards, shown_age
from join_pipeline.estimates.pipeline_history import HIRED, MILESTONES, Bools, Floats, History, Ints

HORIZONS: Final = (30, 60, 90)
STEP: Final = 5
"""Jobs close at the end of such a step, in days."""
STEPS: Final = np.arange(STEP, HORIZONS[-1] + 1, STEP)
AT_HORIZON: Final = [int(np.flatnonzero(days == STEPS)[0]) for days in HORIZONS]
SEED: Final = 20240229
WEIGHTINGS: Final = 64
MOST_DRAWS: Final = 1000
FEWEST_DRAWS: Final = 150
MOST_CELLS: Final = 1_000_000
"""Draws times jobs: more jobs are drawn less often, since what differs between them evens out."""
LONGEST: Final = 360
"""Expectations of the past look so many days after an application was first seen, and no further."""
GRID: Final = 10
JOB_AGES: Final = np.array([30, 60, 90, 180])
"""Days since its opening at which a job's hazard of closing changes."""

NEW_DAYS: Final = 20
"""Days after a hire in which a job may close because of it."""
NO_HIRE, NEW_HIRE, OLD_HIRE, KINDS = range(4)

FRAILTY_VARIANCE: Final = 0.2
"""What is believed of how jobs differ before any is known, with the weight of FRAILTY_WEIGHT squared hires."""
FRAILTY_WEIGHT: Final = 10.0
AFTER_CLOSING: Final = 0.1
"""Hires in closed jobs by those that would be expected if these were open, with the weight of AFTER_WEIGHT hires."""
AFTER_WEIGHT: Final = 2.0
TIMES_FREEDOM: Final = 4
"""Degrees of freedom of how good the times are: a variance from a few past forecasts is hardly known itself."""
MOST_SPREAD: Final = 2.5
"""By so much, at most, times spread more than past forecasts were wrong."""
CLOSING_DAYS: Final = 60.0
"""Days by which a job's hazard of closing leans on that of all jobs."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What past forecasts say of this one, by horizon: hires by those forecast, and the variance of that ratio."""

    level: tuple[float, ...]
    variance: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Draws of hires, by draw and horizon, and by draw, job and horizon. `jobs` are those in which somebody waits."""

    total: Ints
    jobs: Ints
    n_waiting: Ints
    by_job: Ints


@dataclass(frozen=True, slots=True)
class Model:
    """What a forecast is drawn from; rows are the jobs in which somebody waits.

    `alike` is a number of alike persons that would give as many hires, as surely, as those who wait; `chance` is that
    of each of them by weighting, job and step.
    """

    jobs: Ints
    n_waiting: Ints
    alike: Ints
    chance: Floats
    frailty_shape: Floats
    frailty_scale: Floats
    age: Floats
    is_closed: Bools
    days_since_hire: Floats
    closing: Floats
    after_closing: float


def fit(history: History) -> Model:
    """What the history says of those who wait at its end."""
    waiting = np.flatnonzero(history.is_waiting)
    jobs, row = np.unique(history.job[waiting], return_inverse=True)
    counted = counts(history)
    clusters = len(counted.at_risk)
    drawn = np.random.default_rng(SEED).exponential(size=(WEIGHTINGS, clusters))
    drawn *= clusters / drawn.sum(axis=1, keepdims=True)
    pooled = hazards(counted, np.ones((1, clusters)))
    expected, hired = _past(history, pooled)
    shape = 1 / _frailty_variance(expected, hired)
    place = history.milestone[waiting] * len(SHOWN_AGES) + shown_age(history.until - history.start[waiting])
    cells = MILESTONES * len(SHOWN_AGES)
    group = np.bincount(row * cells + place, minlength=len(jobs) * cells).reshape(len(jobs), cells).astype(np.float64)
    chance = chances(hazards(counted, drawn), STEPS).reshape(WEIGHTINGS, cells, len(STEPS))
    mean = group @ chance
    square = group @ chance[:, :, -1:] ** 2
    alike = np.maximum(np.rint(mean[..., -1] ** 2 / np.maximum(square[..., 0], 1e-300)), 1).astype(np.int64)
    return Model(
        jobs=jobs,
        n_waiting=np.bincount(row, minlength=len(jobs)),
        alike=alike,
        chance=np.minimum(mean / alike[..., None], 0.98),
        frailty_shape=shape + hired[jobs].astype(np.float64),
        frailty_scale=1 / (shape + expected[jobs]),
        age=history.until - history.opened[jobs],
        is_closed=history.closed[jobs] <= history.until,
        days_since_hire=_days_since_hire(history)[jobs],
        closing=_closing(history),
        after_closing=_after_closing(history, pooled),
    )


def forecast(model: Model, calibration: Calibration, draws: int, cells: int = MOST_CELLS) -> Forecast:
    """Draw the hires of those who wait."""
    random = np.random.default_rng(SEED)
    jobs = len(model.jobs)
    n = int(np.clip(cells // max(jobs, 1), min(FEWEST_DRAWS, draws), draws))
    frailty = random.gamma(model.frailty_shape, model.frailty_scale, size=(n, jobs))
    spread = np.interp(STEPS, HORIZONS, np.sqrt(np.log1p(np.array(calibration.variance))))
    level = np.interp(STEPS, HORIZONS, calibration.level)
    unsure = np.minimum(np.sqrt(TIMES_FREEDOM / random.chisquare(TIMES_FREEDOM, n)), MOST_SPREAD)
    spread = np.outer(unsure, spread)
    times = level * np.exp(random.standard_normal(n)[:, None] * spread - spread**2 / 2)
    which = np.arange(n) % WEIGHTINGS
    left = model.alike[which]
    closed = np.broadcast_to(model.is_closed, left.shape)
    since = np.broadcast_to(model.days_since_hire, left.shape)
    so_far, before = np.zeros_like(left), np.zeros(left.shape)
    by_job = np.zeros((n, jobs, len(HORIZONS)), dtype=np.int64)
    stays_out = np.ascontiguousarray(np.moveaxis(np.log1p(-model.chance), 2, 0))
    closes = -np.expm1(-model.closing * STEP)
    for step, days in enumerate(STEPS):
        until = -np.expm1(frailty * times[:, step, None] * stays_out[step, which])
        until = np.minimum(until, 0.999)
        now = np.clip((until - before) / (1 - before), 0, 1) * np.where(closed, model.after_closing, 1)
        came = random.binomial(left, now)
        left, so_far, before = left - came, so_far + came, np.maximum(before, until)
        since = np.where(came > 0, 0, since + STEP)
        kind = np.where(since < NEW_DAYS, NEW_HIRE, np.where(np.isinf(since), NO_HIRE, OLD_HIRE))
        chance = closes[kind, np.searchsorted(JOB_AGES, model.age + days, side="right")]
        closed = closed | (random.random(left.shape) < chance)
        if step in AT_HORIZON:
            by_job[:, :, AT_HORIZON.index(step)] = so_far
    return Forecast(by_job.sum(axis=1), model.jobs, model.n_waiting, by_job)


def _days_since_hire(history: History) -> Floats:
    """For each job, since its last hire; infinite without one."""
    hires = (history.exit == HIRED) & (history.end <= history.until)
    last = np.full(history.n_jobs, -np.inf)
    np.maximum.at(last, history.job[hires], history.end[hires])
    return np.asarray(history.until - last)


def _past(history: History, pooled: Floats) -> tuple[Floats, Ints]:
    """For each job, the hires that its applications would have had as those of all jobs do, and the hires they had."""
    order = np.lexsort((history.start, history.application))
    first = order[np.unique(history.application[order], return_index=True)[1]]
    first = first[history.is_timed[first] & (history.end[first] > 0)]
    begin = np.maximum(history.start[first], 0)
    closing = np.minimum(history.closed[history.job[first]] + 1, history.until)
    followed = np.clip(closing - begin, 0, LONGEST)
    grid = np.arange(GRID, LONGEST + 1, GRID)
    chance = chances(pooled, grid)[0]
    chance = np.concatenate([np.zeros_like(chance[..., :1]), chance], axis=-1)
    lower = np.minimum((followed // GRID).astype(np.int64), len(grid) - 1)
    share = followed / GRID - lower
    age = shown_age(begin - history.start[first])
    milestone = history.milestone[first]
    value = chance[milestone, age, lower] * (1 - share) + chance[milestone, age, lower + 1] * share
    expected = np.bincount(history.job[first], weights=value, minlength=history.n_jobs)
    counted = np.zeros(int(history.application.max(initial=-1)) + 1, dtype=bool)
    counted[history.application[first]] = True
    hires = (history.exit == HIRED) & (history.end <= history.closed[history.job] + 1) & counted[history.application]
    return expected.astype(np.float64), np.bincount(
        history.job[hires & (history.end > 0)], minlength=history.n_jobs
    ).astype(np.int64)


def _frailty_variance(expected: Floats, hired: Ints) -> float:
    excess = float(((hired - expected) ** 2 - expected).sum()) + FRAILTY_WEIGHT * FRAILTY_VARIANCE
    return float(np.clip(excess / (float((expected**2).sum()) + FRAILTY_WEIGHT), 0.02, 2))


def _closing(history: History) -> Floats:
    """Daily hazards of closing, by NO_HIRE, NEW_HIRE or OLD_HIRE, and by the job's age."""
    hires = np.flatnonzero((history.exit == HIRED) & (history.end <= history.until))
    hires = hires[np.lexsort((history.end[hires], history.job[hires]))]
    job, at = history.job[hires], history.end[hires]
    until = np.full(len(at), np.inf)
    until[:-1] = np.where(job[1:] == job[:-1], at[1:], np.inf)
    is_new = np.minimum(at + NEW_DAYS, until)
    first = np.full(history.n_jobs, np.inf)
    np.minimum.at(first, job, at)
    kind = np.repeat([NO_HIRE, NEW_HIRE, OLD_HIRE], [history.n_jobs, len(job), len(job)])
    owner = np.concatenate([np.arange(history.n_jobs), job, job])
    begins = np.concatenate([np.full(history.n_jobs, -np.inf), at, is_new])
    ends = np.concatenate([first, is_new, until])
    opened, closed = history.opened[owner], history.closed[owner]
    seen, last = np.maximum(opened, 0), np.minimum(closed, history.until)
    edges = np.concatenate([[-np.inf], JOB_AGES, [np.inf]])
    at_risk, closings = np.zeros((KINDS, len(edges) - 1)), np.zeros((KINDS, len(edges) - 1))
    for place in range(len(edges) - 1):
        low = np.maximum(np.maximum(begins, opened + edges[place]), seen)
        high = np.minimum(ends, opened + edges[place + 1])
        days = np.maximum(np.minimum(high, last) - low, 0)
        is_closing = (closed > low) & (closed <= high) & (closed <= history.until)
        at_risk[:, place] = np.bincount(kind, weights=days, minlength=KINDS)
        closings[:, place] = np.bincount(kind[is_closing], minlength=KINDS)
    overall = (closings.sum() + 0.5) / (at_risk.sum() + 0.5 * 180)
    of_kind = (closings.sum(axis=1) + CLOSING_DAYS * overall) / (at_risk.sum(axis=1) + CLOSING_DAYS)
    return np.asarray((closings + CLOSING_DAYS * of_kind[:, None]) / (at_risk + CLOSING_DAYS))


def _after_closing(history: History, pooled: Floats) -> float:
    """Hires in closed jobs, by what would be expected of as many days if these jobs were open."""
    closing = history.closed[history.job] + 1
    days = np.maximum(history.end - np.maximum(np.maximum(history.start, closing), 0), 0)
    stays = np.flatnonzero((days > 0) & (history.end > closing))
    daily = pooled[0, :, :, HIRED].mean(axis=1)
    expected = float((days[stays] * daily[history.milestone[stays]]).sum())
    hired = int((history.exit[stays] == HIRED).sum())
    return float(np.clip((hired + AFTER_WEIGHT * AFTER_CLOSING) / (expected + AFTER_WEIGHT), 0, 1))
