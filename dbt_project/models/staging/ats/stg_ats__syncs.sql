with

syncs as (
    select * from {{ source('ats_history', 'syncs') }}
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

-- Known records that a listing lacked and that still wait for their second look: the listing proves nothing about them.
-- Syncs of older versions did not count the undecided ones among them, so all of them may be.
pending_looks as (
    select
        sync_id,
        sum(n) filter (where name = 'pending_looks') as n_pending_looks,
        sum(n) filter (where name = 'pending_undecided') as n_pending_undecided
    from {{ source('ats_history', 'sync_counts') }}
    where scope = 'applications' and name in ('pending_looks', 'pending_undecided')
    group by sync_id
),

final as (
    select
        syncs.sync_id,
        syncs.mode,
        syncs.verdict,
        syncs.started_at,
        syncs.proves_at,
        syncs.finished_at,
        syncs.as_of,
        syncs.is_applications_whole,
        syncs.previous_sync_id,
        syncs.n_requests,
        syncs.n_unannounced,
        coalesce(pending_looks.n_pending_looks, 0) as n_pending_looks,
        coalesce(pending_looks.n_pending_undecided, pending_looks.n_pending_looks, 0) as n_pending_undecided,
        syncs.mapping_version
    from syncs
    cross join as_of
    left join pending_looks on syncs.sync_id = pending_looks.sync_id
    where syncs.as_of <= as_of.as_of
)

select * from final
