-- lo <= best <= hi <= members old enough, and there are fewer of these at a greater age. No count exceeds the cohort.
with

counts as (
    select
        *,
        lag(n_old_enough) over ages as n_old_enough_before
    from {{ ref('int_funnel_cohort_age') }}
    window ages as (partition by cohort_grain, cohort_on, scope, scope_key, milestone order by age_days)
),

cohorts as (
    select * from {{ ref('int_funnel_cohort') }}
),

final as (
    select
        counts.scope_key,
        counts.cohort_on,
        counts.milestone,
        counts.age_days
    from counts
    left join cohorts
        on
            counts.cohort_grain = cohorts.cohort_grain
            and counts.cohort_on = cohorts.cohort_on
            and counts.scope = cohorts.scope
            and counts.scope_key = cohorts.scope_key
            and counts.milestone = cohorts.milestone
    where
        counts.n_reached_lo > counts.n_reached
        or counts.n_reached > counts.n_reached_hi
        or counts.n_reached_hi > counts.n_old_enough
        or counts.n_old_enough > coalesce(counts.n_old_enough_before, cohorts.n_cohort)
        or counts.n_reached_hi > cohorts.n_reached_assumed
        or (counts.milestone = 'SCREENING' and counts.n_reached < counts.n_old_enough)
)

select * from final
