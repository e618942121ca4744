with

candidates as (
    select * from {{ source('ats', 'candidates') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

-- A candidate that is known by its id alone has a pseudonym, too.
final as (
    select
        candidate_keys.pseudonym as candidate_key,
        candidates.source,
        {{ possible_at('candidates.remote_created_at', 'candidates.observed_at') }} as remote_created_at,
        candidates.changed_at,
        candidates.remote_deleted_at,
        candidates.observed_at,
        candidates.sync_id
    from candidates
    full outer join candidate_keys on candidates.id = candidate_keys.id
)

select * from final
