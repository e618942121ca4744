-- Stays at milestones by days since the first look, up to the end of follow-up. A stay is the visits in a row at one
-- milestone of one job. Its instants are the best values.
with

visits as not materialized (
    select * from {{ ref('fct_stage_visit') }}
),

jobs as (
    select * from {{ ref('int_forecast_job') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

follow_up as (
    select * from {{ ref('int_follow_up') }}
),

ranked as (
    select
        visits.application_key,
        visits.visit_number,
        coalesce(visits.job_id, 'unknown') as job_key,
        milestones.milestone_rank,
        visits.entered_at,
        -- of an end that is not known, only until when there was none
        case
            when visits.exit in ('UNKNOWN', 'EXPIRED') then visits.known_until_at
            -- the sync that proves who is still there proves who is gone
            when visits.exit = 'VANISHED' and visits.left_at_lo < follow_up.followed_until
                then least(visits.left_at, follow_up.followed_until)
            else visits.left_at
        end as left_at,
        visits.exit,
        visits.entered_at_lo is not null and not (visits.is_left_truncated and visits.entered_evidence = 'bounded')
            as is_timed
    from visits
    inner join milestones on visits.milestone = milestones.milestone
    cross join follow_up
),

neighbours as (
    select
        *,
        lead(milestone_rank) over history as next_rank,
        coalesce(lag(exit) over history = 'MOVED', false)
        and lag(milestone_rank) over history = milestone_rank
        and lag(job_key) over history = job_key as is_continued,
        exit = 'MOVED' and coalesce(lead(job_key) over history <> job_key, false) as is_to_other_job
    from ranked
    window history as (partition by application_key order by visit_number)
),

numbered as (
    select
        *,
        count(*) filter (where not is_continued) over (
            partition by application_key order by visit_number rows between unbounded preceding and current row
        ) as stay_number
    from neighbours
),

stays as (
    select
        application_key,
        stay_number,
        any_value(job_key) as job_key,
        any_value(milestone_rank) as milestone_rank,
        min(entered_at) as entered_at,
        arg_min(is_timed, visit_number) as is_timed,
        arg_max_null(left_at, visit_number) as left_at,
        arg_max_null(exit, visit_number) as exit,
        arg_max_null(next_rank, visit_number) as next_rank,
        arg_max(is_to_other_job, visit_number) as is_to_other_job
    from numbered
    group by application_key, stay_number
),

-- Coming to the milestone HIRED is a hire. Nobody stays there. Who moves to another job is out of this one.
ended as (
    select
        dense_rank() over (order by stays.application_key) - 1 as application_number,
        jobs.job_number,
        stays.milestone_rank - 1 as milestone_number,
        stays.is_timed,
        (epoch_us(stays.entered_at) - epoch_us(follow_up.followed_from)) / 86400e6 as start_days,
        case
            when stays.exit is null then cast('infinity' as double)
            else (epoch_us(stays.left_at) - epoch_us(follow_up.followed_from)) / 86400e6
        end as end_days,
        case
            when stays.exit is null or stays.exit in ('UNKNOWN', 'EXPIRED') then -1
            when stays.exit = 'HIRED' then 3
            when stays.exit in ('DECLINED', 'VANISHED') or stays.is_to_other_job then 4
            else coalesce(stays.next_rank - 1, -1)
        end as exit_number
    from stays
    inner join jobs on stays.job_key = jobs.job_key
    cross join follow_up
    where stays.milestone_rank < 4 and stays.entered_at < follow_up.followed_until
),

final as (
    select
        application_number,
        job_number,
        milestone_number,
        is_timed,
        start_days,
        greatest(end_days, start_days) as end_days,
        exit_number
    from ended
)

select * from final
order by application_number, start_days, end_days
