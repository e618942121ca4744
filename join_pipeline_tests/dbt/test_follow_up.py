"""Everybody is followed to one instant, so that a curve doesn't count decisions that it can't weigh against vanishings.

Truth: Kaplan–Meier over what truly happened, censored at the instant to which everybody is followed.
"""

from pathlib import Path

import duckdb
import pytest
from lifelines import KaplanMeierFitter

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.sampling import Schedule, draw, write

FIRST_SYNC, HORIZON = 20.0, 170.0
DAILY = Schedule.every(1, FIRST_SYNC, HORIZON)
WEEKLY_FULL = Schedule.every(1, FIRST_SYNC, HORIZON, full_every=7)
LAST_MONTH_GUARDED = (
    "update ats_history.syncs set verdict = 'guarded' "
    "where mode = 'full' and started_at > (select max(started_at) - interval 30 days from ats_history.syncs)"
)
LOOKS_PENDING = (
    "insert into ats_history.sync_counts select sync_id, 'applications', name, n from ats_history.syncs, "
    "(values ('pending_looks', 40), ('pending_undecided', {undecided})) as counts(name, n) "
    "where mode = 'full' and started_at > (select max(started_at) - interval 30 days from ats_history.syncs)"
)


def built(folder: Path, schedule: Schedule, change: str = "") -> Build:
    write(draw(3, 4000, schedule, horizon=HORIZON, jobs=12, forgotten=0.15), folder / "warehouse.duckdb")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        con.execute(change or "select 1")
    select = ("--select", "+fct_survival", "mart_follow_up", "--exclude-resource-type", "unit_test", "test")
    build = dbt(folder, "build", *select)
    assert build.failures == []
    return build


def furthest_from_truth(build: Build) -> float:
    """The largest distance of the truth from the band of bounds, over days 3 to 60."""
    truth = build.rows(
        """
        select epoch(first.applied_at) / 86400 as applied, min(epoch(event_at)) filter (
                where truth.state in ('HIRED', 'REJECTED') or truth.is_deleted) / 86400 as decided,
            epoch(any_value(followed_from)) / 86400 as began, epoch(any_value(followed_until)) / 86400 as until
        from truth
        join (select application_key, min(event_at) as applied_at from truth group by all) as first
            using (application_key)
        join recruiting.fct_application using (application_key)
        cross join recruiting.mart_follow_up
        group by application_key, first.applied_at
        """
    )
    rows = [row for row in truth if row["applied"] < row["until"] and (row["decided"] or 1e9) > row["began"]]
    fitter = KaplanMeierFitter().fit(
        [min(row["decided"] or 1e9, row["until"]) - row["applied"] for row in rows],
        [row["decided"] is not None and row["decided"] <= row["until"] for row in rows],
        entry=[max(row["began"] - row["applied"], 0) for row in rows],
    )
    told = build.rows(
        """
        select day, min(survival) as lo, max(survival) as hi from recruiting.fct_survival
        where question = 'decision' and scope = 'overall' and day between 3 and 60 group by day
        """
    )
    assert len(told) > 40
    truths = [fitter.predict(row["day"]) for row in told]
    return max(max(row["lo"] - true, true - row["hi"]) for row, true in zip(told, truths, strict=True))


def follow_up(build: Build) -> dict[str, object]:
    return build.row("select days_behind, is_stale, guarded_since from recruiting.mart_follow_up")


def test_a_guarded_month_ends_follow_up_and_bends_no_curve(tmp_path: Path) -> None:
    build = built(tmp_path, DAILY, LAST_MONTH_GUARDED)
    told = follow_up(build)
    assert told["days_behind"] == pytest.approx(31, abs=1)
    assert told["is_stale"]
    assert told["guarded_since"] is not None
    assert furthest_from_truth(build) < 0.01


@pytest.mark.slow
def test_daily_decisions_are_not_weighed_against_weekly_vanishings(tmp_path: Path) -> None:
    build = built(tmp_path, WEEKLY_FULL)
    told = follow_up(build)
    assert 0 < told["days_behind"] < 7  # type: ignore[operator]
    assert not told["is_stale"]
    assert furthest_from_truth(build) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("undecided", "days"), [(3, 31), (0, 0)])
def test_only_pending_looks_at_undecided_applications_end_follow_up(undecided: int, days: int, tmp_path: Path) -> None:
    build = built(tmp_path, DAILY, LOOKS_PENDING.format(undecided=undecided))
    assert follow_up(build)["days_behind"] == pytest.approx(days, abs=1)
    assert furthest_from_truth(build) < 0.01
