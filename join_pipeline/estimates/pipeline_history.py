"""What is known of a pipeline's past: stays at milestones and jobs, as arrays, and the same as of an earlier day.

Belongs here: the shape of the input, and cutting it at a day. Not here: hazards (hazards), forecasts (forecast).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MILESTONES: Final = 3
"""SCREENING, INTERIM and OFFER, numbered from 0."""
HIRED: Final = 3
OUT: Final = 4
ENDS: Final = 5
"""How a stay ends: by a move to a milestone (its number), by a hire, or by declining and vanishing."""
STILL: Final = -1
"""A stay that no end is known of."""


@dataclass(frozen=True, slots=True)
class History:
    """Stays and jobs. Days count from the first look at the pipeline; `until` is the day up to which all is known.

    `job` numbers the jobs of the stays, in the order of `opened` and `closed` (infinite: not yet). A stay whose
    `is_timed` is false began at an unknown time before its `start`.
    """

    application: Ints
    job: Ints
    milestone: Ints
    start: Floats
    end: Floats
    exit: Ints
    is_waiting: Bools
    is_timed: Bools
    opened: Floats
    closed: Floats
    until: float

    @property
    def n_jobs(self) -> int:
        return len(self.opened)

    def as_of(self, day: float) -> "History":
        """The history as it was known on an earlier day: later stays are not there, and what ended later lasts."""
        kept = np.flatnonzero(self.start < day)
        end, lasts = self.end[kept], self.end[kept] > day
        return replace(
            self,
            application=self.application[kept],
            job=self.job[kept],
            milestone=self.milestone[kept],
            start=self.start[kept],
            end=np.minimum(end, day),
            exit=np.where(lasts, STILL, self.exit[kept]),
            is_waiting=lasts,
            is_timed=self.is_timed[kept],
            closed=np.where(self.closed <= day, self.closed, np.inf),
            until=day,
        )

    def hires_of(self, then: "History", days: float) -> Ints:
        """For each job, how many of those who waited on `then`'s last day were hired within so many days."""
        waited = np.zeros(int(self.application.max(initial=-1)) + 1, dtype=bool)
        waited[then.application[then.is_waiting]] = True
        is_hire = (self.exit == HIRED) & (self.end > then.until) & (self.end <= then.until + days)
        hires = np.flatnonzero(is_hire & waited[self.application])
        # a hire that was undone and made again is one
        _, firsts = np.unique(self.application[hires], return_index=True)
        return np.bincount(self.job[hires[firsts]], minlength=self.n_jobs)
