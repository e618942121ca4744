with

-- Not materialized, because DuckDB would keep a CTE with several readers whole, and there are many events.
events as not materialized (
    select * from {{ ref('int_application_event') }}
),

applications as (
    select * from {{ ref('int_application_status') }}
),

job_stages as (
    select * from {{ ref('int_job_stage') }}
),

-- When an application first came to each of its stages. A later arrival is a re-entry.
entries as (
    select
        application_key,
        to_stage_id,
        min(event_number) as first_event_number
    from events
    where event_type in ('FIRST_SEEN', 'STAGE_CHANGED')
    group by application_key, to_stage_id
),

final as (
    select
        events.application_key,
        events.event_number,
        events.event_type,
        events.job_id,
        events.from_stage_id,
        events.to_stage_id,
        events.from_outcome,
        events.to_outcome,
        events.from_state,
        events.to_state,
        events.event_at_lo,
        events.event_at,
        events.event_at_hi,
        events.evidence,
        events.lo_sync_id,
        events.hi_sync_id,
        case
            when events.event_type = 'STAGE_CHANGED' then abs(to_stages.stage_rank - from_stages.stage_rank) - 1
        end as n_stages_between,
        coalesce(
            events.event_type = 'STAGE_CHANGED' and to_stages.stage_rank < from_stages.stage_rank, false
        ) as is_back_move,
        coalesce(events.event_number > entries.first_event_number, false) as is_reentry,
        events.is_unannounced,
        events.is_in_the_future
    from events
    inner join applications on events.application_key = applications.application_key
    left join entries
        on
            events.event_type = 'STAGE_CHANGED'
            and events.application_key = entries.application_key
            and events.to_stage_id is not distinct from entries.to_stage_id
    left join job_stages as from_stages
        on events.job_id = from_stages.job_id and events.from_stage_id = from_stages.stage_id
    left join job_stages as to_stages
        on events.job_id = to_stages.job_id and events.to_stage_id = to_stages.stage_id
)

select * from final
