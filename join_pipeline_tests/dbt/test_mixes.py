"""Schedules, guarded months, pending looks and rules that delete, mixed: the truth stays within the ribbon.

A guarded sync keeps what the lists lack, and looks that are put off see a deletion later. So what a sync saw is changed
here before it is written. The truth is Kaplan–Meier over what would have happened without a rule that deletes, censored
at the instant to which everybody is followed.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.company import START
from join_pipeline_tests.dbt.sampling import DAY, Deletes, Sample, Schedule, draw, write
from join_pipeline_tests.dbt.test_expiry import nightly, once

FIRST_SYNC, HORIZON, APPLICATIONS = 20.0, 170.0, 4000
DECIDED, WEEK, STALE_DAYS = ("HIRED", "REJECTED"), 7 * DAY, 14
TRUST = "select subject, value from recruiting.mart_trust where check_name = 'follow-up'"


@dataclass(frozen=True)
class Mix:
    """`guarded` are the days between which each full sync is guarded; `looks` is how many a sync takes at most.

    `is_told` says whether the syncs have seen enough of what a rule deletes to tell it.
    """

    full_every: int = 1
    guarded: tuple[float, float] = (0, 0)
    looks: int | None = None
    deletes: Deletes | None = None
    days_behind: tuple[float, float] = (0, 1.1)
    is_told: bool = True


MIXES = {
    "weekly full, a guarded month within": Mix(7, (90, 120), days_behind=(0, 7.1)),
    "weekly full, the last month guarded": Mix(7, (139, 170), days_behind=(30, 39)),
    "daily full, a guarded month within": Mix(1, (90, 120)),
    "daily full, the last month guarded": Mix(1, (139, 170), days_behind=(30, 33)),
    "once, looks put off": Mix(1, looks=25, deletes=once(130.2)),
    "once, weekly full, looks put off": Mix(7, looks=60, deletes=once(120.2), days_behind=(0, 7.1)),
    "once just before the end, looks put off": Mix(1, looks=9, deletes=once(166.2), days_behind=(3, 5), is_told=False),
    "nightly, weekly full, a guarded month within": Mix(7, (110, 140), deletes=nightly(90), days_behind=(0, 7.1)),
    "nightly, looks put off": Mix(1, looks=12, deletes=nightly(100), days_behind=(60, 75)),
    "once within a guarded month": Mix(1, (110, 140), deletes=once(120.2)),
}


def drawn(deletes: Deletes | None, schedule: Schedule) -> Sample:
    return draw(3, APPLICATIONS, schedule, horizon=HORIZON, jobs=12, forgotten=0.15, deletes=deletes)


def built(folder: Path, mix: Mix) -> Build:
    asked = Schedule.every(1, FIRST_SYNC, HORIZON, full_every=mix.full_every)
    is_guarded = asked.is_full & (asked.starts >= mix.guarded[0]) & (asked.starts < mix.guarded[1])
    sample = drawn(mix.deletes, Schedule(asked.starts, asked.is_full & ~is_guarded))
    sample.syncs["mode"] = np.where(asked.is_full, "full", "incremental")
    pending: list[tuple[int, int, int]] = []
    if mix.looks is not None:
        sample, pending = put_off(sample, np.flatnonzero(asked.is_full & ~is_guarded), mix.looks)
    write(sample, folder / "warehouse.duckdb")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        ids = [one for (one,) in con.execute("select sync_id from ats_history.syncs order by started_at").fetchall()]
        for number in np.flatnonzero(is_guarded):
            con.execute("update ats_history.syncs set verdict = 'guarded' where sync_id = ?", [ids[number]])
        for number, looks, undecided in pending:
            for name, n in (("pending_looks", looks), ("pending_undecided", undecided)):
                con.execute(
                    "insert into ats_history.sync_counts values (?, 'applications', ?, ?)", [ids[number], name, n]
                )
    models = ("+fct_survival", "+mart_trust", "mart_follow_up")
    select = [argument for model in models for argument in ("--select", model)]
    build = dbt(folder, "build", *select, "--exclude-resource-type", "unit_test", "test")
    assert build.failures == []
    return build


def put_off(sample: Sample, full: "np.ndarray", most: int) -> tuple[Sample, list[tuple[int, int, int]]]:
    """What is seen if a full sync asks for `most` missing applications; and what each full sync leaves pending."""
    versions, starts = sample.versions.copy(), sample.syncs["started_at"].to_numpy()
    gone = versions[versions["is_deleted"]].sort_values(["number", "application"])
    before = versions[~versions["is_deleted"]].sort_values("observed_at").groupby("application").tail(1)
    state = before.set_index("application")["state"]
    waiting: list[tuple[int, int]] = []  # with the sync that missed it
    pending: list[tuple[int, int, int]] = []
    for number in full:
        waiting += [(int(number), index) for index in gone.index[gone["number"] == number]]
        # what has waited for a week is asked for beyond the limit
        n_overdue = sum(starts[number] - starts[since] >= WEEK for since, _ in waiting)
        n_asked = max(most, n_overdue)
        for _, index in waiting[:n_asked]:
            delay = versions.at[index, "observed_at"] - starts[versions.at[index, "number"]]
            versions.at[index, "number"] = number
            versions.at[index, "observed_at"] = starts[number] + delay
        waiting = waiting[n_asked:]
        undecided = sum(state[versions.at[index, "application"]] not in DECIDED for _, index in waiting)
        pending.append((int(number), len(waiting), undecided))
    return replace(
        sample, versions=versions.drop(index=[index for _, index in waiting]).reset_index(drop=True)
    ), pending


def distance(build: Build, mix: Mix) -> float:
    """The largest distance of the truth from the band of bounds, over days 3 to 60."""
    told = build.row("select followed_from, followed_until from recruiting.mart_follow_up")
    began, until = ((told[name] - START).total_seconds() / 86400 for name in ("followed_from", "followed_until"))
    truth = drawn(None, Schedule.every(1, FIRST_SYNC, HORIZON)).truth
    day = (truth["event_at"] - START.timestamp() * 1e6) / DAY
    ends = truth["state"].isin(["HIRED", "REJECTED"]) | truth["is_deleted"]
    people = pd.DataFrame(
        {
            "applied": day.groupby(truth["application"]).min(),
            "decided": day[ends].groupby(truth["application"][ends]).min(),
        }
    ).fillna(np.inf)
    seen = people[(people["applied"] < until) & (people["decided"] > began)]
    fitter = KaplanMeierFitter().fit(
        np.minimum(seen["decided"], until) - seen["applied"],
        seen["decided"] <= until,
        entry=np.maximum(began - seen["applied"], 0),
    )
    # each bound is a step function, with a row where it falls
    steps = pd.DataFrame(
        build.rows(
            """
            select day, bound, survival from recruiting.fct_survival
            where question = 'decision' and scope = 'overall' and bound in ('lo', 'hi')
            """
        )
    )
    bounds = steps.pivot_table(index="day", columns="bound", values="survival").sort_index().ffill().loc[3:60]
    assert len(bounds) > 40
    truths = fitter.predict(bounds.index.to_numpy())
    return float(np.max(np.maximum(bounds.min(axis=1) - truths, truths - bounds.max(axis=1))))


FAST = {"nightly, weekly full, a guarded month within"}


@pytest.mark.parametrize("name", [pytest.param(one, marks=() if one in FAST else (pytest.mark.slow,)) for one in MIXES])
def test_the_truth_is_within_the_ribbon_whatever_is_mixed(name: str, tmp_path: Path) -> None:
    mix = MIXES[name]
    build = built(tmp_path, mix)
    told = build.row("select days_behind, is_stale, guarded_since from recruiting.mart_follow_up")
    assert mix.days_behind[0] <= told["days_behind"] <= mix.days_behind[1]
    assert told["is_stale"] == (told["days_behind"] > STALE_DAYS)
    assert (told["guarded_since"] is not None) == (mix.guarded[1] == HORIZON)
    trust = {row["subject"]: row["value"] for row in build.rows(TRUST)}
    assert trust["estimates end before as_of"] == told["days_behind"]
    assert (trust["guarded before as_of"] is None) == (told["guarded_since"] is None)
    statuses = build.rows("select status from recruiting.fct_application where is_deleted")
    assert ("EXPIRED" in {row["status"] for row in statuses}) == (mix.deletes is not None and mix.is_told)
    assert distance(build, mix) < 0.01
