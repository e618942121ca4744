with

-- Not materialized, because DuckDB would keep a CTE with several readers whole, and there are many events.
events as not materialized (
    select * from {{ ref('int_application_event') }}
),

applications as not materialized (
    select * from {{ ref('int_application_status') }}
),

stages as (
    select * from {{ ref('int_stage') }}
),

job_stages as (
    select * from {{ ref('int_job_stage') }}
),

-- An application that reappears has not vanished: only a deletion that stands ends a visit.
standing_ends as (
    select
        events.application_key,
        max(events.event_number) as event_number
    from events
    inner join applications on events.application_key = applications.application_key
    where events.event_type = 'VANISHED' and applications.is_deleted
    group by events.application_key
),

standing as (
    select events.*
    from events
    left join standing_ends
        on events.application_key = standing_ends.application_key and events.event_number = standing_ends.event_number
    where
        events.event_type <> 'REAPPEARED'
        and (events.event_type <> 'VANISHED' or standing_ends.event_number is not null)
),

-- An application that was made after the first sync and is first seen decided was decided between two fetches. It has a
-- visit, too.
waiting as (
    select
        standing.application_key,
        standing.event_number,
        standing.event_type,
        standing.event_at_lo,
        standing.event_at,
        standing.event_at_hi,
        standing.evidence,
        standing.waited_in,
        standing.waits_in,
        standing.job_id,
        coalesce(standing.waits_in, standing.to_stage_id) as stage_id,
        coalesce(standing.to_outcome, 'UNKNOWN') as outcome,
        applications.last_known_open_at,
        applications.status,
        applications.is_left_truncated as is_application_left_truncated,
        coalesce(
            standing.event_type = 'FIRST_SEEN'
            and standing.to_outcome in ('HIRED', 'DECLINED')
            and standing.to_stage_id is not null
            and not applications.is_left_truncated,
            false
        ) as is_short
    from standing
    inner join applications on standing.application_key = applications.application_key
),

-- Whoever moves to another job leaves the stage there and enters one here, whether or not it is called the same.
changes as (
    select * from waiting
    where waits_in is distinct from waited_in or is_short or (event_type = 'JOB_CHANGED' and waits_in is not null)
),

-- A visit ends with the next change. A visit between two fetches ends with the event that shows it.
visits as (
    select
        application_key,
        job_id,
        last_known_open_at,
        status,
        stage_id,
        event_at_lo as entered_at_lo,
        event_at as entered_at,
        event_at_hi as entered_at_hi,
        evidence as entered_evidence,
        is_application_left_truncated and event_number = 1 as is_left_truncated,
        count(*) filter (where waits_in is not null or is_short) over history as visit_number,
        case when is_short then 'OUTCOME_CHANGED' else lead(event_type) over history end as end_type,
        case when is_short then outcome else lead(outcome) over history end as end_outcome,
        case when not is_short then lead(waits_in) over history end as to_stage_id,
        case when is_short then event_at_lo else lead(event_at_lo) over history end as left_at_lo,
        case when is_short then event_at else lead(event_at) over history end as left_at,
        case when is_short then event_at_hi else lead(event_at_hi) over history end as left_at_hi,
        case when is_short then evidence else lead(evidence) over history end as left_evidence
    from changes
    window
        history as (
            partition by application_key order by event_number rows between unbounded preceding and current row
        )
    qualify waits_in is not null or is_short
),

ended as (
    select
        *,
        case
            when end_type in ('STAGE_CHANGED', 'JOB_CHANGED') then 'MOVED'
            when end_type = 'VANISHED' then if(status = 'EXPIRED', 'EXPIRED', 'VANISHED')
            when end_type is not null then end_outcome
        end as exit
    from visits
),

-- With an unknown outcome the end is not known: the visit is open for as long as the outcome was known. An expired
-- application was open until it was last seen.
final as (
    select
        ended.application_key,
        ended.visit_number,
        ended.job_id,
        ended.stage_id,
        coalesce(job_stages.milestone, stages.milestone) as milestone,
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
            when ended.exit is null then greatest(ended.last_known_open_at, ended.entered_at_hi)
            when ended.exit in ('UNKNOWN', 'EXPIRED') then ended.left_at_lo
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
    left join stages on ended.stage_id = stages.stage_id
    left join job_stages on ended.job_id = job_stages.job_id and ended.stage_id = job_stages.stage_id
)

select * from final
