-- A candidate who was deleted in the ATS has no name and contacts here.
with

candidates as (
    select
        id,
        first_name,
        last_name,
        array_to_string([entry['email_address'] for entry in email_addresses], ', ') as email_addresses,
        array_to_string([entry['phone_number'] for entry in phone_numbers], ', ') as phone_numbers,
        coalesce(location['raw'], location['country']) as country
    from {{ source('ats', 'candidates') }}
    where remote_deleted_at is null
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

final as (
    select
        candidate_keys.pseudonym as candidate_key,
        candidates.first_name,
        candidates.last_name,
        candidates.email_addresses,
        candidates.phone_numbers,
        candidates.country
    from candidates
    inner join candidate_keys on candidates.id = candidate_keys.id
)

select * from final
