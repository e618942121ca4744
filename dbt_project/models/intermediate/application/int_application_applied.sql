with

versions as (
    select * from {{ ref('stg_ats__application_versions') }}
),

syncs as (
    select * from {{ ref('int_sync') }}
),

first_whole_sync as (
    select min(started_at) as started_at
    from syncs
    where is_applications_whole
),

candidates as (
    select * from {{ ref('stg_ats__candidates') }}
),

first_seen as (
    select
        versions.application_key,
        arg_max(versions.candidate_key, versions.sync_id) as candidate_key,
        min(versions.sync_id) as first_sync_id,
        arg_min(versions.observed_at, versions.sync_id) as first_observed_at,
        arg_min(versions.remote_created_at, versions.sync_id) as created_at,
        arg_max(
            struct_pack(
                candidate_key := versions.candidate_key,
                job_id := versions.job_id,
                source := versions.source,
                is_premium_source := versions.is_premium_source,
                qualified := versions.qualified,
                consent_status := versions.consent_status
            ),
            versions.sync_id
        ) filter (where versions.remote_deleted_at is null) as shown,
        max(syncs.proves_at) filter (where versions.remote_deleted_at is null) as last_version_at
    from versions
    inner join syncs on versions.sync_id = syncs.sync_id
    group by versions.application_key
),

counted as (
    select
        application_key,
        candidate_key,
        first_sync_id,
        first_observed_at,
        created_at,
        shown,
        last_version_at,
        count(*) over (partition by candidate_key) as n_applications_of_candidate
    from first_seen
),

-- What was seen was made before: versions can state a creation in between.
sourced as (
    select
        counted.application_key,
        counted.first_sync_id,
        counted.first_observed_at,
        counted.shown,
        counted.last_version_at,
        syncs.started_at as first_sync_started_at,
        syncs.content_proved_at,
        case
            when counted.created_at <= counted.first_observed_at then counted.created_at
            when candidates.remote_created_at <= counted.first_observed_at then candidates.remote_created_at
        end as known_at,
        if(counted.created_at <= counted.first_observed_at, 'source', 'candidate_created') as known_from
    from counted
    inner join syncs on counted.first_sync_id = syncs.sync_id
    left join candidates
        on
            counted.candidate_key = candidates.candidate_key
            and counted.n_applications_of_candidate = 1
),

final as (
    select
        sourced.application_key,
        sourced.first_sync_id,
        sourced.first_observed_at,
        sourced.shown.candidate_key as candidate_key,
        sourced.shown.job_id as job_id,
        sourced.shown.source as source,
        sourced.shown.is_premium_source as is_premium_source,
        sourced.shown.qualified as qualified,
        sourced.shown.consent_status as consent_status,
        sourced.last_version_at,
        coalesce(sourced.known_at, sourced.content_proved_at) as applied_at_lo,
        coalesce(sourced.known_at, sourced.first_observed_at) as applied_at,
        coalesce(sourced.known_at, sourced.first_observed_at) as applied_at_hi,
        case when sourced.known_at is null then 'bounded' else sourced.known_from end as applied_evidence,
        case
            when first_whole_sync.started_at is null then true
            when sourced.known_at is null then sourced.first_sync_started_at <= first_whole_sync.started_at
            else sourced.known_at < first_whole_sync.started_at
        end as is_left_truncated
    from sourced
    cross join first_whole_sync
)

select * from final
