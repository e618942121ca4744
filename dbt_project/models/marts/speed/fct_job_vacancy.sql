{%- set second = '(1 / 86400.0)' -%}

with

jobs as (
    select * from {{ ref('stg_ats__jobs') }}
),

statuses as (
    select * from {{ ref('int_job_status') }}
),

applications as (
    select * from {{ ref('fct_application') }}
),

syncs as (
    select * from {{ ref('int_sync') }}
),

looks as (
    select
        min(started_at) as first_at,
        max(proves_at) filter (where is_proof_of_jobs) as last_at
    from syncs
),

numbered as (
    select
        *,
        coalesce(max(status_number) filter (where is_open) over (partition by job_id), 0) as last_open_number
    from statuses
),

-- A job's time as open ends with the first end after it was last open: it can be archived and then deleted.
last_statuses as (
    select
        job_id,
        arg_max(status, status_number) as status,
        arg_max(is_open, status_number) as is_open,
        arg_min(status = 'DRAFT', status_number) and bool_or(status <> 'DRAFT') as was_draft,
        min(observed_at) filter (where status <> 'DRAFT') as first_seen_at,
        arg_min(
            struct_pack(
                status_number := status_number,
                at_lo := from_at_lo,
                at := from_at,
                at_hi := from_at_hi
            ),
            status_number
        ) filter (where status_number > last_open_number and status in ('ARCHIVED', 'CLOSED', 'DELETED')) as closed
    from numbered
    group by job_id
),

-- The first of several hires lies between the least lo and the least hi of all of them.
counts as (
    select
        job_id,
        count(*) as n_applications,
        count(*) filter (where status = 'OPEN') as n_open_applications,
        count(*) filter (where status = 'HIRED') as n_hired,
        min(applied_at) as first_applied_at,
        case when not bool_or(status = 'HIRED' and hired_at_lo is null) then min(hired_at_lo) end
            as first_hired_at_lo,
        min(hired_at) as first_hired_at,
        min(hired_at_hi) as first_hired_at_hi,
        max(hired_at) as last_hired_at,
        bool_or(status = 'HIRED' and is_historic) as has_historic_hire
    from applications
    where job_id is not null
    group by job_id
),

-- The source states when a job opened. If the job was a draft before, the first sync that saw it otherwise dates that,
-- and it may have opened while that sync ran. Where the source states its creation only, the job may have been a draft
-- until it was first seen: also one that was first seen closed, and opened again.
vacancies as (
    select
        jobs.job_id,
        last_statuses.status,
        case
            when counts.n_hired > 0 then 'FILLED'
            when last_statuses.is_open then 'OPEN'
            when last_statuses.closed.at is not null then 'CLOSED'
            when last_statuses.status = 'DRAFT' then 'DRAFT'
            else 'UNKNOWN'
        end as vacancy_status,
        case when last_statuses.was_draft then openings.jobs_proved_at else jobs.opened_at end as opened_at_lo,
        jobs.opened_at,
        case
            when jobs.opened_at is null then null
            when last_statuses.was_draft then greatest(jobs.opened_at, last_statuses.first_seen_at)
            when coalesce(jobs.opened_at <> jobs.remote_created_at, true) then jobs.opened_at
            else greatest(jobs.opened_at, last_statuses.first_seen_at)
        end as opened_at_hi,
        case
            when jobs.opened_at is null then null
            when last_statuses.was_draft then 'observed'
            when coalesce(jobs.opened_at <> jobs.remote_created_at, true) then 'source'
            else 'bounded'
        end as opened_evidence,
        counts.first_applied_at,
        counts.first_hired_at_lo,
        counts.first_hired_at,
        counts.first_hired_at_hi,
        counts.last_hired_at,
        last_statuses.closed.at_lo as closed_at_lo,
        last_statuses.closed.at as closed_at,
        last_statuses.closed.at_hi as closed_at_hi,
        coalesce(counts.n_applications, 0) as n_applications,
        coalesce(counts.n_open_applications, 0) as n_open_applications,
        if(last_statuses.status in ('ARCHIVED', 'CLOSED', 'DELETED'), coalesce(counts.n_open_applications, 0), 0)
            as n_in_closed_job,
        coalesce(counts.n_hired, 0) as n_hired,
        coalesce(jobs.opened_at < looks.first_at, true) as is_left_truncated,
        case
            when counts.n_hired > 0 then counts.has_historic_hire
            else coalesce(last_statuses.closed.status_number = 1 and jobs.opened_at < looks.first_at, false)
        end as is_historic,
        {{ days_between('jobs.opened_at', 'looks.first_at') }} as entry_days,
        looks.last_at
    from jobs
    inner join last_statuses on jobs.job_id = last_statuses.job_id
    cross join looks
    left join counts on jobs.job_id = counts.job_id
    asof left join syncs as openings on jobs.opened_at >= openings.started_at
),

-- The first hire fills a job. A job archived or deleted without a hire ends otherwise, and one open without is
-- censored.
ended as (
    select
        *,
        case when vacancy_status in ('FILLED', 'CLOSED') then vacancy_status end as event,
        case vacancy_status when 'FILLED' then first_hired_at_lo when 'CLOSED' then closed_at_lo else last_at end
            as exit_at_lo,
        case vacancy_status when 'FILLED' then first_hired_at when 'CLOSED' then closed_at else last_at end as exit_at,
        case vacancy_status when 'FILLED' then first_hired_at_hi when 'CLOSED' then closed_at_hi else last_at end
            as exit_at_hi
    from vacancies
),

durations as (
    select
        *,
        {{ days_between('opened_at_hi', 'exit_at_lo') }} as days_lo,
        {{ days_between('opened_at', 'exit_at') }} as days,
        {{ days_between('opened_at_lo', 'exit_at_hi') }} as days_hi,
        entry_days + {{ second }} as least_days
    from ended
),

risks as (
    select
        *,
        coalesce(
            vacancy_status in ('FILLED', 'OPEN', 'CLOSED') and not is_historic and days_hi > entry_days, false
        ) as is_at_risk
    from durations
),

final as (
    select
        job_id,
        status,
        vacancy_status,
        opened_at_lo,
        opened_at,
        opened_at_hi,
        opened_evidence,
        first_applied_at,
        first_hired_at_lo,
        first_hired_at,
        first_hired_at_hi,
        last_hired_at,
        closed_at_lo,
        closed_at,
        closed_at_hi,
        n_applications,
        n_open_applications,
        n_in_closed_job,
        n_hired,
        case when event = 'FILLED' and not is_historic then days_lo end as days_to_fill_lo,
        case when event = 'FILLED' and not is_historic then days end as days_to_fill,
        case when event = 'FILLED' then days_hi end as days_to_fill_hi,
        entry_days,
        event,
        case when is_at_risk then greatest(days_lo, least_days) end as exit_days_lo,
        case when is_at_risk then greatest(days, least_days) end as exit_days,
        case when is_at_risk then greatest(days_hi, least_days) end as exit_days_hi,
        is_at_risk,
        is_left_truncated,
        is_historic
    from risks
)

select * from final
