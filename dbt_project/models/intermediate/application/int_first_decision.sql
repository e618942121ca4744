with

-- Not materialized, because DuckDB would keep a CTE with several readers whole, and there are many events.
events as not materialized (
    select * from {{ ref('int_application_event') }}
),

applications as (
    select * from {{ ref('int_application_status') }}
),

-- The first hire or rejection counts even if it was undone later.
first_outcomes as (
    select
        application_key,
        min(event_number) as event_number
    from events
    where event_type in ('FIRST_SEEN', 'OUTCOME_CHANGED') and to_outcome in ('HIRED', 'DECLINED')
    group by application_key
),

-- Without a hire or rejection, the vanishing that stands counts.
final as (
    select
        applications.application_key,
        coalesce(
            events.to_outcome, case when applications.status = 'VANISHED' then 'VANISHED' end
        ) as first_decision,
        if(events.event_at is null, applications.decided_at_lo, events.event_at_lo) as first_decided_at_lo,
        coalesce(events.event_at, applications.decided_at) as first_decided_at,
        coalesce(events.event_at_hi, applications.decided_at_hi) as first_decided_at_hi,
        coalesce(events.event_type = 'FIRST_SEEN' and applications.is_left_truncated, false) as is_historic
    from applications
    left join first_outcomes on applications.application_key = first_outcomes.application_key
    left join events
        on
            first_outcomes.application_key = events.application_key
            and first_outcomes.event_number = events.event_number
)

select * from final
