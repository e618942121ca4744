with

versions as (
    select * from {{ ref('int_application_version') }}
),

events as (
    select * from {{ ref('int_application_event') }}
),

applied as (
    select * from {{ ref('int_application_applied') }}
),

follow_up as (
    select followed_until from {{ ref('int_follow_up') }}
),

expiries as (
    select * from {{ ref('int_expiry') }}
),

-- What was last shown, even if the record is deleted by now; then its newest version is its vanishing.
last_shown as (
    select
        application_key,
        case when is_deleted then previous_stage_id else stage_id end as stage_id,
        case when is_deleted then previous_state else state end as state,
        case when is_deleted then previous_outcome else outcome end as outcome,
        is_deleted,
        struct_pack(
            event_type := 'VANISHED',
            event_at_lo := became_at_lo,
            event_at := became_at,
            event_at_hi := became_at_hi,
            evidence := evidence
        ) as vanished_by
    from versions
    where is_newest
),

-- The outcome that stands came with the last event that set one.
last_outcome as (
    select
        application_key,
        arg_max(
            struct_pack(
                event_type := event_type,
                event_at_lo := event_at_lo,
                event_at := event_at,
                event_at_hi := event_at_hi,
                evidence := evidence
            ),
            event_number
        ) as set_by
    from events
    where event_type in ('FIRST_SEEN', 'OUTCOME_CHANGED', 'REOPENED')
    group by application_key
),

-- An application that was deleted in the ATS while undecided has vanished, or expired if a rule deleted it. A decision
-- stands after a deletion.
statuses as (
    select
        applied.application_key,
        applied.candidate_key,
        applied.job_id,
        last_shown.stage_id,
        last_shown.state,
        applied.source,
        applied.is_premium_source,
        applied.qualified,
        applied.consent_status,
        last_shown.is_deleted,
        applied.last_version_at,
        case
            when last_shown.outcome in ('HIRED', 'DECLINED') then last_shown.outcome
            when last_shown.outcome is null then 'UNKNOWN'
            when last_shown.is_deleted and expiries.expiry_evidence in ('setting', 'detected') then 'EXPIRED'
            when last_shown.is_deleted then 'VANISHED'
            else 'OPEN'
        end as status,
        case
            when last_shown.is_deleted and coalesce(last_shown.outcome not in ('HIRED', 'DECLINED'), false)
                then expiries.expiry_evidence
        end as expiry_evidence,
        last_outcome.set_by,
        last_shown.vanished_by,
        applied.applied_at_lo,
        applied.applied_at,
        applied.applied_at_hi,
        applied.applied_evidence,
        applied.first_observed_at,
        applied.is_left_truncated
    from applied
    inner join last_shown on applied.application_key = last_shown.application_key
    inner join last_outcome on applied.application_key = last_outcome.application_key
    left join expiries on applied.application_key = expiries.application_key
),

decisions as (
    select
        *,
        case
            when status in ('HIRED', 'DECLINED') then set_by
            when status = 'VANISHED' then vanished_by
        end as decided_by
    from statuses
),

final as (
    select
        decisions.application_key,
        decisions.candidate_key,
        decisions.job_id,
        decisions.stage_id,
        decisions.state,
        decisions.source,
        decisions.is_premium_source,
        decisions.qualified,
        decisions.consent_status,
        decisions.status,
        decisions.expiry_evidence,
        decisions.applied_at_lo,
        decisions.applied_at,
        decisions.applied_at_hi,
        decisions.applied_evidence,
        decisions.first_observed_at,
        decisions.decided_by.event_at_lo as decided_at_lo,
        decisions.decided_by.event_at as decided_at,
        decisions.decided_by.event_at_hi as decided_at_hi,
        case
            when decisions.status = 'UNKNOWN' then 'unknown' else decisions.decided_by.evidence
        end as decided_evidence,
        case
            when decisions.status = 'OPEN'
                then greatest(follow_up.followed_until, decisions.last_version_at, decisions.applied_at)
            when decisions.status = 'EXPIRED' then decisions.vanished_by.event_at_lo
            when decisions.status = 'UNKNOWN' then decisions.set_by.event_at_lo
        end as last_known_open_at,
        decisions.is_deleted,
        case when decisions.is_deleted then decisions.vanished_by.event_at_lo end as deleted_at_lo,
        case when decisions.is_deleted then decisions.vanished_by.event_at end as deleted_at,
        case when decisions.is_deleted then decisions.vanished_by.event_at_hi end as deleted_at_hi,
        decisions.is_left_truncated,
        coalesce(
            decisions.is_left_truncated and decisions.decided_by.event_type = 'FIRST_SEEN', false
        ) as is_historic
    from decisions
    cross join follow_up
)

select * from final
