with

lines as (
    select * from {{ ref('int_plan_line') }}
),

jobs as (
    select * from {{ ref('stg_ats__jobs') }}
),

-- A name can be that of several jobs, such as one job in two cities: the line is for all of them. An id is of one job.
by_job as (
    select
        lines.line_number,
        jobs.job_id
    from lines
    inner join jobs
        on
            {{ name_key('lines.job') }} = {{ name_key('jobs.job_name') }}
            or regexp_replace(lines.job, '^remote:', '') = jobs.job_remote_id
            or lines.job = jobs.job_id
            or lines.job = jobs.external_id
),

by_category as (
    select
        lines.line_number,
        jobs.job_id
    from lines
    inner join jobs on {{ name_key('lines.category') }} = {{ name_key('jobs.category') }}
),

final as (
    select * from by_job
    union all
    select * from by_category
)

select * from final
