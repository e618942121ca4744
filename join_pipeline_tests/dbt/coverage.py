"""Measures how often the marts' bounds and intervals hold, over many companies drawn at random.

Belongs here: the claims, each as a query that compares the marts with table `truth`, and a command that measures them
on a thousand companies (`make coverage`; docs/evidence.md has its figures). Not here: what is asserted (test_bounds).
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from join_pipeline_tests.dbt.building import Build, dbt
from join_pipeline_tests.dbt.company import START
from join_pipeline_tests.dbt.sampling import DAY, HIRED, Schedule, draw, timelines, write

HORIZON = 150.0
FIRST_SYNC = 40.0
PER_COMPANY = 90
SCHEDULES = {
    "every eight hours, each third full": Schedule.every(1 / 3, FIRST_SYNC, HORIZON, full_every=3),
    "daily, each seventh full": Schedule.every(1, FIRST_SYNC, HORIZON, full_every=7),
    "weekly, all full": Schedule.every(7, FIRST_SYNC, HORIZON),
}
AGES = (7, 14, 30)
CURVE_AGES = (5, 10, 15)  # later, too few of one company are left at risk

# When each thing truly came about: entering a stage, an outcome, a deletion, and any of the first two.
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
    union all
    select application_key, 'MOVED', event_at from steps
    where stage_before is not null and (stage_id <> stage_before or outcome <> outcome_before)
"""
# What the marts tell, each with the truth that it stands for: the last time it came about before it was seen. What came
# and went between two looks is nobody's.
CLAIMS = {
    "events": """
        select event_at_lo as lo, event_at_hi as hi, case
            when event_type = 'VANISHED' then event_type
            when event_type = 'REOPENED' then 'OUTCOME_CHANGED ' || to_outcome
            when event_type = 'FIRST_SEEN' and to_outcome = 'PENDING' then 'STAGE_CHANGED ' || to_stage_id
            when event_type = 'FIRST_SEEN' then 'OUTCOME_CHANGED ' || to_outcome
            else event_type || ' ' || coalesce(to_stage_id, to_outcome)
        end as what, application_key
        from recruiting.fct_application_stage_event
    """,
    "first decisions": """
        select first_decided_at_lo as lo, first_decided_at_hi as hi,
            if(first_decision = 'VANISHED', first_decision, 'OUTCOME_CHANGED ' || first_decision) as what,
            application_key
        from recruiting.fct_application where first_decision is not null
    """,
    "first movements": """
        select first_moved_at_lo as lo, first_moved_at_hi as hi, 'MOVED' as what, application_key
        from recruiting.fct_application where first_moved_at is not null
    """,
}
DURATIONS = {
    "time to hire": """
        select applied_at as from_at, days_to_hire_lo as days_lo, days_to_hire_hi as days_hi, hired_at_hi as to_hi,
            'OUTCOME_CHANGED HIRED' as what, application_key
        from recruiting.fct_time_to_hire
    """,
    "time to decision": """
        select applied_at as from_at, days_to_decision_lo as days_lo, days_to_decision_hi as days_hi,
            first_decided_at_hi as to_hi,
            if(first_decision = 'VANISHED', first_decision, 'OUTCOME_CHANGED ' || first_decision) as what,
            application_key
        from recruiting.fct_application where first_decision is not null
    """,
    "time to first movement": """
        select applied_at as from_at, days_to_first_movement_lo as days_lo, days_to_first_movement_hi as days_hi,
            first_moved_at_hi as to_hi, 'MOVED' as what, application_key
        from recruiting.fct_application where first_moved_at is not null
    """,
    "time in stage": f"""
        select greatest(stages.true_at, pendings.true_at) as from_at, days_in_stage_lo as days_lo,
            days_in_stage_hi as days_hi, left_at_hi as to_hi, case exit
                when 'MOVED' then 'STAGE_CHANGED ' || to_stage_id
                when 'VANISHED' then exit
                else 'OUTCOME_CHANGED ' || exit
            end as what, visits.application_key
        from (
            select *, 'STAGE_CHANGED ' || stage_id as came, 'OUTCOME_CHANGED PENDING' as waited
            from recruiting.fct_stage_visit where visit_status <> 'open'
        ) as visits
        asof join ({TRULY}) as stages
            on visits.application_key = stages.application_key and visits.came = stages.what
                and visits.entered_at_hi >= stages.true_at
        asof join ({TRULY}) as pendings
            on visits.application_key = pendings.application_key and visits.waited = pendings.what
                and visits.entered_at_hi >= pendings.true_at
    """,
}
# True: the last time it came to the milestone, or beyond, before that was seen.
BY_AGE = """
    with steps as (
        select application_key, event_at, milestone_rank,
            coalesce(lag(milestone_rank) over (partition by application_key order by event_at), 0) as rank_before
        from truth join intermediate.int_stage using (stage_id)
    ),
    climbs as (
        select application_key, rank as milestone_rank, event_at as true_at
        from steps, unnest(range(rank_before + 1, milestone_rank + 1)) as ranks (rank)
    ),
    known as (select followed_until as until from intermediate.int_follow_up),
    reached as (
        select date_trunc('month', applied_on)::date as cohort_on, job_id, reach.milestone, applied_at, true_at
        from recruiting.fct_application as application
        join intermediate.int_application_milestone as reach using (application_key)
        asof join climbs
            on reach.application_key = climbs.application_key and reach.milestone_rank = climbs.milestone_rank
                and reach.reached_at_hi >= climbs.true_at
    ),
    truly as (
        select cohort_on, coalesce(job_id, 'all') as scope_key, milestone, age_days, count(*) filter (
            where true_at <= applied_at + to_days(age_days) and applied_at + to_days(age_days) <= until
        ) as n
        from reached cross join known
        cross join (select distinct age_days from intermediate.int_funnel_cohort_age)
        group by grouping sets ((cohort_on, milestone, age_days), (cohort_on, milestone, age_days, job_id))
    )
    select count(*) as n, count(*) filter (where n between n_reached_lo and n_reached_hi) as n_within
    from intermediate.int_funnel_cohort_age join truly using (cohort_on, scope_key, milestone, age_days)
    where cohort_grain = 'month' and scope in ('overall', 'job')
"""


@dataclass(frozen=True)
class Held:
    """Of `n` statements of a kind, those that the truth lies within."""

    claim: str
    n: int
    n_within: int

    @property
    def share(self) -> float:
        return self.n_within / self.n if self.n else float("nan")


def built(folder: Path, schedule: Schedule, companies: int, seed: int = 7) -> Build:
    """Companies of one job and 90 applications each, looked at by a schedule of syncs, as dbt makes marts of them."""
    sample = draw(seed, companies * PER_COMPANY, schedule, horizon=HORIZON, companies=companies, jobs=1)
    write(sample, folder / "warehouse.duckdb")
    return dbt(folder, "build", "--exclude-resource-type", "unit_test", memory_limit="3GB")


def bounds(build: Build) -> Iterator[Held]:
    """Instants, durations and cohorts by age: the truth lies within lo and hi, always."""
    for claim, told in CLAIMS.items():
        yield _held(
            build,
            claim,
            f"""select count(*) as n, count(*) filter (where true_at >= lo) as n_within from ({told}) as told
            asof left join ({TRULY}) as truly
                on told.application_key = truly.application_key and told.what = truly.what and told.hi >= true_at""",
        )
    for claim, told in DURATIONS.items():
        yield _held(
            build,
            claim,
            f"""select count(*) as n, count(*) filter (
                where days <= days_hi + 1e-9 and (days_lo is null or days >= days_lo - 1e-9)
            ) as n_within
            from (
                select *, epoch_us(true_at - from_at) / 86400e6 as days from ({told}) as told
                asof left join ({TRULY}) as truly
                    on told.application_key = truly.application_key and told.what = truly.what and told.to_hi >= true_at
            )""",
        )
    yield _held(build, "cohort conversion by age", BY_AGE)


def _held(build: Build, claim: str, sql: str) -> Held:
    row = build.row(sql)
    return Held(claim, row["n"], row["n_within"])


@dataclass(frozen=True)
class Process:
    """What the applications' law is, from very many of them: shares by age."""

    reached_interim: dict[int, float]
    undecided: dict[int, float]


def process(applications: int = 400_000) -> Process:
    """By simulation: the law has no closed form. Its own error is below 0.1 percentage points."""
    truth = timelines(np.random.default_rng(99), applications, HORIZON)
    truth["applied_at"] = truth.groupby("application")["event_at"].transform("min")
    seen_long = truth[truth["applied_at"] < START.timestamp() * 1e6 + (HORIZON - max(AGES)) * DAY]
    n = seen_long["application"].nunique()
    age = (seen_long["event_at"] - seen_long["applied_at"]) / DAY
    is_decided = seen_long["is_deleted"] | (seen_long["state"] == "REJECTED") | (seen_long["stage"] == HIRED)

    def share(happened: pd.Series, days: int) -> float:
        return seen_long.loc[happened & (age <= days), "application"].nunique() / n

    return Process(
        reached_interim={days: share(seen_long["stage"] > 0, days) for days in AGES},
        undecided={days: 1 - share(is_decided, days) for days in CURVE_AGES},
    )


def intervals(build: Build, law: Process) -> Iterator[Held]:
    """The 95 % intervals of single companies that are published: how many hold what the law says."""
    for days in AGES:
        yield _held(
            build,
            f"Wilson, reached INTERIM within {days} days",
            f"""select count(*) as n, count(*) filter (
                where {law.reached_interim[days]} between conversion_wilson_low and conversion_wilson_high
            ) as n_within
            from recruiting.fct_funnel_cohort_age
            where scope = 'job' and cohort_grain = 'month' and milestone = 'INTERIM' and age_days = {days}
                and not is_left_truncated and conversion is not null""",
        )
    for days in CURVE_AGES:
        yield _held(
            build,
            f"log-log, undecided after {days} days",
            f"""select count(*) as n, count(*) filter (
                where {law.undecided[days]} between survival_low and survival_high
            ) as n_within
            from (
                select arg_max(survival_low, day) as survival_low, arg_max(survival_high, day) as survival_high
                from recruiting.fct_survival
                where question = 'decision' and scope = 'job' and bound = 'hi' and day <= {days}
                    and starts_at_days = 0 and ends_at_days >= {days}
                group by scope_key
            )""",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=1000)
    companies = parser.parse_args().companies
    law = process()
    for name, schedule in SCHEDULES.items():
        with tempfile.TemporaryDirectory() as folder:
            build = built(Path(folder), schedule, companies)
            print(f"\n{name}; {companies} companies; failed: {build.failures or 'nothing'}\n")
            print("| claim | statements | hold | share |\n|---|---|---|---|")
            for held in (*bounds(build), *intervals(build, law)):
                print(f"| {held.claim} | {held.n:,} | {held.n_within:,} | {held.share:.4f} |", flush=True)


if __name__ == "__main__":
    main()
