{{ config(materialized='view') }}

with

versions as (
    select * from {{ ref('int_application_version') }}
),

events as (
    select * from {{ ref('int_application_event') }}
),

-- An application that had moved when it was first seen moved between its creation and then.
seen_moved as (
    select
        application_key,
        became_at_lo as first_moved_at_lo,
        became_at as first_moved_at,
        became_at_hi as first_moved_at_hi
    from versions
    where version_number = 1 and is_moved_before
),

-- Else the first change of stage or outcome counts. Deletions and returns are no movements.
changes as (
    select
        application_key,
        arg_min_null(event_at_lo, event_number) as first_moved_at_lo,
        arg_min_null(event_at, event_number) as first_moved_at,
        arg_min_null(event_at_hi, event_number) as first_moved_at_hi
    from events
    where event_type in ('STAGE_CHANGED', 'JOB_CHANGED', 'OUTCOME_CHANGED', 'REOPENED')
    group by application_key
),

final as (
    select
        *,
        true as is_seen_moved
    from seen_moved
    union all
    select
        changes.*,
        false as is_seen_moved
    from changes
    anti join seen_moved on changes.application_key = seen_moved.application_key
)

select * from final
