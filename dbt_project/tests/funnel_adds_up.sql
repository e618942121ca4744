-- Observed never exceeds assumed. Assumed falls along the milestones, and equals moved on + out + waiting + expired (at
-- the last milestone + hired). The mature rate lies within its bounds. Every application is in its cohort, in
-- each scope that tells of all of them.
with

counts as (
    select
        *,
        lag(n_reached_assumed) over (
            partition by cohort_grain, cohort_on, scope, scope_key order by milestone_rank
        ) as n_reached_before
    from {{ ref('int_funnel_cohort') }}
),

broken_counts as (
    select 'counts of ' || scope_key || ' ' || cohort_on as broken
    from counts
    where
        n_reached_observed > n_reached_assumed
        or n_reached_assumed > coalesce(n_reached_before, n_cohort)
        or n_reached_assumed <> n_moved_on + n_out + n_waiting + n_expired + if(milestone = 'HIRED', n_hired, 0)
),

broken_rates as (
    select 'rates of ' || scope_key || ' ' || cohort_on as broken
    from {{ ref('fct_funnel_cohort') }}
    where
        pass_through_low > pass_through
        or pass_through > pass_through_high
        or pass_through_low > pass_through_high
        or pass_through_wilson_low > pass_through + 1e-9
        or pass_through > pass_through_wilson_high + 1e-9
),

totals as (
    select
        cohort_grain,
        scope,
        sum(n_cohort) as n
    from counts
    where milestone_rank = 1 and scope <> 'job_source'
    group by cohort_grain, scope
),

broken_totals as (
    select 'total of ' || cohort_grain || ' ' || scope as broken
    from totals
    where n <> (select count(*) from {{ ref('fct_application') }})
),

final as (
    select * from broken_counts
    union all
    select * from broken_rates
    union all
    select * from broken_totals
)

select * from final
