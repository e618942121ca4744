{%- set reached = 'alike.furthest_milestone_rank >= milestones.milestone_rank' -%}
{%- set stopped = 'alike.furthest_milestone_rank = milestones.milestone_rank' -%}
{%- set beyond = 'alike.furthest_milestone_rank > milestones.milestone_rank' -%}

with

applications as (
    select * from {{ ref('fct_application') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

seen as (
    select
        application_key,
        list(milestone_rank) filter (where is_observed) as seen_ranks
    from {{ ref('int_application_milestone') }}
    group by application_key
),

members as (
    select
        applications.applied_on,
        coalesce(applications.job_id, 'unknown') as job_id,
        coalesce(applications.source, 'unknown') as source,
        applications.status,
        applications.furthest_milestone_rank,
        applications.is_left_truncated,
        seen.seen_ranks
    from applications
    inner join seen on applications.application_key = seen.application_key
),

cohort_members as (
    select
        'month' as cohort_grain,
        cast(date_trunc('month', applied_on) as date) as cohort_on,
        *
    from members
    union all
    select
        'week' as cohort_grain,
        cast(date_trunc('week', applied_on) as date) as cohort_on,
        *
    from members
),

-- There are few rows from here on, however many applications there are.
alike as (
    select
        cohort_grain,
        cohort_on,
        {{ funnel_scope() }},
        status,
        furthest_milestone_rank,
        seen_ranks,
        count(*) as n,
        count(*) filter (where is_left_truncated) as n_left_truncated
    from cohort_members
    group by grouping sets (
        (cohort_grain, cohort_on, status, furthest_milestone_rank, seen_ranks),
        (cohort_grain, cohort_on, job_id, status, furthest_milestone_rank, seen_ranks),
        (cohort_grain, cohort_on, source, status, furthest_milestone_rank, seen_ranks)
    )
),

-- An application that reached a milestone has moved on, is out, waits, has expired, or is hired. An unknown outcome
-- counts as waiting.
final as (
    select
        alike.cohort_grain,
        alike.cohort_on,
        alike.scope,
        alike.scope_key,
        milestones.milestone,
        milestones.milestone_rank,
        cast(sum(alike.n) as bigint) as n_cohort,
        cast(sum(alike.n_left_truncated) as bigint) as n_left_truncated,
        {{ sum_where('alike.n', "alike.status = 'UNKNOWN'") }} as n_unknown,
        {{ sum_where('alike.n', 'list_contains(alike.seen_ranks, milestones.milestone_rank)') }} as n_reached_observed,
        {{ sum_where('alike.n', reached) }} as n_reached_assumed,
        {{ sum_where('alike.n', beyond) }} as n_moved_on,
        {{ sum_where('alike.n', stopped ~ " and alike.status in ('DECLINED', 'VANISHED')") }} as n_out,
        {{ sum_where('alike.n', stopped ~ " and alike.status in ('OPEN', 'UNKNOWN')") }} as n_waiting,
        {{ sum_where('alike.n', stopped ~ " and alike.status = 'EXPIRED'") }} as n_expired,
        {{ sum_where('alike.n', reached ~ " and alike.status = 'HIRED'") }} as n_hired,
        {{ sum_where('alike.n', reached ~ " and alike.status = 'DECLINED'") }} as n_declined,
        {{ sum_where('alike.n', reached ~ " and alike.status = 'VANISHED'") }} as n_vanished,
        {{ sum_where('alike.n', reached ~ " and alike.status = 'EXPIRED'") }} as n_expired_reached
    from alike
    cross join milestones
    group by all
)

select * from final
