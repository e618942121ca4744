"""From JOIN's HTTP to the marts: their numbers equal those that pandas computes from the company's true event log.

Two schedules of syncs. One looks between any two events of an application, so the marts must tell the whole truth. The
other looks every three weeks and begins late, so they must tell just what could be seen, and bound the rest.
"""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import duckdb
import httpx
import pandas as pd
import pytest

from join_pipeline.pipeline import build
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.oracle.compare import differences, fetched
from join_pipeline_tests.oracle.marts import (
    cohorts,
    counts_by_status,
    observed_applications,
    observed_hires,
    true_applications,
    true_hires,
)
from join_pipeline_tests.oracle.truth import Event, read_truth, timelines
from join_pipeline_tests.syncing import run_sync

TIME_ZONE: Final = "Europe/Berlin"
END: Final = datetime(2026, 6, 1, 6, tzinfo=UTC)
BEFORE_ALL: Final = datetime(2024, 10, 1, tzinfo=UTC)
# a sync takes a while, though the company's clock stands still meanwhile: so much later is the next event
MARGIN: Final = timedelta(minutes=5)
LEAST_FOR_A_RATE: Final = 10
LEAST_SHOWN: Final = 5
COUNTS: Final = ("n_reached_observed", "n_reached_assumed", "n_moved_on", "n_out", "n_waiting")
RATES: Final = {
    "pass_through": "pass_through_mature",
    "pass_through_low": "pass_through_low",
    "pass_through_high": "pass_through_high",
}


@dataclass(frozen=True)
class Piped:
    """A company that was synced at these instants, and what the pipeline made of it."""

    events: list[Event]
    syncs: list[datetime]
    settings: Settings

    def rows(self, query: str) -> pd.DataFrame:
        """Rows of the warehouse; `application` in it is JOIN's id."""
        with contextlib.closing(duckdb.connect(self.settings.warehouse, read_only=True)) as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(
                """CREATE TEMP VIEW named AS SELECT pseudonym AS application_key, a.remote_id AS application
                FROM ats.pseudonyms AS p JOIN ats.applications AS a ON a.id = p.id WHERE p.model = 'applications'"""
            )
            return fetched(con, query)


def between_all_events(events: list[Event]) -> list[datetime]:
    """The fewest instants such that no application has two events between two of them."""
    states = [sorted({state.at for state in line.states}) for line in timelines(events)]
    instants = [BEFORE_ALL]
    for before, after in sorted((gap for at in states for gap in pairwise(at)), key=lambda gap: gap[1]):
        if instants[-1] <= before:
            assert after - before > 2 * MARGIN
            instants.append(after - MARGIN)
    return [*instants, END]


def piped(data: Path, seed: int, applications: int, schedule: list[datetime] | None) -> Piped:
    """Full syncs over HTTP at these instants, else between all events; then load, dbt and publish."""
    with running(SandboxConfig(port=0, seed=seed, applications=applications, now=END, rate_limit=None)) as url:
        events = read_truth(url)
        syncs = schedule or between_all_events(events)
        settings = load_settings(
            join_api_token="sandbox-token",
            join_api_url=f"{url}/v2",
            data=data,
            connection="sandbox",
            integration_id="join:test",
            pseudonym_key="a key for tests only",
            time_zone=TIME_ZONE,
        )
        began = []  # by some milliseconds before the instant: when the first request was on its way
        for sync in syncs:
            httpx.post(f"{url}/control/clock", json={"now": sync.isoformat()}, trust_env=False).raise_for_status()
            began.append(run_sync(settings, "full").started_at)
    build(settings)
    return Piped(events, began, settings)


@pytest.fixture(scope="module")
def all_seen(tmp_path_factory: pytest.TempPathFactory) -> Piped:
    return piped(tmp_path_factory.mktemp("all_seen"), 10, 120, None)


@pytest.fixture(scope="module")
def seldom_seen(tmp_path_factory: pytest.TempPathFactory) -> Piped:
    every_three_weeks = [END - timedelta(weeks=3 * n) for n in reversed(range(12))]
    return piped(tmp_path_factory.mktemp("seldom_seen"), 7, 800, every_three_weeks)


@pytest.fixture(params=[pytest.param("all_seen", marks=pytest.mark.slow), "seldom_seen"])
def case(request: pytest.FixtureRequest) -> tuple[Piped, pd.DataFrame]:
    """A company, and its applications as they must be told: the truth itself, or what the syncs could see of it."""
    company = request.getfixturevalue(request.param)
    is_all_seen = request.param == "all_seen"
    told = (
        true_applications(company.events, END) if is_all_seen else observed_applications(company.events, company.syncs)
    )
    return company, told


def test_applications_have_their_status_and_how_far_they_came(case: tuple[Piped, pd.DataFrame]) -> None:
    company, expected = case
    found = company.rows(
        """SELECT application, status, is_deleted, furthest_milestone, n_stage_changes, applied_at
        FROM recruiting.fct_application JOIN named USING (application_key)"""
    )
    assert differences(expected[list(found.columns)], found, key="application") == []
    assert counts_by_status(found) == counts_by_status(expected)
    assert set(counts_by_status(expected)) == {"OPEN", "HIRED", "DECLINED", "VANISHED"}


@pytest.mark.parametrize("scope", ["overall", "job"])
def test_the_funnel_is_what_pandas_counts(case: tuple[Piped, pd.DataFrame], scope: str) -> None:
    company, applications = case
    by = "job" if scope == "job" else None
    expected = cohorts(applications, TIME_ZONE, by=by, first_sync=company.syncs[0])
    expected = expected.assign(cell=cells(expected, by), n_cohort=expected["n_applications"])
    found = company.rows(
        f"""SELECT funnel.*, jobs.remote_id AS job, cohort_on AS cohort_month
        FROM intermediate.int_funnel_cohort AS funnel LEFT JOIN ats.jobs ON jobs.id = funnel.scope_key
        WHERE scope = '{scope}' AND cohort_grain = 'month'"""
    )
    found = found.assign(cell=cells(found, by), n_before_first_sync=found["n_left_truncated"])
    columns = ["cell", "n_cohort", "n_before_first_sync", *COUNTS]
    assert len(expected) >= 40
    assert differences(expected[columns], found[columns], key="cell") == []


def cells(funnel: pd.DataFrame, by: str | None) -> pd.Series:
    """A name for each cell of a funnel."""
    names = funnel["cohort_month"].astype(str) + " " + funnel["milestone"]
    return names + " of job " + funnel[by].astype(str) if by else names


def test_the_published_funnel_has_these_numbers_and_their_rates(case: tuple[Piped, pd.DataFrame]) -> None:
    company, applications = case
    expected = cohorts(applications, TIME_ZONE, first_sync=company.syncs[0])
    expected = expected.assign(cell=cells(expected, None), n_cohort=expected["n_applications"])
    n_mature, n_passable = expected["n_moved_on"] + expected["n_out"], expected["n_reached_assumed"]
    for rate, n in (
        ("pass_through_mature", n_mature),
        ("pass_through_low", n_passable),
        ("pass_through_high", n_passable),
    ):
        expected[rate] = expected[rate].where(n >= LEAST_FOR_A_RATE).astype(float).round(9)
    with contextlib.closing(duckdb.connect(company.settings.published, read_only=True)) as con:
        found = fetched(
            con,
            """FROM recruiting.fct_funnel_cohort SELECT *, cohort_on AS cohort_month
            WHERE scope = 'overall' AND cohort_grain = 'month'""",
        )
    found = found.assign(cell=cells(found, None))
    for rate, name in RATES.items():
        found[name] = found[rate].astype(float).round(9)
    shown = found[~found["is_suppressed"].astype(bool)]
    assert set(shown["cell"]) <= set(expected.loc[expected["n_cohort"] >= LEAST_SHOWN, "cell"])
    assert len(shown) >= 16
    columns = ["cell", "n_cohort", *COUNTS, *RATES.values()]
    wanted = expected[expected["cell"].isin(shown["cell"])]
    assert differences(wanted[columns], shown[columns], key="cell") == []
    assert wanted["pass_through_mature"].notna().sum() >= 4


@pytest.mark.slow
def test_where_all_was_seen_time_to_hire_is_the_true_one(all_seen: Piped) -> None:
    truth = true_hires(all_seen.events, END)
    hired = true_applications(all_seen.events, END).query("status == 'HIRED'")["application"]
    expected = truth[truth["is_last"] & truth["application"].isin(hired)].set_index("application").sort_index()
    found = hires(all_seen)
    assert list(found.index) == list(expected.index)
    assert len(found) >= 8
    assert not found["is_historic"].any()
    assert found["days_to_hire"].to_dict() == pytest.approx(expected["days_to_hire"].to_dict(), abs=1e-6)
    assert found["days_to_hire"].quantile(0.5) == pytest.approx(expected["days_to_hire"].quantile(0.5))
    assert (found["days_to_hire_lo"] <= expected["days_to_hire"]).all()
    assert (expected["days_to_hire"] <= found["days_to_hire_hi"] + 1e-9).all()


def test_where_little_was_seen_time_to_hire_bounds_the_true_one(seldom_seen: Piped) -> None:
    observed = observed_hires(seldom_seen.events, seldom_seen.syncs)
    known = observed_applications(seldom_seen.events, seldom_seen.syncs)
    hired = known.loc[known["status"] == "HIRED", "application"]
    expected = observed[observed["application"].isin(hired)].drop_duplicates("application", keep="last")
    expected = expected.set_index("application").sort_index()
    found = hires(seldom_seen)
    assert list(found.index) == list(expected.index)
    assert (found["is_historic"] == expected["is_historic"]).all()
    assert found["is_historic"].sum() >= 5
    assert (expected["days_true"] <= found["days_to_hire_hi"] + 1e-9).all()
    assert (found["days_to_hire_hi"] <= expected["days_hi"] + MARGIN / timedelta(days=1)).all()
    seen = found[~found["is_historic"]]
    assert len(seen) >= 5
    assert (seen["days_to_hire_lo"] <= expected["days_true"][seen.index]).all()
    assert (seen["days_to_hire_lo"] >= expected["days_lo"][seen.index] - 1e-9).all()
    assert found.loc[found["is_historic"], "days_to_hire_lo"].isna().all()


def hires(company: Piped) -> pd.DataFrame:
    """`fct_time_to_hire` by JOIN's id of the application."""
    found = company.rows(
        """SELECT application, is_historic, days_to_hire_lo, days_to_hire, days_to_hire_hi
        FROM recruiting.fct_time_to_hire JOIN named USING (application_key)"""
    )
    days = {name: float for name in found.columns if name.startswith("days")}
    return found.astype({"is_historic": bool, **days}).set_index("application").sort_index()
