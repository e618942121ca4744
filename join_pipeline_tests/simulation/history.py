"""A history: one company, and the syncs, faults and deaths of a pipeline over some months, drawn from one seed.

Belongs here: what can happen, how likely it is, and telling it. Not here: doing it (play), judging it (checks).
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox.kombo.config import Off
from join_pipeline.sync.plan import AskedMode
from join_pipeline_tests.simulation.account import STILL, Passing

Faults = Mapping[str, float]
# faults that spoil records; the others delay answers or lose them
SPOILING = frozenset({"unknown_enum", "missing_field", "extra_field", "odd_part", "odd_for_good"})
RATES = {
    "rate_limited": 0.15,
    "server_error": 0.15,
    "bad_gateway": 0.1,
    "slow": 0.1,
    "dropped": 0.15,
    "truncated": 0.1,
    "not_json": 0.1,
    "not_a_list": 0.04,
    "unknown_enum": 0.2,
    "missing_field": 0.2,
    "extra_field": 0.2,
    "shifting": 0.5,
    "resigned": 0.5,
}
# drawn apart from the others, so that the history of a seed stays what it was but for them
PAGING_RATES = {
    "error_in_200": 0.1,
    "no_content": 0.5,
    "redirected": 0.02,
    "short_page": 0.3,
    "empty_page": 0.3,
    "repeated_page": 0.3,
    "packed": 0.5,
    "broken_packing": 0.1,
    "recoded": 0.5,
    "dripping": 0.1,
}


# apart from the others, too: one in three histories has records that are odd for good, or one in some answers
ODD_RATES = {"odd_part": (0.1, 0.5), "odd_for_good": (0.02, 0.1, 0.3)}
DATES = ("wrong_date", "wrong_date", "no_date", "odd_date")


@dataclass(frozen=True)
class Death:
    """Where a run ends before its time: at its n-th request, or at its n-th step on the disk."""

    kind: str
    n: int
    then: timedelta = timedelta(0)  # how much later it is run again


@dataclass(frozen=True)
class Step:
    """Time passes, then a sync runs; before it is let run to its end it may die some times."""

    wait: timedelta = timedelta(0)
    mode: AskedMode = "auto"
    passing: Passing = STILL
    faults: Faults = field(default_factory=dict)
    deaths: tuple[Death, ...] = ()
    hides_applications: int = 0  # per cent
    hides_jobs: int = 0
    pages_in_flight: int = 1
    max_second_looks: int = 1000
    raw_days: int = 14
    accepts_loss: bool = False
    models_off: Mapping[str, Off] = field(default_factory=dict)  # at Kombo, as long as the step takes
    is_forced: bool = False  # Kombo syncs just before

    @property
    def is_still(self) -> bool:
        return self.passing.is_still and "shifting" not in self.faults

    @property
    def spoils(self) -> bool:
        return bool(SPOILING & self.faults.keys())


@dataclass(frozen=True)
class Sizes:
    """The engine's own sizes, made so small that a small company fills them."""

    version_files: int = 16
    raw_files: int = 32
    records: int = 64
    batch: int = 10_000
    spool_rows: int = 2_500
    page: int = 250  # of Kombo's lists


@dataclass(frozen=True)
class History:
    """Everything that a simulation needs to be run again."""

    seed: int
    company: SandboxConfig
    sizes: Sizes
    steps: tuple[Step, ...]
    is_replayed: bool = False

    def without(self, number: int) -> "History":
        """The same history less one step."""
        return replace(self, steps=self.steps[:number] + self.steps[number + 1 :])


def history_of(seed: int) -> History:
    """The history of a seed, the same on every machine."""
    chance = random.Random(seed)
    steps = [_step(chance, n) for n in range(chance.choice((2, 2, 3, 3, 4)))]
    if steps[0].wait < timedelta(0):
        steps[0] = replace(steps[0], wait=timedelta(0))
    company, sizes = _company(chance), _sizes(chance)
    history = History(seed, company, sizes, misdated(seed, steps), is_replayed=chance.random() < 0.35)
    paged = (_paged(step, random.Random(f"{seed} {n}")) for n, step in enumerate(history.steps))
    return replace(history, steps=_odd(seed, tuple(paged)))


def _odd(seed: int, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps, with records of odd parts in all of them: always the same records, or any in some answers."""
    chance = random.Random(f"odd {seed}")
    if chance.random() >= 1 / 3:
        return steps
    odd = {name: chance.choice(rates) for name, rates in ODD_RATES.items() if chance.random() < 0.7}
    return tuple(replace(step, faults={**step.faults, **odd}) for step in steps)


def misdated(seed: int, steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, some of them with answers whose dates are wrong, odd or missing, by a seed of their own."""
    chance = random.Random(f"dates {seed}")
    return tuple(
        replace(step, faults={**step.faults, chance.choice(DATES): chance.choice((0.1, 0.3, 0.6, 1.0))})
        if chance.random() < 0.25
        else step
        for step in steps
    )


def _company(chance: random.Random) -> SandboxConfig:
    start = datetime(2025, 9, 1, 6, tzinfo=UTC) + timedelta(minutes=chance.randrange(270 * 24 * 60))
    return SandboxConfig(
        port=0,
        seed=chance.randrange(1_000_000),
        applications=chance.randint(*chance.choice(((1, 30), (20, 40), (20, 40), (30, 60), (60, 140)))),
        jobs=chance.choice((None, 3, 6, 12)),
        now=start,
        page_size=chance.choice((5, 10, 20, 50)),
        rate_limit=None,
        slow_seconds=0.01,
        announces_changes=chance.random() < 0.9,
        has_milliseconds=chance.random() < 0.8,
        state_keys=chance.choice((("state", "hiringState"), ("state",), ("hiringState",))),
        shows_questions=chance.random() < 0.7,
        shows_hiring_team=chance.random() < 0.4,
        lists_drafts=chance.random() < 0.3,
        job_statuses=chance.choice((("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT"), ("ONLINE", "OFFLINE", "ARCHIVED"))),
    )


def _sizes(chance: random.Random) -> Sizes:
    if chance.random() < 0.3:
        return Sizes()
    return Sizes(
        version_files=chance.choice((1, 2, 4)),
        raw_files=chance.choice((1, 3, 32)),
        records=chance.choice((1, 2, 5)),
        batch=chance.choice((25, 10_000)),
        spool_rows=chance.choice((3, 17)),
    )


def _step(chance: random.Random, number: int) -> Step:
    step = Step(
        wait=_wait(chance),
        mode=chance.choice(("auto", "auto", "full", "full", "incremental", "incremental")),
        pages_in_flight=chance.choice((1, 1, 2, 8)),
        max_second_looks=chance.choice((1000, 1000, 1000, 5, 1, 0)),
        raw_days=chance.choice((14, 14, 2, 0)),
        accepts_loss=chance.random() < 0.3,
    )
    if chance.random() < 0.35:
        step = replace(step, passing=_passing(chance))
    if chance.random() < 0.5:
        names = chance.sample(sorted(RATES), chance.choice((1, 1, 2, 3)))
        step = replace(step, faults={name: round(RATES[name] * chance.uniform(0.2, 1.0), 3) for name in names})
    if chance.random() < 0.3:
        step = replace(step, deaths=tuple(_death(chance) for _ in range(chance.choice((1, 1, 2)))))
    if number and chance.random() < 0.2:
        shares = chance.choice(((5, 0), (20, 0), (60, 0), (0, 20), (10, 10), (100, 0), (0, 100)))
        step = replace(step, hides_applications=shares[0], hides_jobs=shares[1])
    return step


def _paged(step: Step, chance: random.Random) -> Step:
    """The step with faults of lists and bodies, in every other one."""
    names = chance.sample(sorted(PAGING_RATES), chance.choice((0, 0, 1, 2, 3)))
    more = {name: round(PAGING_RATES[name] * chance.uniform(0.2, 1.0), 3) for name in names}
    return replace(step, faults={**step.faults, **more})


def _wait(chance: random.Random) -> timedelta:
    kind = chance.random()
    if kind < 0.04:
        return -timedelta(minutes=chance.choice((1, 30, 600, 5000)))
    if kind < 0.12:
        return timedelta(0)
    longest = chance.choice((30, 600, 3 * 1440, 20 * 1440, 60 * 1440, 60 * 1440, 120 * 1440))
    return timedelta(milliseconds=chance.randrange(longest * 60_000))


def _passing(chance: random.Random) -> Passing:
    jumps = {chance.randint(2, 40): timedelta(minutes=chance.randint(1, 240)) for _ in range(chance.randint(0, 3))}
    drift = chance.choice((timedelta(0), timedelta(seconds=1), timedelta(seconds=90)))
    return Passing(drift, jumps)


def _death(chance: random.Random) -> Death:
    kind = chance.choice(("request", "disk", "disk"))
    longest = 40 if kind == "request" else 60
    then = timedelta(minutes=chance.choice((0, 0, 1, 60, 180)))
    return Death(kind, chance.randint(1, longest), then)
