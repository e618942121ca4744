with

applications as (
    select * from {{ ref('fct_application') }}
    where status = 'OPEN'
),

visits as (
    select * from {{ ref('fct_stage_visit') }}
    where exit is null
),

rules as (
    select * from {{ ref('int_stuck_rule') }}
),

-- Nobody works on a job that is closed, so whoever waits there is not stuck but left behind.
closed_jobs as (
    select job_id
    from {{ ref('fct_job_vacancy') }}
    where status in ('ARCHIVED', 'CLOSED', 'DELETED')
),

-- Ages are counted to the last sync that proves that the application waits, not to now.
aged as (
    select
        applications.application_key,
        applications.job_id,
        applications.source,
        applications.stage_id,
        applications.milestone,
        applications.applied_at,
        visits.entered_at_lo,
        visits.entered_at,
        visits.entered_at_hi,
        visits.entered_evidence,
        applications.last_known_open_at as known_until_at,
        {{ days_between('applications.applied_at', 'applications.last_known_open_at') }} as days_since_applied,
        {{ days_between('visits.entered_at_hi', 'applications.last_known_open_at') }} as days_in_stage_lo,
        {{ days_between('visits.entered_at', 'applications.last_known_open_at') }} as days_in_stage,
        {{ days_between('visits.entered_at_lo', 'applications.last_known_open_at') }} as days_in_stage_hi
    from applications
    left join visits on applications.application_key = visits.application_key
),

final as (
    select
        aged.application_key,
        aged.job_id,
        aged.source,
        aged.stage_id,
        aged.milestone,
        aged.applied_at,
        aged.entered_at_lo,
        aged.entered_at,
        aged.entered_at_hi,
        aged.entered_evidence,
        aged.known_until_at,
        aged.days_since_applied,
        aged.days_in_stage_lo,
        aged.days_in_stage,
        aged.days_in_stage_hi,
        rules.stuck_rule,
        rules.stuck_after_days,
        closed_jobs.job_id is not null as is_in_closed_job,
        closed_jobs.job_id is null and coalesce(aged.days_in_stage > rules.stuck_after_days, false) as is_stuck,
        closed_jobs.job_id is null
        and coalesce(aged.days_in_stage_lo > rules.stuck_after_days, false) as is_certainly_stuck
    from aged
    left join closed_jobs on aged.job_id = closed_jobs.job_id
    left join rules on aged.milestone = rules.milestone
)

select * from final
