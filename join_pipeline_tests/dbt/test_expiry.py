"""A rule that deletes old applications is told from people who withdraw, and bends no curve.

The truth is a company of the same seed without such a rule. What looks like a rule, and is none, is in `CONTROLS`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.sampling import Deletes, Schedule, draw, write

AGE = 45.0
FIRST_SYNC, HORIZON = 20.0, 170.0
APPLICATIONS, JOBS = 4000, 12
DAILY = Schedule.every(1, FIRST_SYNC, HORIZON)
WEEKLY_FULL = Schedule.every(1, FIRST_SYNC, HORIZON, full_every=7)
MODELS = ("+fct_survival", "+mart_trust", "mart_follow_up", "+fct_funnel_cohort", "+mart_weekly_trend")
RANDOM = np.random.default_rng(5)
BOUNDS = """
    select day, min(survival) as least, max(survival) as most from recruiting.fct_survival
    where scope = 'overall' and bound in ('lo', 'hi') and question = 'decision' group by day
"""


def nightly(begins: float) -> Deletes:
    """From a day on, each night whatever is older than `AGE` goes."""
    return lambda facts: np.ceil(np.maximum(facts["applied"] + AGE, begins))


def once(day: float, age: float = AGE) -> Deletes:
    """One day, whatever is older goes at once."""
    return lambda facts: pd.Series(np.where(day - facts["applied"] >= age, day, np.inf), facts.index)


def undecided(facts: pd.DataFrame, day: float) -> "pd.Series[bool]":
    return (facts["applied"] < day) & (facts["decided"] > day)


def at_two_ages(facts: pd.DataFrame) -> "pd.Series[float]":
    """Each night the undecided of an age go, and the decided some time after their decision."""
    is_decided = facts["decided"] < facts["applied"] + AGE
    return np.ceil(facts["decided"].where(is_decided, facts["applied"] + AGE) + np.where(is_decided, 30, 0))


def clean_up(facts: pd.DataFrame) -> "pd.Series[float]":
    """One day a recruiter deletes most of those who have withdrawn long ago: undecided, and of any age."""
    hit = undecided(facts, 120.3) & (RANDOM.uniform(size=len(facts)) < 0.6)
    return pd.Series(np.where(hit, 120.3, np.inf), facts.index)


def impatience(facts: pd.DataFrame) -> "pd.Series[float]":
    """Who has heard nothing after 30 days withdraws, nearly always."""
    leaves = facts["applied"] + 30 + RANDOM.uniform(0, 1, len(facts))
    hit = undecided(facts, 1e9) | (facts["decided"] > leaves)
    return pd.Series(np.where(hit & (RANDOM.uniform(size=len(facts)) < 0.97), leaves, np.inf), facts.index)


def emptied_job(facts: pd.DataFrame) -> "pd.Series[float]":
    """A job that was closed long ago is deleted with all of its applications."""
    hit = (facts["job"] == "j0-0") & (facts["applied"] < 100)
    return pd.Series(np.where(hit, 100.4, np.inf), facts.index)


def first_job_emptied(facts: pd.DataFrame) -> "pd.Series[float]":
    """The same, of the company's first job: nobody applied to any other job before."""
    return pd.Series(np.where(facts["job"] == "j-first", 100.4, np.inf), facts.index)


RULES: Mapping[str, tuple[Deletes, Schedule]] = {
    "nightly, from the beginning": (nightly(0), DAILY),
    "nightly, from day 100 on": (nightly(100), DAILY),
    "nightly, weekly full syncs": (nightly(100), WEEKLY_FULL),
    "once": (once(130.2), DAILY),
    "once, weekly full syncs": (once(130.2), WEEKLY_FULL),
}
CONTROLS: Mapping[str, tuple[Deletes, Schedule]] = {
    "a bulk clean-up of withdrawals": (clean_up, DAILY),
    "withdrawals at an age": (impatience, DAILY),
    "a closed job emptied": (emptied_job, DAILY),
    "the first job emptied": (first_job_emptied, DAILY),
}


def built(folder: Path, deletes: Deletes | None, schedule: Schedule, **variables: Any) -> Build:
    until = 35.0 if deletes is first_job_emptied else 0.0
    sample = draw(
        3, APPLICATIONS, schedule, horizon=HORIZON, jobs=JOBS, forgotten=0.15, first_job_until=until, deletes=deletes
    )
    write(sample, folder / "warehouse.duckdb")
    select = [argument for model in MODELS for argument in ("--select", model)]
    build = dbt(folder, "build", *select, "--exclude-resource-type", "unit_test", "test", variables=variables)
    assert build.failures == []
    return build


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return built(tmp_path_factory.mktemp("undisturbed"), None, DAILY)


def statuses(build: Build) -> dict[str, int]:
    rows = build.rows("select status, count(*) as n from recruiting.fct_application where is_deleted group by status")
    return {row["status"]: row["n"] for row in rows}


def curves(build: Build) -> dict[tuple[str, int], list[float]]:
    """By question and day: survival and the three incidences, at the middle of their bounds."""
    rows = build.rows(
        """
        select question, day, avg(survival) as s, avg(incidence_hired) as h, avg(incidence_declined) as d,
            avg(incidence_vanished) as v
        from recruiting.fct_survival
        where scope = 'overall' and bound in ('lo', 'hi') and question in ('decision', 'hire')
        group by all
        """
    )
    return {(row["question"], row["day"]): [row["s"], row["h"] or 0, row["d"] or 0, row["v"] or 0] for row in rows}


def furthest(one: Build, other: Build, until: float) -> float:
    """The largest difference between the curves of two builds, up to a day."""
    left, right = curves(one), curves(other)
    days = [key for key in left if key in right and key[1] <= until]
    assert len(days) > 40
    return max(abs(a - b) for key in days for a, b in zip(left[key], right[key], strict=True))


FAST = {"nightly, from day 100 on", "once"}


@pytest.mark.parametrize(
    "rule", [pytest.param(name, marks=() if name in FAST else (pytest.mark.slow,)) for name in RULES]
)
def test_what_a_rule_deletes_has_expired_and_bends_no_curve(rule: str, tmp_path: Path, undisturbed: Build) -> None:
    deletes, schedule = RULES[rule]
    build = built(tmp_path, deletes, schedule)
    (told,) = build.rows("select n, n_of, value from recruiting.mart_trust where check_name = 'expiry' and n > 0")
    expired = build.row(
        """
        select count(*) as n, count(*) filter (where first.applied_at + interval 45 days > truth.event_at) as n_younger
        from recruiting.fct_application
        join truth using (application_key)
        join (select application_key, min(event_at) as applied_at from truth group by all) as first
            using (application_key)
        where truth.is_deleted and status = 'EXPIRED'
        """
    )
    missed = build.row(
        """
        select count(*) as n from recruiting.fct_application
        join truth using (application_key)
        join (select application_key, min(event_at) as applied_at from truth group by all) as first
            using (application_key)
        where truth.is_deleted and status = 'VANISHED' and first.applied_at + interval 45 days <= truth.event_at
        """
    )
    assert expired["n"] == told["n"] > 300
    assert expired["n_younger"] <= 0.02 * expired["n"]
    assert missed["n"] <= 0.05 * expired["n"]
    assert AGE - 8 <= told["value"] <= AGE + 8
    if schedule is not DAILY:
        (tmp_path / "undisturbed").mkdir()
        undisturbed = built(tmp_path / "undisturbed", None, schedule)
    assert furthest(build, undisturbed, AGE + 30) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("schedule", [DAILY, WEEKLY_FULL])
def test_where_only_the_undecided_go_at_an_age_both_readings_are_told(schedule: Schedule, tmp_path: Path) -> None:
    """A rule, or people who lose patience: the truth without the rule lies between the curves of both readings."""
    (tmp_path / "undisturbed").mkdir()
    build, undisturbed = built(tmp_path, at_two_ages, schedule), built(tmp_path / "undisturbed", None, schedule)
    perhaps = "select n, value from recruiting.mart_trust where check_name = 'expiry' and subject like 'perhaps%'"
    told = build.row(perhaps)
    assert "EXPIRED" not in statuses(build)
    assert told["n"] > 300
    assert AGE - 8 <= told["value"] <= AGE + 1
    assert undisturbed.row(perhaps)["n"] == 0
    bounds = {row["day"]: row for row in build.rows(f"{BOUNDS} order by day")}
    true = {row["day"]: row for row in undisturbed.rows(BOUNDS)}
    days = [day for day in bounds if day in true and 1 <= day <= AGE]
    assert len(days) > 40
    assert max(bounds[day]["least"] - true[day]["most"] for day in days) < 0.01
    # of those who came to the age, a few remain, so that the curve's last step is coarse
    assert max(true[day]["least"] - bounds[day]["most"] for day in days) < 0.02
    assert max(true[day]["least"] - bounds[day]["most"] for day in days[:-2]) < 0.01
    assert max(bounds[day]["most"] - bounds[day]["least"] for day in days) > 0.1


@pytest.mark.slow
def test_the_age_that_is_set_comes_before_what_is_detected(tmp_path: Path) -> None:
    (tmp_path / "never").mkdir()
    never = built(tmp_path / "never", *RULES["once"], retention_days=0)
    assert "EXPIRED" not in statuses(never)
    always = built(tmp_path, *CONTROLS["a bulk clean-up of withdrawals"], retention_days=60)
    row = always.row(
        """
        select min(date_diff('hour', applied_at, deleted_at_hi)) / 24 as least, count(*) as n
        from recruiting.fct_application where status = 'EXPIRED'
        """
    )
    assert row["n"] > 50
    assert row["least"] >= 60


@pytest.mark.parametrize(
    "control", [pytest.param(name, marks=() if n == 0 else (pytest.mark.slow,)) for n, name in enumerate(CONTROLS)]
)
def test_what_only_looks_like_a_rule_has_vanished(control: str, tmp_path: Path) -> None:
    deletes, schedule = CONTROLS[control]
    count = statuses(built(tmp_path, deletes, schedule))
    assert count.get("EXPIRED", 0) <= 0.02 * count["VANISHED"]
