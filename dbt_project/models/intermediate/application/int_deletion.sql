-- A deletion lies between two proofs of presence. Looks that were put off end in one interval with the listing that
-- asked for them, so that a deletion of many is one event however many syncs it took to look at them.
with

versions as (
    select * from {{ ref('int_application_version') }}
    where is_newest and is_deleted
),

applied as (
    select * from {{ ref('int_application_applied') }}
),

proofs as (
    select
        sync_id,
        proves_at,
        row_number() over (order by sync_id) as interval_number,
        lag(proves_at) over (order by sync_id) as begins_at
    from {{ ref('int_sync') }}
    where is_proof_of_presence
),

last_proof as (
    select
        coalesce(max(interval_number), 0) as interval_number,
        max(proves_at) as proves_at
    from proofs
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

final as (
    select
        versions.application_key,
        applied.job_id,
        date_trunc('hour', applied.applied_at) as applied_at,
        versions.previous_outcome as outcome,
        versions.became_at_lo as deleted_at_lo,
        versions.became_at as deleted_at,
        versions.became_at_hi as deleted_at_hi,
        versions.evidence,
        {{ days_between('applied.applied_at', 'versions.became_at_hi') }} as age_days,
        coalesce(proofs.interval_number, last_proof.interval_number + 1) as interval_number,
        case when proofs.sync_id is null then last_proof.proves_at else proofs.begins_at end as interval_begins_at,
        coalesce(proofs.proves_at, as_of.as_of) as interval_ends_at
    from versions
    inner join applied on versions.application_key = applied.application_key
    cross join last_proof
    cross join as_of
    asof left join proofs on versions.sync_id <= proofs.sync_id
)

select * from final
