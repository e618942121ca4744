with

cohorts as (
    select * from {{ ref('fct_funnel_cohort_age') }}
),

final as (
    select
        cohort_on as applied_month_on,
        milestone,
        milestone_rank,
        age_days,
        n_cohort as n_applications,
        n_old_enough,
        conversion_lo,
        conversion,
        conversion_hi,
        is_mature,
        is_left_truncated,
        is_suppressed
    from cohorts
    where scope = 'overall' and cohort_grain = 'month' and milestone_rank > 1
)

select * from final
order by applied_month_on, milestone_rank, age_days
