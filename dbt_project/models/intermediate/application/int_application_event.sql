with

-- Not materialized, because DuckDB would keep a CTE with several readers whole, and there are many versions.
versions as not materialized (
    select * from {{ ref('int_application_version') }}
),

first_seen as (
    select
        application_key,
        version_number,
        job_id,
        1 as place,
        'FIRST_SEEN' as event_type,
        null as from_stage_id,
        stage_id as to_stage_id,
        null as from_outcome,
        outcome as to_outcome,
        null as from_state,
        state as to_state,
        became_at_lo as event_at_lo,
        became_at as event_at,
        became_at_hi as event_at_hi,
        evidence,
        lo_sync_id,
        sync_id as hi_sync_id,
        null as waited_in,
        case when outcome = 'PENDING' then stage_id end as waits_in,
        is_unannounced,
        is_in_the_future
    from versions
    where version_number = 1
),

reappeared as (
    select
        application_key,
        version_number,
        previous_job_id as job_id,
        2 as place,
        'REAPPEARED' as event_type,
        null as from_stage_id,
        previous_stage_id as to_stage_id,
        null as from_outcome,
        previous_outcome as to_outcome,
        null as from_state,
        previous_state as to_state,
        returned_lo as event_at_lo,
        returned_at as event_at,
        returned_hi as event_at_hi,
        evidence,
        returned_lo_sync_id as lo_sync_id,
        sync_id as hi_sync_id,
        null as waited_in,
        case when previous_outcome = 'PENDING' then previous_stage_id end as waits_in,
        false as is_unannounced,
        is_in_the_future
    from versions
    where was_deleted and not is_deleted
),

stage_changed as (
    select
        application_key,
        version_number,
        job_id,
        3 as place,
        if(stage_id is distinct from previous_stage_id, 'STAGE_CHANGED', 'JOB_CHANGED') as event_type,
        previous_stage_id as from_stage_id,
        stage_id as to_stage_id,
        null as from_outcome,
        null as to_outcome,
        null as from_state,
        null as to_state,
        became_at_lo as event_at_lo,
        became_at as event_at,
        became_at_hi as event_at_hi,
        evidence,
        lo_sync_id,
        sync_id as hi_sync_id,
        case when previous_outcome = 'PENDING' then previous_stage_id end as waited_in,
        case when previous_outcome = 'PENDING' then stage_id end as waits_in,
        is_unannounced,
        is_in_the_future
    from versions
    where
        version_number > 1
        and not is_deleted
        and (stage_id is distinct from previous_stage_id or job_id <> previous_job_id)
),

outcome_changed as (
    select
        application_key,
        version_number,
        job_id,
        4 as place,
        case
            when previous_outcome in ('HIRED', 'DECLINED') and outcome = 'PENDING' then 'REOPENED'
            else 'OUTCOME_CHANGED'
        end as event_type,
        null as from_stage_id,
        null as to_stage_id,
        previous_outcome as from_outcome,
        outcome as to_outcome,
        previous_state as from_state,
        state as to_state,
        became_at_lo as event_at_lo,
        became_at as event_at,
        became_at_hi as event_at_hi,
        evidence,
        lo_sync_id,
        sync_id as hi_sync_id,
        case when previous_outcome = 'PENDING' then stage_id end as waited_in,
        case when outcome = 'PENDING' then stage_id end as waits_in,
        is_unannounced,
        is_in_the_future
    from versions
    where version_number > 1 and not is_deleted and outcome is distinct from previous_outcome
),

vanished as (
    select
        application_key,
        version_number,
        previous_job_id as job_id,
        5 as place,
        'VANISHED' as event_type,
        previous_stage_id as from_stage_id,
        null as to_stage_id,
        previous_outcome as from_outcome,
        null as to_outcome,
        previous_state as from_state,
        null as to_state,
        became_at_lo as event_at_lo,
        became_at as event_at,
        became_at_hi as event_at_hi,
        evidence,
        lo_sync_id,
        sync_id as hi_sync_id,
        case when previous_outcome = 'PENDING' then previous_stage_id end as waited_in,
        null as waits_in,
        is_unannounced,
        is_in_the_future
    from versions
    where is_deleted
),

events as (
    select * from first_seen
    union all
    select * from reappeared
    union all
    select * from stage_changed
    union all
    select * from outcome_changed
    union all
    select * from vanished
),

-- Each event carries the stages in which the application waited before it and waits after it (none once it is decided
-- or gone), so that no later model has to find them again.
final as (
    select
        application_key,
        row_number() over (partition by application_key order by version_number, place) as event_number,
        version_number,
        job_id,
        event_type,
        from_stage_id,
        to_stage_id,
        from_outcome,
        to_outcome,
        from_state,
        to_state,
        event_at_lo,
        event_at,
        event_at_hi,
        evidence,
        lo_sync_id,
        hi_sync_id,
        waited_in,
        waits_in,
        is_unannounced,
        is_in_the_future
    from events
)

select * from final
