"""The journey of each application: moves, rejections, hires, withdrawals, as one log in order of time.

A code has an application's whole place: the position of its stage in the job's pipeline, and two flags.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.sandbox.arrivals import Arrivals
from join_pipeline.sandbox.draws import Bools, Dice, Floats, Ints
from join_pipeline.sandbox.instants import NEVER, SECOND
from join_pipeline.sandbox.jobs import Jobs
from join_pipeline.sandbox.vocabulary.forms import SOURCES

POSITION: Final = 0b0111
REJECTED: Final = 0b0100_0000
DELETED: Final = 0b1000_0000
ABSENT: Final = 0b1111_1111  # before its creation

_MOST_STEPS: Final = 40
_PENDING, _DECLINED, _TAKEN = range(3)


@dataclass(frozen=True)
class Log:
    """Changes in order of time. `before` and `after` are codes; if they are equal, something else has changed."""

    at: Ints
    application: Ints
    before: Ints
    after: Ints

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: Ints | Bools | slice) -> "Log":
        return Log(self.at[rows], self.application[rows], self.before[rows], self.after[rows])


def concatenate(logs: list[Log]) -> Log:
    return Log(
        *(np.concatenate([getattr(log, name) for log in logs]) for name in ("at", "application", "before", "after"))
    )


def make_journeys(dice: Dice, jobs: Jobs, arrivals: Arrivals) -> Log:
    """Every change of place from the creation on, by application and then by time."""
    n = len(arrivals.created)
    quality = (
        np.array([source.quality for source in SOURCES])[arrivals.source]
        * dice.around(1.0, 0.35, len(jobs))[arrivals.job]
        * dice.around(1.0, 0.5, n)
    )
    hurry = dice.around(1.0, 0.3, len(jobs))[arrivals.job]  # some teams are slow
    offer = jobs.n_custom[arrivals.job] + 1

    walking = np.arange(n, dtype=np.int32)
    at, code = arrivals.created.copy(), np.zeros(n, np.uint8)
    logs = [Log(arrivals.created, walking, np.full(n, ABSENT, np.uint8), code.copy())]
    for _ in range(_MOST_STEPS):
        if not len(walking):
            break
        moment, after, goes_on = _step(
            dice, at[walking], code[walking], quality[walking], hurry[walking], offer[walking]
        )
        moves = after != code[walking]
        rows = walking[moves]
        logs.append(Log(moment[moves], rows, code[rows], after[moves]))
        at[rows], code[rows] = moment[moves], after[moves]
        walking = walking[goes_on]
    log = concatenate(logs)
    log = log.take(np.lexsort((log.at, log.application)))
    return _close_with_job(dice, jobs, arrivals, log)


def _step(dice: Dice, at: Ints, code: Ints, quality: Floats, hurry: Floats, offer: Ints) -> tuple[Ints, Ints, Bools]:
    """The next change of each: when, to which code, and whether more may come. An equal code is the end."""
    n = len(at)
    position = code.astype(np.int64) & POSITION
    mode = np.where(code & REJECTED, _DECLINED, np.where(position == offer + 1, _TAKEN, _PENDING))
    is_first, is_offer = position == 0, position == offer
    u = dice.uniform(n)

    advance = np.select([is_first, is_offer], [0.20 * quality, 0.70 * quality**0.1], 0.48 * quality**0.3)
    advance = np.minimum(advance, 0.9)
    rest = 1 - advance
    shares = np.select([is_first, is_offer], [np.array([[0.08], [0.30], [0.0]]), np.array([[0.30], [0.05], [0.12]])],
                       np.array([[0.13], [0.14], [0.08]]))  # fmt: skip
    withdraw, stall, back = advance + np.cumsum(shares * rest, axis=0)

    is_skip = dice.chance(0.05, n)
    ahead = np.minimum(position + np.where(is_skip & ~is_offer, 2, 1), offer + 1)
    pending = np.select(
        [u < advance, u < withdraw, u < stall, u < back],
        [ahead, code | DELETED, code, np.maximum(position - 1, 0)],
        code | REJECTED,
    )
    declined = np.select([u < 0.035, u < 0.06], [position, code | DELETED], code)
    taken = np.select([u < 0.015, u < 0.03], [position - 1, code | DELETED], code)
    after = np.choose(mode, [pending, declined, taken]).astype(np.uint8)

    median = np.select([mode == _DECLINED, mode == _TAKEN, is_first, is_offer], [6.0, 12.0, 4.4, 7.0], 7.4) * hurry
    # candidates ask for deletion long after a decision
    median = np.where((mode != _PENDING) & (after & DELETED != 0), 60.0, median)
    wait = dice.days(median, 0.85, n)
    is_own_doing = (after & DELETED) != 0
    moment = np.where(is_own_doing, dice.at_home(at + wait, at), dice.in_office(at + wait, at))
    return moment, after, (after != code) & ~is_own_doing


def _close_with_job(dice: Dice, jobs: Jobs, arrivals: Arrivals, log: Log) -> Log:
    """If archiving a job rejects its undecided applications, replace their later changes by that rejection."""
    closes = np.where(jobs.rejects_rest, jobs.archived, NEVER)[arrivals.job][log.application]
    is_before = log.at < closes
    is_last = np.append((log.application[1:] != log.application[:-1]) | ~is_before[1:], True) if len(log) else is_before
    hired = (jobs.n_custom + 2)[arrivals.job][log.application]
    is_undecided = (log.after < hired) & is_before & is_last & (closes < NEVER)
    left = log.take(is_undecided)
    is_cut = np.zeros(len(arrivals.created), np.bool_)
    is_cut[left.application] = True
    kept = log.take(is_before | ~is_cut[log.application])
    # one click rejects them all, one after the other
    moment = closes[is_undecided] + 1 + (dice.uniform(len(left)) * 90 * SECOND).astype(np.int64)
    return concatenate([kept, Log(moment, left.application, left.after, left.after | REJECTED)])
