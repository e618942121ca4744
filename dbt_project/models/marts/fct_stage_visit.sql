with

events as (
    select * from {{ ref('int_application_event') }}
),

applications as (
    select * from {{ ref('int_application_status') }}
),

stages as (
    select * from {{ ref('int_stage') }}
),

-- One that reappears had not vanished: only the deletion that stands ends a visit.
standing as (
    select
        events.application_key,
        events.event_number,
        events.event_type,
        events.to_stage_id,
        events.to_outcome,
        events.event_at_lo,
        events.event_at,
        events.event_at_hi,
        events.evidence,
        applications.is_left_truncated
    from events
    inner join applications on events.application_key = applications.application_key
    qualify
        events.event_type <> 'REAPPEARED'
        and (
            events.event_type <> 'VANISHED'
            or (
                applications.is_deleted
                and events.event_number = max(events.event_number) filter (where events.event_type = 'VANISHED')
                    over (partition by events.application_key)
            )
        )
),

-- Stage and outcome after each event, by the last events that set them.
told as (
    select
        *,
        arg_max_null(to_stage_id, event_number) filter (where event_type in ('FIRST_SEEN', 'STAGE_CHANGED'))
            over history as stage_id,
        arg_max(coalesce(to_outcome, 'UNKNOWN'), event_number)
        filter (where event_type in ('FIRST_SEEN', 'OUTCOME_CHANGED', 'REOPENED'))
            over history as outcome
    from standing
    window history as (partition by application_key order by event_number)
),

-- The stage in which the application waits after the event; none once it is decided or gone.
waiting as (
    select
        *,
        case when outcome = 'PENDING' and event_type <> 'VANISHED' then stage_id end as waits_in
    from told
),

changes as (
    select
        *,
        lag(waits_in) over history as waited_in
    from waiting
    window history as (partition by application_key order by event_number)
    qualify waits_in is distinct from waited_in
),

bounded_visits as (
    select
        application_key,
        event_number,
        waits_in as stage_id,
        event_at_lo as entered_at_lo,
        event_at as entered_at,
        event_at_hi as entered_at_hi,
        evidence as entered_evidence,
        is_left_truncated and event_number = 1 as is_left_truncated,
        lead(event_type) over history as end_type,
        lead(outcome) over history as end_outcome,
        lead(waits_in) over history as to_stage_id,
        lead(event_at_lo) over history as left_at_lo,
        lead(event_at) over history as left_at,
        lead(event_at_hi) over history as left_at_hi,
        lead(evidence) over history as left_evidence
    from changes
    window history as (partition by application_key order by event_number)
    qualify waits_in is not null
),

-- First seen decided, and made after the first sync: it came, and was decided, between two looks.
short_visits as (
    select
        application_key,
        event_number,
        stage_id,
        event_at_lo as entered_at_lo,
        event_at as entered_at,
        event_at_hi as entered_at_hi,
        evidence as entered_evidence,
        false as is_left_truncated,
        'OUTCOME_CHANGED' as end_type,
        outcome as end_outcome,
        null as to_stage_id,
        event_at_lo as left_at_lo,
        event_at as left_at,
        event_at_hi as left_at_hi,
        evidence as left_evidence
    from told
    where
        event_type = 'FIRST_SEEN'
        and outcome in ('HIRED', 'DECLINED')
        and stage_id is not null
        and not is_left_truncated
),

visits as (
    select * from bounded_visits
    union all
    select * from short_visits
),

ended as (
    select
        *,
        case
            when end_type = 'STAGE_CHANGED' then 'MOVED'
            when end_type = 'VANISHED' then 'VANISHED'
            when end_type is not null then end_outcome
        end as exit
    from visits
),

-- What becomes of an unknown outcome is not known: the visit is open as far as it was known to be.
final as (
    select
        ended.application_key,
        row_number() over (partition by ended.application_key order by ended.event_number) as visit_number,
        applications.job_id,
        ended.stage_id,
        stages.milestone,
        ended.entered_at_lo,
        ended.entered_at,
        ended.entered_at_hi,
        ended.entered_evidence,
        ended.left_at_lo,
        ended.left_at,
        ended.left_at_hi,
        ended.left_evidence,
        ended.exit,
        ended.to_stage_id,
        case
            when ended.exit = 'MOVED' then 'completed'
            when ended.exit in ('HIRED', 'DECLINED', 'VANISHED') then 'terminal'
            else 'open'
        end as visit_status,
        case
            when ended.exit is null then greatest(applications.last_known_open_at, ended.entered_at_hi)
            when ended.exit = 'UNKNOWN' then ended.left_at_lo
        end as known_until_at,
        {{ days_between('ended.entered_at_hi', 'coalesce(ended.left_at_lo, known_until_at)') }} as days_in_stage_lo,
        case
            when visit_status <> 'open' then {{ days_between('ended.entered_at', 'ended.left_at') }}
        end as days_in_stage,
        case
            when visit_status <> 'open' then {{ days_between('ended.entered_at_lo', 'ended.left_at_hi') }}
        end as days_in_stage_hi,
        ended.is_left_truncated
    from ended
    inner join applications on ended.application_key = applications.application_key
    left join stages on ended.stage_id = stages.stage_id
)

select * from final
