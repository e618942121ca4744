"""Turnbull's estimate: how often each end comes about until a day, if each end is known by an interval of days only.

It is the non-parametric maximum likelihood estimate of interval-censored data (Turnbull 1976), by cause where ends
compete (Hudgens, Satten and Longini 2001). An end of cause j in (left, right] came about on one of the days left + 1 to
right; one that is censored at left had no end until then.

Belongs here: the estimate, and the cells on which it can lie. Not here: which applications are in it (dbt_project).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

CENSORED: Final = -1
TOLERANCE: Final = 1e-6
"""The estimate stops where no other one can raise the log-likelihood by more than this per person."""
MOST_STEPS: Final = 6_000
"""Of a million applications with syncs a month apart it then lies within .0001 of the limit, and took a second."""
LEAST_SHRINK: Final = 0.01
"""An accelerated step leaves a cell at least this share of its mass, since a cell with none can never get any."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Cells (left, right], each of a cause, and their mass. Within a cell, the data do not say on which day it lies."""

    cause: Whole
    left: Whole
    right: Whole
    mass: Real
    steps: int
    gap: float
    """By how much per person the log-likelihood could still rise, at most."""

    def by_day(self, causes: int, days: Whole) -> tuple[Real, Real, Real]:
        """The incidence of each cause until the end of each day: at least, evenly over each cell, at most."""
        shape = (causes, len(days))
        least, even, most = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for cause in range(causes):
            is_its = self.cause == cause
            left, right, mass = self.left[is_its], self.right[is_its], self.mass[is_its]
            least[cause] = _until(days, right, mass)
            most[cause] = _until(days, left + 1, mass)
            # cells of one cause do not overlap: each day lies within one of them at most
            place = np.searchsorted(left, days, side="left") - 1
            within = (place >= 0) & (days < right[place]) if len(left) else np.zeros(len(days), bool)
            part = np.zeros(len(days))
            at = place[within]
            part[within] = mass[at] * (days[within] - left[at]) / (right[at] - left[at])
            even[cause] = least[cause] + part
        return least, even, most


def estimate(
    cause: Whole, left: Whole, right: Whole, n: Real, tolerance: float = TOLERANCE, most_steps: int = MOST_STEPS
) -> Estimate:
    """The estimate from `n` persons with each cause and interval; the cause of who is censored is `CENSORED`."""
    is_end = cause != CENSORED
    if not is_end.any():
        none = np.zeros(0, np.int64)
        return Estimate(none, none, none, np.zeros(0), 0, 0.0)
    cells = _cells(cause, left, right)
    begins, ends, weight, tail = _sets(cells, cause, left, right, n)
    mass, steps, gap = _maximise(begins, ends, weight, len(cells[0]) + tail, tolerance, most_steps)
    return Estimate(*cells, mass[: len(cells[0])], steps, gap)


def curves(intervals: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of int_turnbull_curve from those of int_turnbull_interval, which are numpy arrays of the same length.

    A day is in it if at least `least_persons` have come to the end since the day before it that is. Where `is_summed`,
    the causes are told together, as the first of them.
    """
    number = np.asarray(intervals["curve_number"], np.int64)
    told: list[tuple[Whole, Real]] = []
    for curve in np.unique(number):
        cause, left, right, n, last, least_persons = (
            np.asarray(intervals[name])[number == curve]
            for name in ("cause", "left_day", "right_day", "n_persons", "ends_at_day", "least_persons")
        )
        estimated = estimate(
            cause.astype(np.int64), left.astype(np.int64), right.astype(np.int64), n.astype(np.float64)
        )
        days = np.arange(1, int(last[0]) + 1, dtype=np.int64)
        summed = bool(np.asarray(intervals["is_summed"])[number == curve][0])
        shares = [band.sum(axis=0)[None] if summed else band for band in estimated.by_day(int(cause.max()) + 1, days)]
        for one, (least, even, most) in enumerate(zip(*shares, strict=True)):
            at = _thinned(even * float(n.sum()), float(least_persons[0]))
            keys = np.stack([np.full(len(at), curve), np.full(len(at), one), days[at]], axis=1)
            told.append((keys, np.stack([least[at], even[at], most[at]], axis=1)))
    keys = np.concatenate([np.zeros((0, 3), np.int64), *(keys for keys, _ in told)])
    bands = np.concatenate([np.zeros((0, 3)), *(band for _, band in told)])
    whole = {name: keys[:, place].astype(np.int32) for place, name in enumerate(("curve_number", "cause", "day"))}
    names = ("incidence_least", "incidence", "incidence_most")
    # the sum of all masses can be a rounding above 1
    return whole | {name: np.minimum(bands[:, place], 1.0) for place, name in enumerate(names)}


def _thinned(persons: Real, least: float) -> Whole:
    """The places of a rising number of persons at which it has risen by at least so many since the place before."""
    kept, before = [], 0.0
    for place, now in enumerate(persons.tolist()):
        if now - before >= least - 1e-6:
            kept.append(place)
            before = now
    return np.array(kept, np.int64)


def _until(days: Whole, comes: Whole, mass: Real) -> Real:
    """The mass that has come about by the end of each day; `comes` is in order."""
    return np.concatenate([[0.0], np.cumsum(mass)])[np.searchsorted(comes, days, side="right")]


def _cells(cause: Whole, left: Whole, right: Whole) -> tuple[Whole, Whole, Whole]:
    """Where the mass can lie: from a left end to the next right end, without another end between them.

    Who is censored may still come to each end, so a censoring is a left end of each cause.
    """
    found: list[tuple[Whole, Whole, Whole]] = []
    for one in np.unique(cause[cause != CENSORED]):
        lefts = np.unique(left[(cause == one) | (cause == CENSORED)])
        rights = np.unique(right[cause == one])
        # the first right end after each left end; the last left end before each of these
        after = np.searchsorted(rights, lefts, side="right")
        has = after < len(rights)
        nearest = rights[after[has]]
        is_last = np.append(nearest[1:] != nearest[:-1], True)
        begin, end = lefts[has][is_last], nearest[is_last]
        found.append((np.full(len(begin), one, np.int64), begin, end))
    causes, begins, ends = zip(*found, strict=True)
    return np.concatenate(causes), np.concatenate(begins), np.concatenate(ends)


def _sets(
    cells: tuple[Whole, Whole, Whole], cause: Whole, left: Whole, right: Whole, n: Real
) -> tuple[list[Whole], list[Whole], Real, int]:
    """Each person's cells, as one run of cells per cause: where it begins and ends, and how many persons have them.

    Behind the cells of all causes lies one more, if nobody's end has to be looked for after the last censoring: those
    who never come to an end that was seen.
    """
    of, begin, end = cells
    last = left[cause == CENSORED].max(initial=0)
    tail = int((cause == CENSORED).any() and not (begin >= last).any())
    runs_begin: list[Whole] = []
    runs_end: list[Whole] = []
    for one in np.unique(of):
        first = int(np.searchsorted(of, one))
        its_begin, its_end = begin[of == one], end[of == one]
        concerns = (cause == one) | (cause == CENSORED)
        low = first + np.searchsorted(its_begin, left, side="left")
        high = first + np.where(cause == one, np.searchsorted(its_end, right, side="right"), len(its_begin))
        runs_begin.append(np.where(concerns, low, 0))
        runs_end.append(np.where(concerns, high, 0))
    if tail:
        is_censored = cause == CENSORED
        runs_begin.append(np.where(is_censored, len(of), 0))
        runs_end.append(np.where(is_censored, len(of) + 1, 0))
    rows = np.stack([*runs_begin, *runs_end], axis=1)
    kept, place = np.unique(rows, axis=0, return_inverse=True)
    weight = np.bincount(place.ravel(), weights=n, minlength=len(kept)).astype(np.float64)
    half = kept.shape[1] // 2
    return [*kept[:, :half].T], [*kept[:, half:].T], weight, tail


def _maximise(
    begins: list[Whole], ends: list[Whole], weight: Real, n_cells: int, tolerance: float, most_steps: int
) -> tuple[Real, int, float]:
    """Self-consistent masses: EM steps, of which each third is taken farther along the way of the two before it.

    The log-likelihood is concave, so its rise is at most (greatest gradient - 1) per person, which is 0 at its maximum
    (the squared extrapolation is that of Varadhan and Roland 2008).
    """
    total = float(weight.sum())

    def stepped(mass: Real) -> tuple[Real, float, float]:
        """One EM step, the log-likelihood before it, and by how much it could rise."""
        summed = np.concatenate([[0.0], np.cumsum(mass)])
        covered = np.zeros(len(weight))
        for begin, end in zip(begins, ends, strict=True):
            covered += summed[end] - summed[begin]
        covered = np.maximum(covered, 1e-300)
        each = weight / covered
        change = np.zeros(n_cells + 1)
        for begin, end in zip(begins, ends, strict=True):
            change += np.bincount(begin, weights=each, minlength=n_cells + 1)
            change -= np.bincount(end, weights=each, minlength=n_cells + 1)
        gradient = np.cumsum(change)[:-1] / total
        after = np.maximum(mass * gradient, 0.0)
        return after / after.sum(), float(weight @ np.log(covered)), float(gradient.max() - 1)

    mass = np.full(n_cells, 1 / n_cells)
    steps, gap = 0, np.inf
    while steps < most_steps:
        first, _, gap = stepped(mass)
        if gap <= tolerance:
            break
        second, before, _ = stepped(first)
        way, bend = first - mass, second - 2 * first + mass
        length = float(np.linalg.norm(bend))
        far = max(float(np.linalg.norm(way)) / length, 1.0) if length > 0 else 1.0
        tried = np.maximum(mass + 2 * far * way + far**2 * bend, LEAST_SHRINK * second)
        tried /= tried.sum()
        onward, likelihood, _ = stepped(tried)
        mass = onward if likelihood >= before else second
        steps += 3
    return mass, steps, gap
