with

waiting as (
    select * from {{ ref('mart_service_due') }}
    where not is_in_closed_job
),

jobs as (
    select * from {{ ref('dim_job') }}
),

counted as (
    select
        waiting.job_id,
        waiting.milestone,
        waiting.days_allowed,
        count(*) as n_waiting,
        count(*) filter (where waiting.is_overdue) as n_overdue,
        round(max(-waiting.days_left), 1) as days_over_at_most
    from waiting
    group by waiting.job_id, waiting.milestone, waiting.days_allowed
),

final as (
    select
        jobs.job_name,
        jobs.city,
        counted.milestone,
        counted.days_allowed,
        counted.n_waiting,
        counted.n_overdue,
        counted.days_over_at_most,
        coalesce(counted.job_id, 'unknown') as job_key
    from counted
    left join jobs on counted.job_id = jobs.job_id
    where counted.n_overdue > 0
)

select * from final
order by n_overdue desc, days_over_at_most desc, job_key asc, milestone asc
