"""Rules that delete old applications, decided or not: each night by age, or all at once.

Belongs here: which application a rule deletes, and when. Not here: candidates who withdraw (journeys).
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from join_pipeline.sandbox.arrivals import Arrivals
from join_pipeline.sandbox.draws import Ints
from join_pipeline.sandbox.instants import DAY, HOUR, NEVER, SECOND, from_datetime
from join_pipeline.sandbox.journeys import DELETED, Log, concatenate

_NIGHT = 2 * HOUR
_CALLS_A_SECOND = 20


@dataclass(frozen=True, kw_only=True)
class Purge:
    """Applications older than `days` go: each night from `begins` on, or, if it `is_once`, at that instant only."""

    days: float
    begins: datetime
    is_once: bool = False

    def __post_init__(self) -> None:
        if self.days <= 0:
            raise ValueError(f"a purge needs an age above 0, not {self.days} days")
        if self.begins.tzinfo is None:
            raise ValueError("the beginning of a purge needs a time zone")

    def moments(self, created: Ints) -> Ints:
        """When each application goes; NEVER for those that it spares."""
        begins = from_datetime(self.begins)
        due = created + int(self.days * DAY)
        # one call deletes one application, so they go one after the other
        delay = np.arange(len(created)) * SECOND // _CALLS_A_SECOND
        if self.is_once:
            return np.where(due <= begins, begins + delay, NEVER)
        nights = -(-(np.maximum(due, begins) - _NIGHT) // DAY) * DAY + _NIGHT
        return nights + delay % HOUR


def purged(log: Log, arrivals: Arrivals, purge: Purge) -> Log:
    """The journeys until the rule deletes them; in no order."""
    moments = purge.moments(arrivals.created)
    log = log.take(np.lexsort((log.at, log.application)))
    kept = log.take(log.at < moments[log.application])
    is_last = np.append(kept.application[1:] != kept.application[:-1], True) if len(kept) else np.zeros(0, np.bool_)
    last = kept.take(is_last)
    goes = last.take((last.after & DELETED == 0) & (moments[last.application] < NEVER))
    ends = Log(moments[goes.application], goes.application, goes.after, goes.after | DELETED)
    return concatenate([kept, ends])
