with

versions as (
    select * from {{ ref('stg_ats__job_versions') }}
),

syncs as (
    select * from {{ ref('int_sync') }}
),

told as (
    select
        versions.job_id,
        versions.sync_id,
        case when versions.remote_deleted_at is not null then 'DELETED' else versions.status end as status,
        versions.opened_at,
        coalesce(versions.opened_at <> versions.remote_created_at, true) as is_opening_told,
        versions.remote_updated_at as updated_at,
        case
            when versions.observed_at < syncs.started_at and versions.remote_deleted_at is not null then syncs.as_of
            else versions.observed_at
        end as observed_at,
        syncs.proves_at as sync_proves_at,
        syncs.jobs_proved_at
    from versions
    inner join syncs on versions.sync_id = syncs.sync_id
),

neighbours as (
    select
        *,
        row_number() over history as version_number,
        lag(status) over history as status_before,
        max(updated_at) over before as last_updated_at,
        max(sync_proves_at) over before as last_written_at
    from told
    window
        history as (partition by job_id order by sync_id),
        before as (partition by job_id order by sync_id rows between unbounded preceding and 1 preceding)
),

-- As for applications, lo is the last sync that would have shown the change, and hi the first sign of it.
bounded as (
    select
        *,
        case when version_number = 1 then opened_at else greatest(jobs_proved_at, last_written_at) end as lo
    from neighbours
    where version_number = 1 or status is distinct from status_before
),

dated as (
    select
        *,
        case
            when
                status <> 'DELETED'
                and updated_at <= observed_at
                and not coalesce(updated_at <= lo, false)
                and not coalesce(updated_at <= last_updated_at, false)
                then updated_at
            else observed_at
        end as hi
    from bounded
),

-- A job that is first seen open has been open since the instant that the source states. Where that is its creation, it
-- may have been a draft until then.
final as (
    select
        job_id,
        row_number() over history as status_number,
        status,
        status = 'OPEN' as is_open,
        case when lo <= hi then lo end as from_at_lo,
        case when version_number = 1 and status = 'OPEN' and opened_at <= hi then opened_at else hi end as from_at,
        case
            when version_number = 1 and status = 'OPEN' and is_opening_told and opened_at <= hi then opened_at
            else hi
        end as from_at_hi,
        case
            when version_number > 1 then 'observed'
            when status = 'OPEN' and is_opening_told and opened_at <= hi then 'source'
            else 'bounded'
        end as evidence,
        lead(hi) over history as until_at,
        observed_at
    from dated
    window history as (partition by job_id order by sync_id)
)

select * from final
