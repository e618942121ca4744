with

candidates as (
    select * from {{ source('ats', 'candidates') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

-- Who was deleted at JOIN has nothing to tell.
final as (
    select
        candidate_keys.pseudonym as candidate_key,
        candidates.first_name,
        candidates.last_name,
        array_to_string([entry.email_address for entry in candidates.email_addresses], ', ') as email_addresses,
        array_to_string([entry.phone_number for entry in candidates.phone_numbers], ', ') as phone_numbers,
        coalesce(candidates.location.raw, candidates.location.country) as country
    from candidates
    inner join candidate_keys on candidates.id = candidate_keys.id
    where candidates.remote_deleted_at is null
)

select * from final
