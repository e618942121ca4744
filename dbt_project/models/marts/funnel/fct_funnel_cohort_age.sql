with

counts as (
    select * from {{ ref('int_funnel_cohort_age') }}
),

cohorts as (
    select * from {{ ref('fct_funnel_cohort') }}
),

-- The members of an age are a group of people of their own. Where few are old enough, their numbers are hidden.
shown as (
    select
        counts.cohort_grain,
        counts.cohort_on,
        counts.scope,
        counts.scope_key,
        cohorts.job_id,
        cohorts.source,
        counts.milestone,
        counts.milestone_rank,
        counts.age_days,
        cohorts.n_cohort,
        cohorts.is_left_truncated,
        counts.n_old_enough < {{ var('k') }} as is_suppressed,
        case when not is_suppressed then counts.n_old_enough end as n_old_enough,
        case when not is_suppressed then counts.n_reached_lo end as n_reached_lo,
        case when not is_suppressed then counts.n_reached end as n_reached,
        case when not is_suppressed then counts.n_reached_hi end as n_reached_hi
    from counts
    inner join cohorts
        on
            counts.cohort_grain = cohorts.cohort_grain
            and counts.cohort_on = cohorts.cohort_on
            and counts.scope = cohorts.scope
            and counts.scope_key = cohorts.scope_key
            and counts.milestone = cohorts.milestone
),

final as (
    select
        cohort_grain,
        cohort_on,
        scope,
        scope_key,
        job_id,
        source,
        milestone,
        milestone_rank,
        age_days,
        n_cohort,
        n_old_enough,
        n_reached_lo,
        n_reached,
        n_reached_hi,
        {{ rate('n_reached_lo', 'n_old_enough') }} as conversion_lo,
        {{ rate('n_reached', 'n_old_enough') }} as conversion,
        {{ rate('n_reached_hi', 'n_old_enough') }} as conversion_hi,
        {{ wilson('n_reached', 'n_old_enough', 'low') }} as conversion_wilson_low,
        {{ wilson('n_reached', 'n_old_enough', 'high') }} as conversion_wilson_high,
        coalesce(n_old_enough = n_cohort, false) as is_mature,
        is_left_truncated,
        is_suppressed
    from shown
)

select * from final
