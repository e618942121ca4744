-- No number of a shared model is about fewer than k people, and no hidden group is the only one of its total.
with

cohorts as (
    select
        shown.cohort_grain,
        shown.cohort_on,
        shown.scope,
        shown.n_cohort,
        counts.n_cohort as n_true,
        case when shown.scope <> 'overall' then shown.cohort_on end as family,
        case when shown.scope = 'job_source' then shown.job_id end as job_id
    from {{ ref('fct_funnel_cohort') }} as shown
    inner join {{ ref('int_funnel_cohort') }} as counts
        on
            shown.cohort_grain = counts.cohort_grain
            and shown.cohort_on = counts.cohort_on
            and shown.scope = counts.scope
            and shown.scope_key = counts.scope_key
            and shown.milestone = counts.milestone
    where shown.milestone_rank = 1
),

final as (
    select
        cohort_grain,
        scope,
        family
    from cohorts
    group by cohort_grain, scope, family, job_id
    having
        min(n_cohort) < {{ var('k') }}
        or (
            count(*) > 1
            and count(*) - count(n_cohort) = 1
            and sum(n_true) filter (where n_cohort is null) < {{ var('k') }}
        )
)

select * from final
