with

syncs as (
    select * from {{ ref('stg_ats__syncs') }}
),

proofs as (
    select * from {{ ref('int_sync') }}
),

counts as (
    select
        sync_id,
        cast(sum(n) as bigint) as n_set_aside
    from {{ ref('stg_ats__sync_counts') }}
    where name = 'quarantined'
    group by sync_id
),

final as (
    select
        syncs.sync_id,
        syncs.mode,
        syncs.verdict,
        syncs.started_at,
        syncs.finished_at,
        syncs.as_of,
        cast(epoch_us(syncs.finished_at) - epoch_us(syncs.started_at) as double) / 1e6 as seconds,
        cast(syncs.n_requests as bigint) as n_requests,
        coalesce(counts.n_set_aside, 0) as n_set_aside,
        cast(syncs.n_pending_looks as bigint) as n_pending_looks,
        proofs.is_proof_of_content,
        proofs.is_proof_of_presence
    from syncs
    inner join proofs on syncs.sync_id = proofs.sync_id
    left join counts on syncs.sync_id = counts.sync_id
)

select * from final
