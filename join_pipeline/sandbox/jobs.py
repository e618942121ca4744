"""The timeline of every job: drafted, published, paused, retitled, taken offline, archived; and its popularity.

Belongs here: when jobs change, as columns. Not here: a job's title or salary (postings draws them on request).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.sandbox.draws import Bools, Dice, Floats, Ints
from join_pipeline.sandbox.instants import DAY, NEVER
from join_pipeline.sandbox.vocabulary.work import FAMILIES, MOST_CUSTOM_STAGES

# Kinds of job events, in the order of those at the same instant.
DRAFTED, PUBLISHED, OFFLINE, ARCHIVED, RETITLED, REPRICED, DISCARDED = range(7)
STATUS_OF: Final = {DRAFTED: "DRAFT", PUBLISHED: "ONLINE", OFFLINE: "OFFLINE", ARCHIVED: "ARCHIVED"}

# Some jobs are older than the first day and still open then, so that arrivals start at their usual pace.
_LEAD: Final = 45 * DAY
FEWEST_JOBS: Final = 24  # unless fewer are set, so that people always apply to a small company, too


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """How many jobs are drafts before they are published, and for how many days half of them are."""

    share: float = 0.3
    days: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.days <= 0:
            raise ValueError(f"drafts need a share between 0 and 1 and days above 0, not {self.share} and {self.days}")


@dataclass(frozen=True)
class Jobs:
    """Jobs by order of creation (job 0 has id 1) and everything that happens to them, in order of time."""

    family: Ints
    n_custom: Ints  # custom stages between Screening and Offer
    published: Ints  # NEVER for a draft that stays one
    archived: Ints
    window: Ints  # how long applications come in after publication
    weight: Floats  # share of all applications, not normed
    rejects_rest: Bools  # archiving the job rejects its undecided applications
    is_evergreen: Bools
    event_at: Ints
    event_job: Ints
    event_kind: Ints

    def __len__(self) -> int:
        return len(self.family)


def make_jobs(dice: Dice, n: int, start: int, end: int, drafts: Drafts) -> Jobs:
    """`n` jobs, published evenly between a while before `start` and `end`."""
    span = end - start + _LEAD
    per_job = span / max(n, 1)
    slot = (np.arange(n) + np.where(np.arange(n) > 0, dice.uniform(n), 0.0)) * per_job
    opened = slot.astype(np.int64) + start - _LEAD
    published = dice.in_office(opened, opened - DAY)
    is_draft_first = dice.chance(drafts.share, n)
    created = np.where(is_draft_first, published - dice.days(drafts.days, 0.8, n), published)
    order = np.argsort(created, kind="stable")
    created, published, is_draft_first = created[order], published[order], is_draft_first[order]

    is_abandoned = is_draft_first & dice.chance(0.2, n) & (n >= FEWEST_JOBS)
    is_evergreen = dice.chance(0.04, n)
    window = np.where(is_evergreen, 450 * DAY, np.clip(dice.days(38.0, 0.5, n), 10 * DAY, 160 * DAY))
    window = np.maximum(window, int(1.2 * per_job))  # of few jobs, one at least is open at any time
    closed = dice.in_office(published + window, published)
    goes_offline = dice.chance(0.7, n)
    archived = np.where(goes_offline, dice.in_office(closed + dice.days(30.0, 0.6, n), closed), closed)
    archived = np.where(dice.chance(0.12, n), NEVER, archived)  # some are never tidied up
    published = np.where(is_abandoned, NEVER, published)

    moments, jobs, kinds = [], [], []

    def happens(kind: int, moment: Ints, to: Bools) -> None:
        rows = np.flatnonzero(to)
        moments.append(moment[rows])
        jobs.append(rows)
        kinds.append(np.full(len(rows), kind))

    def sometime() -> Ints:
        return dice.in_office(created + (dice.uniform(n) * window).astype(np.int64), created)

    lives = ~is_abandoned
    happens(DRAFTED, created, is_draft_first)
    happens(PUBLISHED, published, lives)
    is_paused = lives & goes_offline & dice.chance(0.1, n)
    paused = dice.in_office(created + window // 3 + 5 * DAY, created)
    resumed = dice.in_office(paused + dice.days(6.0, 0.5, n), paused)
    is_paused &= (paused > published) & (resumed < closed)
    happens(OFFLINE, paused, is_paused)
    happens(PUBLISHED, resumed, is_paused)
    happens(OFFLINE, closed, lives & goes_offline)
    happens(ARCHIVED, archived, lives & (archived < NEVER))
    happens(RETITLED, sometime(), lives & dice.chance(0.07, n))
    happens(REPRICED, sometime(), lives & dice.chance(0.09, n))
    happens(DISCARDED, dice.in_office(created + dice.days(20.0, 0.7, n), created), is_abandoned & dice.chance(0.6, n))

    event_at, event_job, event_kind = (np.concatenate(column).astype(np.int64) for column in (moments, jobs, kinds))
    in_time = np.lexsort((event_kind, event_job, event_at))
    return Jobs(
        family=dice.below(len(FAMILIES), n),
        n_custom=np.minimum(dice.pick(np.array([0.0, 3.0, 4.0, 2.0, 1.0]), n), MOST_CUSTOM_STAGES),
        published=published,
        archived=np.where(lives, archived, NEVER),
        window=window,
        # heavy-tailed: a tenth of the jobs draws nearly half of the applications
        weight=np.where(lives, dice.around(1.0, 1.1, n) * np.where(is_evergreen, 4.0, 1.0), 0.0),
        rejects_rest=dice.chance(0.35, n),
        is_evergreen=is_evergreen,
        event_at=event_at[in_time],
        event_job=event_job[in_time],
        event_kind=event_kind[in_time],
    )
