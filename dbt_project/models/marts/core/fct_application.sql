with

applications as (
    select * from {{ ref('int_application_status') }}
),

stages as (
    select * from {{ ref('int_stage') }}
),

furthest as (
    select
        application_key,
        arg_max(milestone, milestone_rank) as furthest_milestone,
        max(milestone_rank) as furthest_milestone_rank
    from {{ ref('int_application_milestone') }}
    group by application_key
),

jobs as (
    select * from {{ ref('int_job') }}
),

job_stages as (
    select * from {{ ref('int_job_stage') }}
),

first_decisions as (
    select * from {{ ref('int_first_decision') }}
),

first_movements as (
    select * from {{ ref('int_first_movement') }}
),

events as (
    select * from {{ ref('fct_application_stage_event') }}
),

-- Within its job, stages are ordered as they were last shown.
moves as (
    select
        events.application_key,
        arg_max(events.to_stage_id, job_stages.stage_rank) as furthest_stage_id,
        count(*) filter (where events.event_type = 'STAGE_CHANGED') as n_stage_changes,
        count(*) filter (where events.is_back_move) as n_back_moves,
        count(*) filter (where events.is_reentry) as n_reentries,
        count(*) filter (where events.event_type = 'REOPENED') as n_reopened,
        count(*) filter (where events.event_type = 'REAPPEARED') as n_reappeared
    from events
    left join {{ ref('int_job_stage') }} as job_stages
        on
            events.event_type in ('FIRST_SEEN', 'STAGE_CHANGED')
            and events.job_id = job_stages.job_id
            and events.to_stage_id = job_stages.stage_id
    group by events.application_key
),

final as (
    select
        applications.application_key,
        applications.job_id,
        applications.candidate_key,
        applications.source,
        applications.is_premium_source,
        applications.qualified,
        applications.consent_status,
        applications.status,
        applications.expiry_evidence,
        applications.state,
        applications.stage_id,
        coalesce(job_stages.milestone, stages.milestone) as milestone,
        moves.furthest_stage_id,
        furthest.furthest_milestone,
        furthest.furthest_milestone_rank,
        {{ local_date('applications.applied_at') }} as applied_on,
        applications.applied_at_lo,
        applications.applied_at,
        applications.applied_at_hi,
        applications.applied_evidence,
        applications.decided_at_lo,
        applications.decided_at,
        applications.decided_at_hi,
        applications.decided_evidence,
        first_decisions.first_decision,
        first_decisions.first_decided_at_lo,
        first_decisions.first_decided_at,
        first_decisions.first_decided_at_hi,
        case
            when not first_decisions.is_historic
                then {{ days_between('applications.applied_at_hi', 'first_decisions.first_decided_at_lo') }}
        end as days_to_decision_lo,
        case
            when not first_decisions.is_historic
                then {{ days_between('applications.applied_at', 'first_decisions.first_decided_at') }}
        end as days_to_decision,
        {{ days_between('applications.applied_at_lo', 'first_decisions.first_decided_at_hi') }} as days_to_decision_hi,
        first_movements.first_moved_at_lo,
        first_movements.first_moved_at,
        first_movements.first_moved_at_hi,
        case
            when not (first_movements.is_seen_moved and applications.is_left_truncated)
                then {{ days_between('applications.applied_at_hi', 'first_movements.first_moved_at_lo') }}
        end as days_to_first_movement_lo,
        case
            when not (first_movements.is_seen_moved and applications.is_left_truncated)
                then {{ days_between('applications.applied_at', 'first_movements.first_moved_at') }}
        end as days_to_first_movement,
        {{ days_between('applications.applied_at_lo', 'first_movements.first_moved_at_hi') }}
            as days_to_first_movement_hi,
        case when applications.status = 'HIRED' then applications.decided_at_lo end as hired_at_lo,
        case when applications.status = 'HIRED' then applications.decided_at end as hired_at,
        case when applications.status = 'HIRED' then applications.decided_at_hi end as hired_at_hi,
        case when applications.status = 'HIRED' then applications.decided_evidence end as hired_evidence,
        applications.last_known_open_at,
        applications.is_deleted,
        applications.deleted_at_lo,
        applications.deleted_at,
        applications.deleted_at_hi,
        coalesce(jobs.is_closed, false) as is_in_closed_job,
        applications.is_left_truncated,
        applications.is_historic,
        moves.n_stage_changes,
        moves.n_back_moves,
        moves.n_reentries,
        moves.n_reopened,
        moves.n_reappeared
    from applications
    inner join furthest on applications.application_key = furthest.application_key
    inner join moves on applications.application_key = moves.application_key
    inner join first_decisions on applications.application_key = first_decisions.application_key
    left join first_movements on applications.application_key = first_movements.application_key
    left join stages on applications.stage_id = stages.stage_id
    left join jobs on applications.job_id = jobs.job_id
    left join job_stages on applications.job_id = job_stages.job_id and applications.stage_id = job_stages.stage_id
)

select * from final
