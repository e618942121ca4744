"""Forecasts as a table: what dbt's Python model asks for, from the columns of its tables to the columns of its own.

Belongs here: names and kinds of columns. Not here: what is forecast (forecast, backtest), what is hidden (dbt_project).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from join_pipeline.estimates.backtest import backtest, intervals
from join_pipeline.estimates.forecast import HORIZONS, MOST_DRAWS, fit, forecast
from join_pipeline.estimates.pipeline_history import HIRED, History

Columns = Mapping[str, NDArray[Any]]

OVERALL: Final = -1
"""The job's number in rows of all jobs."""
UNKNOWN: Final = -1
"""Hires that have yet to come."""
TYPES: Final = {
    "origin_days": np.float64,
    "horizon_days": np.int64,
    "job_number": np.int64,
    "n_waiting": np.int64,
    "n_hires_before": np.int64,
    "hires_expected": np.float64,
    "chance_of_a_hire": np.float64,
    "hires_low_80": np.int64,
    "hires_high_80": np.int64,
    "hires_low_95": np.int64,
    "hires_high_95": np.int64,
    "n_hired": np.int64,
}


def told(stays: Columns, jobs: Columns, follow_up: Columns) -> dict[str, NDArray[Any]]:
    """Past forecasts, and the one from the end of follow-up on; that also of each job in which somebody waits."""
    rows: list[tuple[float, ...]] = []
    until = _days(follow_up)
    if until > 0 and len(stays["job_number"]):
        history = _history(stays, jobs, until)
        hired_at = np.sort(history.end[(history.exit == HIRED) & (history.end > 0)])
        past, calibration = backtest(history)
        for one in past:
            before = int(np.searchsorted(hired_at, one.day, side="right"))
            numbers = (one.n_waiting, before, one.expected, one.chance, *_flat(zip(one.low, one.high, strict=True)))
            rows.append((one.day, one.horizon, OVERALL, *numbers, one.hired))
        drawn = forecast(fit(history), calibration, MOST_DRAWS)
        scopes = [(OVERALL, int(drawn.n_waiting.sum()), drawn.total)]
        scopes += [
            (int(job), int(drawn.n_waiting[place]), drawn.by_job[:, place]) for place, job in enumerate(drawn.jobs)
        ]
        for job, n_waiting, draws in scopes:
            for place, horizon in enumerate(HORIZONS):
                hires = draws[:, place]
                numbers = (n_waiting, len(hired_at), hires.mean(), (hires > 0).mean(), *_flat(intervals(hires)))
                rows.append((until, horizon, job, *numbers, UNKNOWN))
    columns = zip(*rows, strict=True) if rows else ([] for _ in TYPES)
    return {name: np.array(column, dtype=kind) for (name, kind), column in zip(TYPES.items(), columns, strict=True)}


def _flat(ends: Iterable[tuple[int, int]]) -> list[int]:
    return [end for pair in ends for end in pair]


def _days(follow_up: Columns) -> float:
    """From the first look to the end of follow-up; 0 where there is none."""
    ends = [np.ma.asarray(follow_up[name]) for name in ("followed_from", "followed_until")]
    if any(len(end) == 0 or np.ma.getmaskarray(end)[0] for end in ends):
        return 0.0
    first, last = (end[0] for end in ends)
    return float((last - first) / np.timedelta64(1, "D"))


def _history(stays: Columns, jobs: Columns, until: float) -> History:
    lasting = np.asarray(stays["end_days"], dtype=np.float64)
    return History(
        application=np.asarray(stays["application_number"], dtype=np.int64),
        job=np.asarray(stays["job_number"], dtype=np.int64),
        milestone=np.asarray(stays["milestone_number"], dtype=np.int64),
        start=np.asarray(stays["start_days"], dtype=np.float64),
        end=lasting,
        exit=np.asarray(stays["exit_number"], dtype=np.int64),
        is_waiting=np.isinf(lasting),
        is_timed=np.asarray(stays["is_timed"], dtype=bool),
        opened=np.asarray(jobs["opened_days"], dtype=np.float64),
        closed=np.asarray(jobs["closed_days"], dtype=np.float64),
        until=until,
    ).as_of(until)
