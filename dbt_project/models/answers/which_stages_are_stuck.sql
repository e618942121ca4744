with

waiting as (
    select * from {{ ref('mart_pipeline_now') }}
),

jobs as (
    select * from {{ ref('dim_job') }}
),

stages as (
    select * from {{ ref('dim_stage') }}
),

final as (
    select
        jobs.job_name,
        jobs.city,
        stages.stage_name,
        waiting.milestone,
        waiting.n_open,
        waiting.n_in_closed_job,
        waiting.n_stuck,
        waiting.n_certainly_stuck,
        waiting.share_stuck,
        waiting.days_in_stage_p50,
        waiting.stuck_after_days,
        waiting.job_key,
        waiting.stage_key,
        waiting.is_suppressed
    from waiting
    left join jobs on waiting.job_id = jobs.job_id
    left join stages on waiting.stage_id = stages.stage_id
    where waiting.scope = 'job'
)

select * from final
order by n_stuck desc nulls last, n_open desc nulls last, job_key asc, stage_key asc
