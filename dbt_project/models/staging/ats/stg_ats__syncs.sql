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

-- A list was read once only, which does not prove that it was complete. Syncs of older versions proved it themselves.
not_proved as (
    select
        sync_id,
        max(n) > 0 as is_list_not_proved
    from {{ source('ats_history', 'sync_counts') }}
    where scope = 'applications' and name = 'not_proved'
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
        coalesce(not_proved.is_list_not_proved, false) as is_list_not_proved,
        syncs.mapping_version
    from syncs
    cross join as_of
    left join pending_looks on syncs.sync_id = pending_looks.sync_id
    left join not_proved on syncs.sync_id = not_proved.sync_id
    where syncs.as_of <= as_of.as_of
)

select * from final
