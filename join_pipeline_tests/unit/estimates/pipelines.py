"""Small companies drawn at random, day by day, with what the forecast does not know: seasons, freezes, hires that close.

Belongs here: what truly happens, many companies at once, and the history that would be known of each. Not here: what is
forecast (join_pipeline/estimates), how often that holds (forecast_coverage).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from join_pipeline.estimates.pipeline_history import HIRED, OUT, STILL, History

AHEAD = 90


@dataclass(frozen=True)
class Law:
    """What companies are like. Each draws its own: a number is an upper end of what is drawn, or a mean."""

    days: int = 540
    jobs: float = 36
    applications: float = 60
    season: float = 0.4
    frailty: float = 0.4
    freezes: float = 0.25
    closes_by_hire: float = 0.8
    job_days: float = 150


@dataclass(frozen=True)
class Drawn:
    """A company as it is known on its last day, and for each horizon the hires of those who waited, by job."""

    history: History
    future: History


def draw(seed: int, companies: int, law: Law | None = None) -> Iterator[Drawn]:
    """Companies with jobs, applications and stays; days count from the first look at them."""
    law = law or Law()
    random = np.random.default_rng(seed)
    total = law.days + AHEAD
    first_look = random.uniform(0, law.days / 3, companies).round()
    n_jobs = np.maximum(random.poisson(law.jobs * random.lognormal(0, 0.5, companies)), 2)
    company_of_job = np.repeat(np.arange(companies), n_jobs)
    jobs = len(company_of_job)
    opened = random.uniform(-60, total, jobs)
    closes = opened + random.exponential(law.job_days, jobs)
    amplitude, phase = random.uniform(0, law.season, companies), random.uniform(0, 365, companies)
    freeze = np.where(random.random(companies) < law.freezes, random.uniform(0, total, companies), np.inf)
    is_frozen = random.random(jobs) < 0.5
    frailty_variance = random.uniform(0.01, law.frailty, companies)[company_of_job]
    frailty = random.gamma(1 / frailty_variance) * frailty_variance
    # arrivals: many at first, fewer later
    size = random.poisson(law.applications * random.gamma(2, 0.5, jobs))
    job = np.repeat(np.arange(jobs), size)
    company = company_of_job[job]
    arrival = opened[job] + random.exponential(50, len(job))
    forward = np.array([0.006, 0.02, 0.04]) * random.lognormal(0, 0.25, (companies, 3))
    out = np.array([0.022, 0.016, 0.012]) * random.lognormal(0, 0.25, (companies, 3))
    shape = random.uniform(0.7, 1.4, (companies, 3))

    closed = np.full(jobs, np.inf)
    state = np.full(len(job), STILL)
    entered = np.full(len(job), np.inf)
    order = np.argsort(arrival, kind="stable")
    rows: list[tuple[np.ndarray, ...]] = []
    running = np.zeros(0, dtype=np.int64)
    cursor = int(np.searchsorted(arrival[order], -60))
    by_hire = random.random(jobs) < law.closes_by_hire
    lag = random.exponential(10, jobs)
    leaves_open = random.uniform(0.1, 0.5, companies)
    for day in range(-60, total):
        freezing = (freeze[company_of_job] < day) & (freeze[company_of_job] >= day - 1) & is_frozen
        shut = ((closes < day) | freezing) & (closed > day) & (opened < day)
        closed[shut] = day - 0.5
        until = int(np.searchsorted(arrival[order], day + 1))
        new = order[cursor:until]
        cursor = until
        # nobody applies to a closed job
        new = new[closed[job[new]] > day]
        state[new], entered[new] = 0, arrival[new]
        running = np.concatenate([running, new])
        who = running[entered[running] < day]
        if not len(who):
            continue
        c, m = company[who], state[who]
        age = day - entered[who]
        season = 1 + amplitude[c] * np.sin(2 * np.pi * (day + phase[c]) / 365)
        is_closed = closed[job[who]] <= day
        just_closed = is_closed & (closed[job[who]] > day - 8)
        power = shape[c, m]
        grows = np.minimum(power * ((age + 0.5) / 15) ** (power - 1), 4)
        up = np.minimum(forward[c, m] * grows * season * frailty[job[who]] * np.where(is_closed, 0.05, 1), 0.6)
        down = np.minimum(out[c, m] * grows * np.where(just_closed, 6 * (1 - leaves_open[c]), 1), 0.39)
        luck = random.random(len(who))
        ends = luck < up + down
        moved = ends & (luck < up)
        at = day + random.random(len(who))
        end = np.where(moved, np.where(m == 2, HIRED, m + 1), OUT)
        done = who[ends]
        rows.append((done, m[ends], entered[done].copy(), at[ends], end[ends]))
        entered[done] = at[ends]
        hired = done[end[ends] == HIRED]
        closing = job[hired][by_hire[job[hired]]]
        closes[closing] = np.minimum(closes[closing], day + lag[closing])
        state[who[moved]] = m[moved] + 1
        gone = ends & ((end == OUT) | (end == HIRED))
        running = np.concatenate([who[~gone], running[entered[running] >= day]])
        running = np.unique(running)
        running = running[~np.isin(running, who[gone])]
    rows.append((running, state[running], entered[running], np.full(len(running), np.inf), np.full(len(running), STILL)))
    application, milestone, start, end_at, exit_ = (np.concatenate(column) for column in zip(*rows, strict=True))
    owner = company[application]
    for number in range(companies):
        jobs_here = np.flatnonzero(company_of_job == number)
        place = np.full(jobs, -1)
        place[jobs_here] = np.arange(len(jobs_here))
        mine = np.flatnonzero((owner == number) & (end_at > first_look[number]))
        whole = History(
            application=np.unique(application[mine], return_inverse=True)[1],
            job=place[job[application[mine]]],
            milestone=milestone[mine].astype(np.int64),
            start=start[mine] - first_look[number],
            end=end_at[mine] - first_look[number],
            exit=exit_[mine].astype(np.int64),
            is_waiting=np.isinf(end_at[mine]),
            is_timed=np.ones(len(mine), dtype=bool),
            opened=opened[jobs_here] - first_look[number],
            closed=closed[jobs_here] - first_look[number],
            until=total - first_look[number],
        )
        yield Drawn(whole.as_of(law.days - first_look[number]), whole)
