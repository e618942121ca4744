"""The central claim: for any schedule of syncs, every true instant lies within lo and hi.

A hundred companies here; `make coverage` measures a thousand.
"""

from pathlib import Path

import pytest

from join_pipeline_tests.dbt.building import Build
from join_pipeline_tests.dbt.coverage import CLAIMS, DURATIONS, SCHEDULES, bounds, built, intervals, process

COMPANIES = 100
CLOSEST, *OTHERS = SCHEDULES
CASES = [CLOSEST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]


@pytest.fixture(scope="module", params=CASES)
def sampled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Build]:
    folder: Path = tmp_path_factory.mktemp("bounds")
    name: str = request.param
    return name, built(folder, SCHEDULES[name], COMPANIES)


def test_the_truth_lies_within_its_bounds_always_and_within_intervals_as_often_as_they_say(
    sampled: tuple[str, Build],
) -> None:
    name, build = sampled
    assert build.failures == []
    told = {held.claim: held for held in bounds(build)}
    assert {claim: held.n - held.n_within for claim, held in told.items()} == dict.fromkeys(told, 0)
    assert {*CLAIMS, *DURATIONS} < set(told)
    assert min(held.n for held in told.values()) > 500

    # Where syncs are close together what they miss is little, and sampling error is all there is.
    if name == CLOSEST:
        for held in intervals(build, process()):
            # of this many statements, four standard errors about 95 %
            allowed = 4 * (0.95 * 0.05 / held.n) ** 0.5
            assert 0.95 - allowed <= held.share <= 0.95 + allowed + 0.02, held
            assert held.n >= COMPANIES / 2


def test_events_of_every_kind_were_judged_and_bounds_do_bound(sampled: tuple[str, Build]) -> None:
    _, build = sampled
    kinds = build.rows("select distinct event_type from recruiting.fct_application_stage_event")
    assert {row["event_type"] for row in kinds} == {
        "FIRST_SEEN",
        "STAGE_CHANGED",
        "OUTCOME_CHANGED",
        "REOPENED",
        "VANISHED",
    }
    widths = build.row("""
        select count(*) filter (where days_to_hire_lo < days_to_hire_hi) as n_wide,
            count(*) filter (where is_historic) as n_historic from recruiting.fct_time_to_hire
    """)
    assert min(widths.values()) > 0


def test_forecasts_are_of_those_who_wait_and_past_ones_are_compared_with_their_hires(
    sampled: tuple[str, Build],
) -> None:
    _, build = sampled
    waits = """
        select distinct application_key from recruiting.fct_stage_visit
        where milestone <> 'HIRED' and entered_at < {at} and (exit is null or left_at > {at})
    """
    until = waits.format(at="(select followed_until from intermediate.int_follow_up)")
    now = build.rows("from recruiting.mart_hiring_forecast where scope = 'overall'")
    assert {row["n_waiting"] for row in now} == {build.row(f"select count(*) as n from ({until})")["n"]}
    assert all(row["hires_low_95"] <= row["hires_expected"] <= row["hires_high_95"] for row in now)
    past = build.rows("from recruiting.mart_hiring_forecast_backtest")
    assert past
    for row in past:
        at = f"timestamptz '{row['forecast_at']}'"
        then = waits.format(at=at)
        truly = build.row(f"""
            select (select count(*) from ({then})) as n_waiting, count(distinct application_key) as n_hired
            from recruiting.fct_stage_visit
            where exit = 'HIRED' and left_at > {at} and left_at <= {at} + interval {row["horizon_days"]} day
                and application_key in ({then})
        """)
        assert {name: row[name] for name in truly} == truly
