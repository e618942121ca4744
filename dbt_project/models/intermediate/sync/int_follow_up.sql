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

final as (
    select
        coalesce(max(syncs.proves_at) filter (where syncs.is_proof_of_follow_up), min(syncs.proves_at))
            as followed_until,
        min(syncs.started_at) filter (where syncs.is_applications_whole) as followed_from,
        any_value(as_of.as_of) as as_of,
        min(syncs.started_at) filter (
            where syncs.verdict = 'guarded' and syncs.sync_number > coalesce(last_proof.sync_number, 0)
        ) as guarded_since,
        {{ days_between('followed_until', 'any_value(as_of.as_of)') }} as days_behind,
        days_behind > {{ var('stale_after_days') }} as is_stale
    from syncs
    cross join as_of
    cross join (
        select max(sync_number) filter (where is_proof_of_follow_up) as sync_number from syncs
    ) as last_proof
)

select * from final
