with

candidates as (
    select * from {{ source('ats', 'candidates') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

final as (
    select
        candidate_keys.pseudonym as candidate_key,
        candidates.source,
        candidates.remote_created_at,
        candidates.changed_at,
        candidates.remote_deleted_at,
        candidates.observed_at,
        candidates.sync_id
    from candidates
    left join candidate_keys on candidates.id = candidate_keys.id
)

select * from final
