with

bottlenecks as (
    select * from {{ ref('mart_bottleneck') }}
),

jobs as (
    select * from {{ ref('dim_job') }}
),

final as (
    select
        bottlenecks.scope,
        jobs.job_name,
        bottlenecks.milestone,
        bottlenecks.n_hires,
        round(bottlenecks.days_mean, 1) as days_at_milestone,
        round(bottlenecks.days_to_hire_mean, 1) as days_to_hire,
        round(bottlenecks.days_to_hire_mean_if_halved, 1) as days_to_hire_if_halved,
        bottlenecks.is_bottleneck,
        bottlenecks.scope_key as job_key,
        bottlenecks.is_suppressed
    from bottlenecks
    left join jobs on bottlenecks.job_id = jobs.job_id
    where bottlenecks.scope in ('overall', 'job')
)

select * from final
order by scope desc, job_name asc, job_key asc, days_at_milestone desc nulls last
