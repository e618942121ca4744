"""Companies drawn at random: true timelines of applications, and the versions that a schedule of syncs makes of them.

Belongs here: what is true, and what could be seen of it, by the thousand and without HTTP. Not here: how JOIN lists it
(sandbox), or what the marts make of it (dbt). All times are microseconds since 1970, in numpy and pandas.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from join_pipeline_tests.dbt.company import STAGES, START, create_tables

DAY = 86_400_000_000
OFFER, HIRED = 3, 4  # places in STAGES
ENDED = 9
STATES = np.array(["APPLIED", "ACTIVE", "ACTIVE", "OFFER", "HIRED"])
STEPS = 12
FETCHING = DAY // 48


@dataclass(frozen=True)
class Schedule:
    """When syncs start, in days, and which of them are full."""

    starts: np.ndarray
    is_full: np.ndarray

    @classmethod
    def every(cls, days: float, first: float, last: float, full_every: int = 1) -> "Schedule":
        starts = np.arange(first, last, days)
        return cls(starts, np.arange(len(starts)) % full_every == 0)


@dataclass(frozen=True)
class Sample:
    """`truth`: a row per application and event, with what was so after it. `versions`: what was seen of it."""

    truth: pd.DataFrame
    versions: pd.DataFrame
    syncs: pd.DataFrame
    companies: int


Deletes = Callable[[pd.DataFrame], "pd.Series[float]"]
"""From one row per application the day of its deletion, or infinity. Columns: `applied` and `decided` (the day of
its first decision, or infinity), `job`."""


def draw(
    seed: int,
    applications: int,
    schedule: Schedule,
    *,
    horizon: float,
    companies: int = 1,
    jobs: int = 5,
    forgotten: float = 0.0,
    first_job_until: float = 0.0,
    deletes: Deletes | None = None,
) -> Sample:
    """Applications of some companies (each with its own jobs), applied uniformly over the days up to `horizon`.

    Of the share `forgotten`, nothing ever becomes. Whoever applies before the day `first_job_until` applies to one job,
    to which nobody applies later.
    """
    random = np.random.default_rng(seed)
    truth = timelines(random, applications, horizon)
    is_forgotten = np.random.default_rng(seed + 1).uniform(size=applications) < forgotten
    truth = truth[~(is_forgotten[truth["application"]] & truth.duplicated("application"))].reset_index(drop=True)
    company = truth["application"] % companies
    truth["job"] = "j" + company.astype(str) + "-" + (truth["application"] // companies % jobs).astype(str)
    applied_at = truth.groupby("application")["event_at"].transform("min")
    truth.loc[applied_at < START.timestamp() * 1e6 + first_job_until * DAY, "job"] = "j-first"
    if deletes is not None:
        truth = deleted(truth, deletes, horizon)
    return Sample(truth, _versions(random, truth, schedule), _syncs(schedule), companies)


def deleted(truth: pd.DataFrame, deletes: Deletes, horizon: float) -> pd.DataFrame:
    """The timelines, in which applications are deleted on the days that `deletes` says, if they are still there."""
    start = START.timestamp() * 1e6
    groups = truth.groupby("application")
    is_decided = truth["state"].isin(["HIRED", "REJECTED"])
    facts = pd.DataFrame(
        {
            "applied": (groups["event_at"].min() - start) / DAY,
            "decided": (truth["event_at"].where(is_decided).groupby(truth["application"]).min() - start) / DAY,
            "job": groups["job"].first(),
        }
    ).fillna({"decided": np.inf})
    day = deletes(facts)
    at = (start + day[day < horizon] * DAY).astype(np.int64)
    until = truth["application"].map(at).fillna(np.inf)
    kept = truth[truth["event_at"] < until]
    last = kept.groupby("application").tail(1)
    goes = last[last["application"].isin(at.index) & ~last["is_deleted"]]
    tombs = goes.assign(event_at=goes["application"].map(at), is_deleted=True)
    return pd.concat([kept, tombs]).sort_values(["application", "event_at"], ignore_index=True)


def timelines(random: np.random.Generator, n: int, horizon: float) -> pd.DataFrame:
    """Each application step by step: waits are log-normal, and every step is a move, a decision, its undoing, …"""
    at = START.timestamp() * 1e6 + random.uniform(0, horizon, n) * DAY
    at = at.astype(np.int64)
    stage, rejected, deleted = np.zeros(n, int), np.zeros(n, bool), np.zeros(n, bool)
    running = np.arange(n)
    frames = [_events(running, at, stage, rejected, deleted)]
    for _ in range(STEPS):
        at[running] += (random.lognormal(1.2, 1.0, len(running)) * DAY).astype(np.int64) + 1
        chance = random.uniform(size=len(running))
        decided = rejected[running] | (stage[running] == HIRED)
        is_undone, is_cleaned = decided & (chance < 0.08), decided & (chance >= 0.08) & (chance < 0.2)
        ends = decided & (chance >= 0.2)
        open_ = ~decided
        steps = np.select([chance < 0.42, chance < 0.47, chance < 0.52], [1, 2, -1], 0)
        moved = np.clip(stage[running] + np.where(open_, steps, 0), 0, HIRED)
        stage[running] = np.where(is_undone & ~rejected[running], OFFER, moved)
        rejected[running] = np.where(is_undone, False, rejected[running] | (open_ & (chance >= 0.52) & (chance < 0.85)))
        deleted[running] = is_cleaned | (open_ & (chance >= 0.85) & (chance < 0.93))
        happened = running[~ends]
        frames.append(_events(happened, at, stage, rejected, deleted))
        running = happened[~deleted[happened]]
    truth = pd.concat(frames, ignore_index=True).sort_values(["application", "event_at"], ignore_index=True)
    return truth[truth["event_at"] < START.timestamp() * 1e6 + horizon * DAY].reset_index(drop=True)


def _events(
    who: np.ndarray, at: np.ndarray, stage: np.ndarray, rejected: np.ndarray, deleted: np.ndarray
) -> pd.DataFrame:
    states = np.where(rejected[who], "REJECTED", STATES[stage[who]])
    return pd.DataFrame(
        {"application": who, "event_at": at[who], "stage": stage[who], "state": states, "is_deleted": deleted[who]}
    )


def _versions(random: np.random.Generator, truth: pd.DataFrame, schedule: Schedule) -> pd.DataFrame:
    """For each true event the first sync that fetched the application after it; of several, it shows the last one."""
    delay = random.integers(0, FETCHING, truth["application"].max() + 1)[truth["application"]]
    starts = (START.timestamp() * 1e6 + schedule.starts * DAY).astype(np.int64)
    full = np.flatnonzero(schedule.is_full)
    by_any = np.searchsorted(starts, truth["event_at"] - delay)
    by_full = np.append(full, len(starts))[np.searchsorted(starts[full], truth["event_at"] - delay)]
    versions = truth.assign(
        number=np.where(truth["is_deleted"], by_full, by_any),
        applied_at=truth.groupby("application")["event_at"].transform("min"),
    )
    versions["observed_at"] = np.append(starts, 0)[versions["number"]] + delay
    # gone, or changed again, before anything fetched it
    until = versions.groupby("application")["event_at"].shift(-1).fillna(np.inf)
    versions = versions[(versions["number"] < len(starts)) & (versions["observed_at"] < until)]
    is_first = ~versions.duplicated("application")
    return versions[~(is_first & versions["is_deleted"])].reset_index(drop=True)


def _syncs(schedule: Schedule) -> pd.DataFrame:
    starts = (START.timestamp() * 1e6 + schedule.starts * DAY).astype(np.int64)
    return pd.DataFrame(
        {
            "number": np.arange(len(starts)),
            "started_at": starts,
            "finished_at": starts + FETCHING,
            "mode": np.where(schedule.is_full, "full", "incremental"),
        }
    )


def write(sample: Sample, path: Path) -> None:
    """The sample as warehouse.duckdb, and its truth as table `truth`."""
    names = pd.DataFrame({"place": range(len(STAGES)), "stage_name": STAGES})
    frames = {"_truth": sample.truth, "_versions": sample.versions, "_syncs": sample.syncs, "_names": names}
    with duckdb.connect(str(path)) as con:
        con.execute("set timezone = 'UTC'")
        create_tables(con)
        for name, frame in frames.items():
            con.register(name, frame)
        con.execute(Path(__file__).with_name("sample.sql").read_text())
