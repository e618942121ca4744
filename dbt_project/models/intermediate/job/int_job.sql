with

jobs as (
    select * from {{ ref('stg_ats__jobs') }}
),

last_statuses as (
    select
        job_id,
        arg_max(status, status_number) as status
    from {{ ref('int_job_status') }}
    group by job_id
),

final as (
    select
        jobs.job_id,
        nullif(trim(jobs.category), '') as category,
        nullif(trim(jobs.city), '') as city,
        coalesce(last_statuses.status in ('ARCHIVED', 'CLOSED', 'DELETED'), false) as is_closed
    from jobs
    left join last_statuses on jobs.job_id = last_statuses.job_id
)

select * from final
