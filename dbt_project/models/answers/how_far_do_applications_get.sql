with

cohorts as (
    select * from {{ ref('fct_funnel_cohort') }}
),

today as (
    select max(date_on) as date_on from {{ ref('dim_date') }}
),

summed as (
    select
        cohorts.is_left_truncated,
        cohorts.milestone,
        cohorts.milestone_rank,
        count(*) as n_months,
        count(*) filter (where cohorts.is_suppressed) as n_months_suppressed,
        cast(sum(cohorts.n_cohort) as bigint) as n_cohort,
        cast(sum(cohorts.n_unknown) as bigint) as n_unknown,
        cast(sum(cohorts.n_reached_assumed) as bigint) as n_reached_assumed,
        cast(sum(cohorts.n_moved_on) as bigint) as n_moved_on,
        cast(sum(cohorts.n_out) as bigint) as n_out,
        cast(sum(cohorts.n_waiting) as bigint) as n_waiting,
        cast(sum(cohorts.n_in_closed_job) as bigint) as n_in_closed_job,
        {{ sum_where('cohorts.n_reached_assumed - cohorts.n_moved_on', 'cohorts.n_waiting is null') }}
            as n_waiting_or_out,
        {{ sum_where('cohorts.n_moved_on', 'cohorts.n_out is not null') }} as n_moved_on_told
    from cohorts
    cross join today
    where
        cohorts.scope = 'overall'
        and cohorts.cohort_grain = 'month'
        and cohorts.cohort_on > today.date_on - interval 12 month
    group by cohorts.is_left_truncated, cohorts.milestone, cohorts.milestone_rank
),

-- Nothing lies beyond the last milestone, so it has no rates. The mature rate leaves out months that hide who is out.
based as (
    select
        *,
        case when milestone <> 'HIRED' then n_moved_on_told + n_out end as n_mature,
        case when milestone <> 'HIRED' then n_reached_assumed end as n_passable
    from summed
),

final as (
    select
        is_left_truncated,
        milestone,
        milestone_rank,
        n_months,
        n_months_suppressed,
        n_cohort as n_applications,
        n_unknown,
        n_reached_assumed as n_reached,
        n_moved_on,
        n_out,
        n_waiting,
        n_in_closed_job,
        n_waiting_or_out,
        {{ rate('n_moved_on_told', 'n_mature') }} as pass_through,
        {{ wilson('n_moved_on_told', 'n_mature', 'low') }} as pass_through_wilson_low,
        {{ wilson('n_moved_on_told', 'n_mature', 'high') }} as pass_through_wilson_high,
        {{ rate('n_moved_on', 'n_passable') }} as pass_through_low,
        {{ rate('(n_moved_on + coalesce(n_waiting, 0) + n_waiting_or_out)', 'n_passable') }} as pass_through_high
    from based
)

select * from final
order by is_left_truncated, milestone_rank
