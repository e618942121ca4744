"""Semi-Markov hazards: the chance of each end of a stay, by days at the milestone, and what follows from them.

Belongs here: counting days at risk and ends, hazards with their uncertainty, and the chance to be hired within so many
days for whoever has been at a milestone for some. Not here: jobs that differ, closings, intervals (forecast).

Days are whole: an end on a stay's first day has the age 0. Only a job's time as open counts.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.estimates.pipeline_history import ENDS, HIRED, MILESTONES, STILL, Floats, History, Ints

AGES: Final = np.array([0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 56, 84, 126])
"""Within each of these ranges of days at a milestone, hazards are taken to be constant."""
OLDEST: Final = int(AGES[-1])
SHOWN_AGES: Final = np.array([*range(10), 11, 13, 16, 19, 24, 29, 35, 42, 50, 60, 72, 90, 110, OLDEST])
"""Whoever waits counts as if it had waited as long as the nearest of these."""
CLUSTERS: Final = 512
"""Jobs are drawn anew as wholes, since applications of one job are alike; more than so many are grouped."""
PRIOR_DAYS: Final = 20.0
"""Days at risk by which a range of ages leans on its milestone's own hazard."""


@dataclass(frozen=True, slots=True)
class Counts:
    """By cluster of jobs, milestone and range of ages: days at risk, and ends by their kind."""

    at_risk: Floats
    ends: Floats


def age_range(age: Ints) -> Ints:
    return np.searchsorted(AGES, age, side="right") - 1


def open_until(history: History) -> Floats:
    """For each stay, the day up to which its job is open: an end on the day of the closing is one of an open job."""
    return np.maximum(history.closed[history.job] + 1, history.opened[history.job])


def counts(history: History) -> Counts:
    """Counts while jobs were open, of stays of which it is known when they began."""
    clusters = min(CLUSTERS, max(history.n_jobs, 1))
    shape = (clusters, MILESTONES, OLDEST + 2)
    closing = open_until(history)
    begin = np.maximum(history.start, 0)
    stop = np.minimum(history.end, closing)
    is_end = (history.exit != STILL) & (history.end <= closing)
    ages_from = np.ceil(begin - history.start - 1e-9).astype(np.int64)
    ages_to = np.floor(np.maximum(stop - history.start, 0)).astype(np.int64) + is_end
    known = np.flatnonzero(history.is_timed & (stop >= begin) & (ages_to > ages_from))
    row = (history.job[known] % clusters) * MILESTONES + history.milestone[known]
    # beyond the oldest age all days are alike, so they are counted as days and not by age
    first = np.minimum(ages_from[known], OLDEST)
    last = np.minimum(ages_to[known], OLDEST)
    width = OLDEST + 2
    coming = np.bincount(row * width + first, minlength=clusters * MILESTONES * width)
    going = np.bincount(row * width + last, minlength=clusters * MILESTONES * width)
    daily = np.cumsum((coming - going).reshape(shape), axis=2)[:, :, :OLDEST]
    at_risk = np.zeros((clusters, MILESTONES, len(AGES)))
    at_risk[:, :, :-1] = np.add.reduceat(daily, AGES[:-1], axis=2)
    beyond = np.maximum(ages_to[known] - np.maximum(ages_from[known], OLDEST), 0)
    at_risk[:, :, -1] = np.bincount(row, weights=beyond, minlength=clusters * MILESTONES).reshape(clusters, MILESTONES)
    ended = is_end[known]
    range_ = age_range(np.maximum(ages_to[known][ended] - 1, 0))
    cell = (row[ended] * len(AGES) + range_) * ENDS + history.exit[known][ended]
    ends = np.bincount(cell, minlength=clusters * MILESTONES * len(AGES) * ENDS)
    return Counts(at_risk, ends.reshape(clusters, MILESTONES, len(AGES), ENDS).astype(np.float64))


def hazards(counted: Counts, weights: Floats) -> Floats:
    """Daily hazards for each row of weights of the clusters: by milestone, range of ages and end."""
    at_risk = np.tensordot(weights, counted.at_risk, axes=1)
    ends = np.tensordot(weights, counted.ends, axes=1)
    of_milestone = ends.sum(axis=2, keepdims=True) / np.maximum(at_risk.sum(axis=2), 1)[:, :, None, None]
    drawn: Floats = (ends + PRIOR_DAYS * of_milestone) / (at_risk[..., None] + PRIOR_DAYS)
    drawn /= np.maximum(drawn.sum(axis=-1, keepdims=True) / 0.98, 1)
    return drawn


def chances(hazard: Floats, days: Ints) -> Floats:
    """The chance to be hired within each number of days (ascending), by row of hazards, milestone and shown age."""
    rows, longest = len(hazard), int(days[-1])
    # the last age stands for all later ones
    by_age = age_range(np.minimum(np.arange(OLDEST + longest), OLDEST))
    leaves = np.log1p(-hazard.sum(axis=-1))[:, :, by_age]
    until = np.concatenate([np.zeros((rows, MILESTONES, 1)), np.cumsum(leaves, axis=2)], axis=2)
    hires = hazard[:, :, by_age, HIRED]
    moves = np.moveaxis(hazard[..., :MILESTONES], 3, 2)[..., by_age]
    fresh = _fresh(until, hires, moves, longest)
    # after a move on the s-th day, the rest of the days is spent from the beginning of the next milestone on
    left = days[None, :] - np.arange(1, longest + 1)[:, None]
    rest = np.where(left >= 0, fresh[:, :, np.maximum(left, 0)], 0).reshape(rows, MILESTONES * longest, len(days))
    ages = SHOWN_AGES[:, None] + np.arange(longest)
    still = np.exp(until[:, :, ages] - until[:, :, SHOWN_AGES, None])
    hired = np.cumsum(still * hires[:, :, ages], axis=3)[..., days - 1]
    moved = np.moveaxis(moves[..., ages], 2, 3) * still[:, :, :, None]
    chance = moved.reshape(rows, MILESTONES * len(SHOWN_AGES), MILESTONES * longest) @ rest
    return np.asarray(hired + chance.reshape(hired.shape))


def _fresh(until: Floats, hires: Floats, moves: Floats, longest: int) -> Floats:
    """The chance to be hired within 0, 1, … days, for whoever comes to a milestone."""
    still = np.exp(until[:, :, :longest])
    hired = np.cumsum(still * hires[:, :, :longest], axis=2)
    moved = moves[..., :longest] * still[:, :, None]
    fresh = np.zeros((len(until), MILESTONES, longest + 1))
    for day in range(1, longest + 1):
        rest = fresh[:, :, day - 1 :: -1].reshape(len(until), -1, 1)
        gone = moved[..., :day].reshape(len(until), MILESTONES, -1)
        fresh[:, :, day] = hired[:, :, day - 1] + (gone @ rest)[..., 0]
    return fresh


def shown_age(days: Floats) -> Ints:
    """The place in SHOWN_AGES that stands for each number of days."""
    middles = (SHOWN_AGES[1:] + SHOWN_AGES[:-1] + 1) / 2
    return np.searchsorted(middles, days, side="right")
