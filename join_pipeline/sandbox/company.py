"""The company: a pure function of a seed and a size, with its whole timeline.

Belongs here: putting the parts of the timeline together. Not here: the state at an instant (state), payloads.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from join_pipeline.sandbox.arrivals import Arrivals, make_arrivals
from join_pipeline.sandbox.candidates import People, make_people, make_touches
from join_pipeline.sandbox.config import DEFAULT_NOW
from join_pipeline.sandbox.draws import Dice, Ints
from join_pipeline.sandbox.instants import NEVER, from_datetime
from join_pipeline.sandbox.jobs import FEWEST_JOBS, Drafts, Jobs, make_jobs
from join_pipeline.sandbox.journeys import DELETED, Log, concatenate, make_journeys
from join_pipeline.sandbox.purges import Purge, purged

BEGIN: Final = datetime(2024, 12, 1, tzinfo=UTC)
END: Final = datetime(
    2028, 1, 1, tzinfo=UTC
)  # 19 months after DEFAULT_NOW: nobody applies any more, the last are decided
_APPLICATIONS_PER_JOB: Final = 40


@dataclass(frozen=True)
class Company:
    """The whole timeline. `log` holds every change of every application in order of time; `gone` their deletions."""

    seed: int
    jobs: Jobs
    arrivals: Arrivals
    people: People
    log: Log
    gone: Ints

    @property
    def n_applications(self) -> int:
        return len(self.arrivals.created)


def make_company(
    seed: int,
    applications: int,
    n_jobs: int | None = None,
    *,
    purge: Purge | None = None,
    drafts: Drafts = Drafts(),  # noqa: B008 - it can't be changed
) -> Company:
    """The company in which `applications` were created up to DEFAULT_NOW; equal arguments give equal companies."""
    begin, anchor, end = from_datetime(BEGIN), from_datetime(DEFAULT_NOW), from_datetime(END)
    if n_jobs is None:
        share = (end - begin) / (anchor - begin)
        n_jobs = max(FEWEST_JOBS, round(applications * share / _APPLICATIONS_PER_JOB)) if applications else 0
    jobs = make_jobs(Dice(seed, 1), n_jobs, begin, end, drafts)
    arrivals = make_arrivals(Dice(seed, 2), jobs, applications, begin, anchor, end)
    journeys = make_journeys(Dice(seed, 3), jobs, arrivals)
    if purge:
        journeys = purged(journeys, arrivals, purge)
    gone = np.full(len(arrivals.created), NEVER)
    is_deletion = (journeys.after & DELETED != 0) & (journeys.before & DELETED == 0)
    gone[journeys.application[is_deletion]] = journeys.at[is_deletion]
    people = make_people(Dice(seed, 4), arrivals, gone)
    log = concatenate([journeys, make_touches(people, arrivals, gone)])
    return Company(seed, jobs, arrivals, people, log.take(np.argsort(log.at, kind="stable")), gone)
