with

counts as (
    select * from {{ ref('int_funnel_cohort') }}
),

-- Cohorts add up to all applications, the jobs of a cohort to the cohort, and the sources of a job to the job. One row
-- per group of people.
groups as (
    select
        cohort_grain,
        cohort_on,
        scope,
        scope_key,
        n_cohort,
        {{ is_hidden(
            'n_cohort',
            "cohort_grain, case when scope <> 'overall' then cohort_on end, " ~ scope_family(),
            'cohort_on, scope_key'
        ) }} as is_hidden
    from counts
    where milestone_rank = 1
),

-- The parts of a hidden cohort are hidden, too, because they add up to it.
final as (
    select
        cohort_grain,
        cohort_on,
        scope,
        scope_key,
        bool_or(is_hidden and scope = 'overall') over (partition by cohort_grain, cohort_on) or is_hidden
            as is_suppressed
    from groups
)

select * from final
