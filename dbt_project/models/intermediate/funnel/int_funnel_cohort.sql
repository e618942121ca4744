{%- set reached = 'alike.furthest_milestone_rank >= milestones.milestone_rank' -%}
{%- set stopped = 'alike.furthest_milestone_rank = milestones.milestone_rank' -%}
{%- set beyond = 'alike.furthest_milestone_rank > milestones.milestone_rank' -%}
{%- set waits = " and alike.status in ('OPEN', 'UNKNOWN')" -%}

with

applications as (
    select * from {{ ref('fct_application') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

scopes as (
    select * from {{ ref('int_scope') }}
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
        applications.is_in_closed_job,
        upper(applications.qualified) as qualified,
        seen.seen_ranks
    from applications
    inner join seen on applications.application_key = seen.application_key
),

-- Weeks are told overall, by job and by source only: those of smaller groups would be hidden.
cohort_members as (
    select
        'month' as cohort_grain,
        cast(date_trunc('month', members.applied_on) as date) as cohort_on,
        members.*,
        {{ scope_keys('scopes') }}
    from members
    left join scopes on members.job_id = scopes.job_id and members.source = scopes.source
    union all by name
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
        count(*) filter (where is_left_truncated) as n_left_truncated,
        count(*) filter (where is_in_closed_job) as n_in_closed_job,
        count(*) filter (where qualified = 'QUALIFIED') as n_qualified,
        count(*) filter (where qualified in ('QUALIFIED', 'NOT_QUALIFIED')) as n_qualification_known
    from cohort_members
    group by {{ scope_sets(['cohort_grain', 'cohort_on', 'status', 'furthest_milestone_rank', 'seen_ranks']) }}
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
        cast(sum(alike.n_qualified) as bigint) as n_qualified,
        cast(sum(alike.n_qualification_known) as bigint) as n_qualification_known,
        {{ sum_where('alike.n', "alike.status = 'UNKNOWN'") }} as n_unknown,
        {{ sum_where('alike.n', 'list_contains(alike.seen_ranks, milestones.milestone_rank)') }} as n_reached_observed,
        {{ sum_where('alike.n', reached) }} as n_reached_assumed,
        {{ sum_where('alike.n', beyond) }} as n_moved_on,
        {{ sum_where('alike.n', stopped ~ " and alike.status in ('DECLINED', 'VANISHED')") }} as n_out,
        {{ sum_where('alike.n', stopped ~ waits) }} as n_waiting,
        {{ sum_where('alike.n_in_closed_job', stopped ~ waits) }} as n_in_closed_job,
        {{ sum_where('alike.n_in_closed_job', reached ~ waits) }} as n_in_closed_job_reached,
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
