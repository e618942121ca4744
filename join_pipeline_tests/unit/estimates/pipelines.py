"""Small companies drawn at random, day by day, with what a forecast does not know: seasons, freezes, filled jobs.

Belongs here: what truly happens, many companies at once, and the history that would be known of each. Not here: what is
forecast (join_pipeline/estimates), how often that holds (forecast_coverage).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from join_pipeline.estimates.pipeline_history import HIRED, OUT, STILL, Floats, History, Ints

AHEAD = 90
BEFORE = 60
"""Jobs open, and applications come, from so many days before the first on."""
USUAL_DAYS = 15


@dataclass(frozen=True)
class Law:
    """What companies are like: numbers of days, of jobs and of applications to each, and what they are unlike in."""

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
    """A company as it is known on its last day, and as it is known when what was forecast has come or not."""

    history: History
    future: History


def draw(seed: int, companies: int, law: Law | None = None) -> Iterator[Drawn]:
    """Companies with jobs, applications and stays; days count from the first look at each."""
    law = law or Law()
    world = World(np.random.default_rng(seed), companies, law)
    for day in range(-BEFORE, law.days + AHEAD):
        world.close_jobs(day)
        world.live(day)
    yield from world.known()


@dataclass
class World:
    """All companies, one day after the other."""

    random: np.random.Generator
    companies: int
    law: Law
    rows: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        random, law, companies = self.random, self.law, self.companies
        total = law.days + AHEAD
        self.first_look = random.uniform(0, law.days / 3, companies).round()
        n_jobs = np.maximum(random.poisson(law.jobs * random.lognormal(0, 0.5, companies)), 2)
        self.company_of_job = np.repeat(np.arange(companies), n_jobs)
        jobs = len(self.company_of_job)
        self.opened = random.uniform(-BEFORE, total, jobs)
        self.closes = self.opened + random.exponential(law.job_days, jobs)
        self.closed = np.full(jobs, np.inf)
        self.closes_by_hire = random.random(jobs) < law.closes_by_hire
        self.days_to_close = random.exponential(10, jobs)
        self.season, self.phase = random.uniform(0, law.season, companies), random.uniform(0, 365, companies)
        freezes = np.where(random.random(companies) < law.freezes, random.uniform(0, total, companies), np.inf)
        self.freezes = np.where(random.random(jobs) < 0.5, freezes[self.company_of_job], np.inf)
        variance = random.uniform(0.01, law.frailty, companies)[self.company_of_job]
        self.frailty = random.gamma(1 / variance) * variance
        self.job = np.repeat(np.arange(jobs), random.poisson(law.applications * random.gamma(2, 0.5, jobs)))
        self.company = self.company_of_job[self.job]
        # many come at first, fewer later
        self.arrival = self.opened[self.job] + random.exponential(50, len(self.job))
        self.order = np.argsort(self.arrival, kind="stable")
        self.coming = int(np.searchsorted(self.arrival[self.order], -BEFORE))
        self.up = np.array([0.006, 0.02, 0.04]) * random.lognormal(0, 0.25, (companies, 3))
        self.down = np.array([0.022, 0.016, 0.012]) * random.lognormal(0, 0.25, (companies, 3))
        self.shape = random.uniform(0.7, 1.4, (companies, 3))
        self.left_behind = random.uniform(0.1, 0.5, companies)
        self.milestone = np.full(len(self.job), STILL)
        self.entered = np.full(len(self.job), np.inf)
        self.running = np.zeros(0, dtype=np.int64)

    def close_jobs(self, day: int) -> None:
        ends = (self.closes < day) | ((self.freezes < day) & (self.freezes >= day - 1))
        self.closed[ends & (self.closed > day) & (self.opened < day)] = day - 0.5

    def live(self, day: int) -> None:
        """Who is there has one day's luck; who comes begins. Nobody applies to a closed job."""
        until = int(np.searchsorted(self.arrival[self.order], day + 1))
        new = self.order[self.coming : until]
        self.coming = until
        new = new[self.closed[self.job[new]] > day]
        who = self.running
        up, down = self._chances(who, day)
        luck = self.random.random(len(who))
        is_up, is_end = luck < up, luck < up + down
        at = day + self.random.random(len(who))
        self._end(who[is_end], at[is_end], is_up[is_end])
        self.milestone[new], self.entered[new] = 0, self.arrival[new]
        is_gone = is_end & (~is_up | (self.milestone[who] == HIRED))
        self.running = np.concatenate([who[~is_gone], new])

    def _chances(self, who: Ints, day: int) -> tuple[Floats, Floats]:
        company, milestone, job = self.company[who], self.milestone[who], self.job[who]
        power = self.shape[company, milestone]
        # who came at noon can't leave before
        age = np.maximum(day - self.entered[who], 0)
        usual = np.minimum(power * ((age + 0.5) / USUAL_DAYS) ** (power - 1), 4)
        season = 1 + self.season[company] * np.sin(2 * np.pi * (day + self.phase[company]) / 365)
        closed = self.closed[job]
        up = self.up[company, milestone] * usual * season * self.frailty[job] * np.where(closed <= day, 0.05, 1)
        is_new = (closed <= day) & (closed > day - 8)
        down = self.down[company, milestone] * usual * np.where(is_new, 6 * (1 - self.left_behind[company]), 1)
        return np.minimum(up, 0.6), np.minimum(down, 0.39)

    def _end(self, who: Ints, at: Floats, is_up: np.ndarray) -> None:
        begun = self.entered[who].copy()
        exits = np.where(is_up, self.milestone[who] + 1, OUT)  # beyond an offer is a hire
        self.rows.append((who, self.milestone[who].copy(), begun, np.maximum(at, begun), exits))
        self.entered[who] = np.maximum(at, begun)
        self.milestone[who[is_up]] += 1
        hired = who[exits == HIRED]
        filling = hired[self.closes_by_hire[self.job[hired]]]
        job = self.job[filling]
        self.closes[job] = np.minimum(self.closes[job], self.entered[filling] + self.days_to_close[job])

    def known(self) -> Iterator[Drawn]:
        waits = self.running
        still = (np.full(len(waits), np.inf), np.full(len(waits), STILL))
        self.rows.append((waits, self.milestone[waits], self.entered[waits], *still))
        application, milestone, start, end, exits = (np.concatenate(rows) for rows in zip(*self.rows, strict=True))
        for number, first in enumerate(self.first_look):
            jobs = np.flatnonzero(self.company_of_job == number)
            mine = np.flatnonzero((self.company[application] == number) & (end > first))
            whole = History(
                application=np.unique(application[mine], return_inverse=True)[1].astype(np.int64),
                job=np.searchsorted(jobs, self.job[application[mine]]).astype(np.int64),
                milestone=milestone[mine],
                start=start[mine] - first,
                end=end[mine] - first,
                exit=exits[mine],
                is_waiting=np.isinf(end[mine]),
                is_timed=np.ones(len(mine), dtype=bool),
                opened=self.opened[jobs] - first,
                closed=self.closed[jobs] - first,
                until=self.law.days + AHEAD - first,
            )
            yield Drawn(whole.as_of(self.law.days - first), whole)
