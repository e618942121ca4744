{%- set ages = var('cohort_ages') | join(', ') -%}
{%- set known_until -%}
    least(follow_up.followed_until, if(applications.status = 'EXPIRED', applications.last_known_open_at, null))
{%- endset -%}

with

applications as (
    select * from {{ ref('fct_application') }}
),

reached as (
    select * from {{ ref('int_application_milestone') }}
),

follow_up as (
    select followed_until from {{ ref('int_follow_up') }}
),

scopes as (
    select * from {{ ref('int_scope') }}
),

ages as (
    select unnest([{{ ages }}]) as age_days
),

days as (
    select
        applications.application_key,
        applications.applied_on,
        coalesce(applications.job_id, 'unknown') as job_id,
        coalesce(applications.source, 'unknown') as source,
        reached.milestone,
        reached.milestone_rank,
        coalesce({{ days_between('applications.applied_at_hi', 'reached.reached_at_lo') }}, 0) as days_lo,
        {{ days_between('applications.applied_at', 'reached.reached_at') }} as days_at,
        coalesce({{ days_between('applications.applied_at_lo', 'reached.reached_at_hi') }}, 1e9) as days_hi,
        {{ days_between('applications.applied_at_hi', known_until) }} as days_known
    from applications
    inner join reached on applications.application_key = reached.application_key
    cross join follow_up
),

-- The first age by which the application had reached the milestone, and the last age that it has: there are few
-- distinct values from here on.
aged as (
    select
        applied_on,
        job_id,
        source,
        milestone,
        milestone_rank,
        {{ first_age('days_lo') }} as age_lo,
        {{ first_age('days_at') }} as age_at,
        {{ first_age('days_hi') }} as age_hi,
        {{ last_age('days_known') }} as age_known
    from days
),

cohort_members as (
    select
        'month' as cohort_grain,
        cast(date_trunc('month', aged.applied_on) as date) as cohort_on,
        aged.*,
        {{ scope_keys('scopes') }}
    from aged
    left join scopes on aged.job_id = scopes.job_id and aged.source = scopes.source
    union all by name
    select
        'week' as cohort_grain,
        cast(date_trunc('week', applied_on) as date) as cohort_on,
        *
    from aged
),

alike as (
    select
        cohort_grain,
        cohort_on,
        {{ funnel_scope() }},
        milestone,
        milestone_rank,
        age_lo,
        age_at,
        age_hi,
        age_known,
        count(*) as n
    from cohort_members
    group by {{ scope_sets([
        'cohort_grain', 'cohort_on', 'milestone', 'milestone_rank', 'age_lo', 'age_at', 'age_hi', 'age_known'
    ]) }}
),

-- Hidden groups are left out here, before each age multiplies their rows.
shown_groups as (
    select
        cohort_grain,
        cohort_on,
        scope,
        scope_key
    from {{ ref('int_funnel_suppression') }}
    where not is_suppressed
),

counted as (
    select
        alike.cohort_grain,
        alike.cohort_on,
        alike.scope,
        alike.scope_key,
        alike.milestone,
        alike.milestone_rank,
        ages.age_days,
        {{ sum_where('alike.n', 'alike.age_known >= ages.age_days') }} as n_old_enough,
        {{ sum_where('alike.n', 'ages.age_days between alike.age_hi and alike.age_known') }} as n_reached_lo,
        {{ sum_where('alike.n', 'ages.age_days between alike.age_at and alike.age_known') }} as n_reached,
        {{ sum_where('alike.n', 'ages.age_days between alike.age_lo and alike.age_known') }} as n_reached_hi
    from alike
    inner join shown_groups
        on
            alike.cohort_grain = shown_groups.cohort_grain
            and alike.cohort_on = shown_groups.cohort_on
            and alike.scope = shown_groups.scope
            and alike.scope_key = shown_groups.scope_key
    cross join ages
    group by all
),

-- Every application reaches the first milestone, so its rows are the members.
members as (
    select
        cohort_grain,
        cohort_on,
        scope,
        scope_key,
        age_days,
        n_old_enough
    from counted
    where milestone_rank = 1
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

final as (
    select
        members.cohort_grain,
        members.cohort_on,
        members.scope,
        members.scope_key,
        milestones.milestone,
        milestones.milestone_rank,
        members.age_days,
        members.n_old_enough,
        coalesce(counted.n_reached_lo, 0) as n_reached_lo,
        coalesce(counted.n_reached, 0) as n_reached,
        coalesce(counted.n_reached_hi, 0) as n_reached_hi
    from members
    cross join milestones
    left join counted
        on
            members.cohort_grain = counted.cohort_grain
            and members.cohort_on = counted.cohort_on
            and members.scope = counted.scope
            and members.scope_key = counted.scope_key
            and members.age_days = counted.age_days
            and milestones.milestone = counted.milestone
)

select * from final
