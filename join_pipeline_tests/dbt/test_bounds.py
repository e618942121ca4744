"""The claim itself: whatever the schedule of syncs, what truly happened lies within lo and hi."""

from pathlib import Path

import pytest

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.sampling import Schedule, draw, write

HORIZON = 150.0
SCHEDULES = {
    "every eight hours, each third full": Schedule.every(1 / 3, 40, HORIZON, full_every=3),
    "daily, each seventh full": Schedule.every(1, 40, HORIZON, full_every=7),
    "weekly, all full": Schedule.every(7, 40, HORIZON),
}


@pytest.fixture(scope="module", params=SCHEDULES.values(), ids=SCHEDULES.keys())
def sampled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder: Path = tmp_path_factory.mktemp("bounds")
    write(draw(7, 3000, request.param, horizon=HORIZON, companies=100), folder / "warehouse.duckdb")
    build = dbt(folder, "build", "--exclude-resource-type", "unit_test")
    assert build.failures == []
    return build


# When each thing truly came about: entering a stage, an outcome, a deletion.
TRULY = """
    with steps as (
        select *, case state when 'HIRED' then 'HIRED' when 'REJECTED' then 'DECLINED' else 'PENDING' end as outcome,
            lag(stage_id) over w as stage_before, lag(outcome) over w as outcome_before
        from truth
        window w as (partition by application_key order by event_at)
    )
    select application_key, 'STAGE_CHANGED ' || stage_id as what, event_at as true_at from steps
    where stage_id is distinct from stage_before
    union all
    select application_key, 'OUTCOME_CHANGED ' || outcome, event_at from steps
    where outcome is distinct from outcome_before
    union all
    select application_key, 'VANISHED', event_at from steps where is_deleted
"""
TOLD = """
    select application_key, event_type, event_at_lo, event_at_hi, case
        when event_type = 'VANISHED' then event_type
        when event_type = 'REOPENED' then 'OUTCOME_CHANGED ' || to_outcome
        when event_type = 'FIRST_SEEN' and to_outcome = 'PENDING' then 'STAGE_CHANGED ' || to_stage_id
        when event_type = 'FIRST_SEEN' then 'OUTCOME_CHANGED ' || to_outcome
        else event_type || ' ' || coalesce(to_stage_id, to_outcome)
    end as what
    from recruiting.fct_application_stage_event
"""


def test_every_event_truly_happened_within_its_bounds(sampled: Build) -> None:
    told = sampled.rows(f"""
        select event_type, count(*) as n, count(*) filter (where true_at >= event_at_lo) as n_within
        from ({TOLD}) as told asof left join ({TRULY}) as truly
            on told.application_key = truly.application_key and told.what = truly.what
                and told.event_at_hi >= truly.true_at
        group by event_type order by event_type
    """)
    assert {row["event_type"] for row in told} == {
        "FIRST_SEEN",
        "STAGE_CHANGED",
        "OUTCOME_CHANGED",
        "REOPENED",
        "VANISHED",
    }
    assert [row for row in told if row["n"] != row["n_within"]] == []


def test_every_hire_took_between_the_fewest_and_the_most_days_told(sampled: Build) -> None:
    told = sampled.row(f"""
        with hires as (
            select is_historic, days_to_hire_lo, days_to_hire_hi,
                epoch_us(true_at - applied_at) / 86400e6 as true_days
            from recruiting.fct_time_to_hire as hire
            asof join (select * from ({TRULY}) where what = 'OUTCOME_CHANGED HIRED') as truly
                on hire.application_key = truly.application_key and hire.hired_at_hi >= truly.true_at
        )
        select count(*) as n, count(*) filter (where is_historic) as n_historic,
            count(*) filter (where true_days <= days_to_hire_hi + 1e-9
                and (is_historic or true_days >= days_to_hire_lo - 1e-9)) as n_within,
            (select count(*) from recruiting.fct_time_to_hire) as n_hires
        from hires
    """)
    assert told["n_historic"] > 0
    assert told["n"] == told["n_within"] == told["n_hires"]


def test_the_true_conversion_by_age_lies_between_its_bounds(sampled: Build) -> None:
    """True: the last time it came to the milestone, or beyond, before that was seen. Unseen excursions are nobody's."""
    cohorts = sampled.rows("""
        with steps as (
            select application_key, event_at, milestone_rank,
                coalesce(lag(milestone_rank) over (partition by application_key order by event_at), 0) as rank_before
            from truth join intermediate.int_stage using (stage_id)
        ),
        climbs as (
            select application_key, rank as milestone_rank, event_at as true_at
            from steps, unnest(range(rank_before + 1, milestone_rank + 1)) as ranks (rank)
        ),
        known as (select max(started_at) as until from intermediate.int_sync where is_proof_of_content),
        reached as (
            select date_trunc('month', applied_on)::date as cohort_on, reach.milestone, applied_at, true_at
            from recruiting.fct_application as application
            join intermediate.int_application_milestone as reach using (application_key)
            asof join climbs
                on reach.application_key = climbs.application_key and reach.milestone_rank = climbs.milestone_rank
                    and reach.reached_at_hi >= climbs.true_at
        ),
        truly as (
            select cohort_on, milestone, age_days, count(*) filter (
                where true_at <= applied_at + to_days(age_days) and applied_at + to_days(age_days) <= until
            ) as n
            from reached cross join known
            cross join (select distinct age_days from intermediate.int_funnel_cohort_age)
            group by all
        )
        select n_reached_lo, n, n_reached_hi, n_old_enough
        from intermediate.int_funnel_cohort_age join truly using (cohort_on, milestone, age_days)
        where cohort_grain = 'month' and scope = 'overall'
    """)
    assert len(cohorts) > 60
    assert [row for row in cohorts if not row["n_reached_lo"] <= row["n"] <= row["n_reached_hi"]] == []
    assert any(row["n_reached_lo"] < row["n_reached_hi"] for row in cohorts)
