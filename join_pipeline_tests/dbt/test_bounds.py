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
