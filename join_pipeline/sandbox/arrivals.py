"""The arrivals: which candidate applies to which job, when and by which source, in order of creation."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.sandbox.draws import Dice, Ints
from join_pipeline.sandbox.instants import DAY
from join_pipeline.sandbox.jobs import Jobs
from join_pipeline.sandbox.vocabulary.forms import SOURCES

_RETURNING: Final = 0.11  # share of applications whose candidate is known from another job
_DUPLICATE: Final = 0.015  # share of candidates who are entered a second time under another address


@dataclass(frozen=True)
class Arrivals:
    """Applications by order of creation: application 0 has id 1, and so has candidate 0."""

    created: Ints
    job: Ints
    candidate: Ints
    source: Ints
    n_candidates: int
    twin: dict[int, int]  # candidate → the earlier candidate who is the same person


def make_arrivals(dice: Dice, jobs: Jobs, n: int, start: int, anchor: int, end: int) -> Arrivals:
    """Exactly `n` applications from `start` to `anchor`, and as many a day from there to `end`."""
    job, created = _moments(dice, jobs, n, start, anchor, end)
    candidate, n_candidates = _candidates(dice, job)
    twins = np.flatnonzero(dice.chance(_DUPLICATE, n_candidates))
    originals = (dice.uniform(len(twins)) * twins).astype(np.int64)
    return Arrivals(
        created=created,
        job=job,
        candidate=candidate,
        source=dice.pick(np.array([source.share for source in SOURCES]), len(job)),
        n_candidates=n_candidates,
        twin={int(a): int(b) for a, b in zip(twins, originals, strict=True) if b < a},
    )


def _moments(dice: Dice, jobs: Jobs, n: int, start: int, anchor: int, end: int) -> tuple[Ints, Ints]:
    """Jobs and instants, drawn in excess and thinned to the wanted number."""
    if n == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    n_later = n * (end - anchor) // (anchor - start)
    excess = 1.1
    while True:
        drawn = int(n * excess * (end - start) / (anchor - start)) + 100
        job = dice.pick(jobs.weight, drawn)
        # most apply in the first days; an evergreen job draws evenly
        share = np.where(jobs.is_evergreen[job], dice.uniform(drawn), 1 - dice.uniform(drawn) ** (1 / 2.2))
        day = jobs.published[job] + (share * jobs.window[job]).astype(np.int64)
        is_weekend = (day // DAY + 3) % 7 >= 5
        day += np.where(is_weekend & dice.chance(0.5, drawn), (2 + dice.below(4, drawn)) * DAY, 0)
        created = dice.at_home(day, jobs.published[job])
        in_time = np.flatnonzero((created >= start) & (created < end))
        before = np.flatnonzero(created[in_time] <= anchor)
        later = np.flatnonzero(created[in_time] > anchor)
        if len(before) >= n and len(later) >= n_later:
            break
        excess *= 1.5
    # the draws are in random order, so leaving some out favours no kind
    keep = np.ones(len(in_time), np.bool_)
    keep[before[n:]] = False
    keep[later[n_later:]] = False
    kept = in_time[keep]
    kept = kept[np.lexsort((job[kept], created[kept]))]
    return job[kept], created[kept]


def _candidates(dice: Dice, job: Ints) -> tuple[Ints, int]:
    """Let some applications come from the candidate of an earlier one, but never twice for one job."""
    n = len(job)
    own = np.arange(n)
    distance = np.minimum(dice.around(0.02, 1.2, n) * n, own).astype(np.int64)
    root = np.where(dice.chance(_RETURNING, n), own - distance, own)
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further
    order = np.lexsort((own, job, root))
    is_repeated = (np.diff(root[order], prepend=-1) == 0) & (np.diff(job[order], prepend=-1) == 0)
    root[order[is_repeated]] = order[is_repeated]
    roots, candidate = np.unique(root, return_inverse=True)
    return candidate.astype(np.int64), len(roots)
