-- The one instant to which every application is followed: the last sync that proved which undecided applications are
-- still there. Later decisions are known, but later vanishings are not, so an estimate that used the former would miss
-- the latter.
with

syncs as (
    select * from {{ ref('int_sync') }}
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

proofs as (
    select
        coalesce(max(proves_at) filter (where is_proof_of_follow_up), min(proves_at)) as followed_until,
        min(started_at) filter (where is_applications_whole) as followed_from,
        coalesce(max(sync_number) filter (where is_proof_of_follow_up), 0) as sync_number
    from syncs
),

guarded as (
    select min(syncs.started_at) as guarded_since
    from syncs
    cross join proofs
    where syncs.verdict = 'guarded' and syncs.sync_number > proofs.sync_number
),

-- Before the first sync there is nobody to follow.
final as (
    select
        proofs.followed_until,
        proofs.followed_from,
        as_of.as_of,
        guarded.guarded_since,
        {{ days_between('proofs.followed_until', 'as_of.as_of') }} as days_behind,
        days_behind > {{ var('stale_after_days') }} as is_stale
    from proofs
    cross join guarded
    cross join as_of
)

select * from final
