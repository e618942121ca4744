-- A candidate who was deleted in the ATS has no name and contacts here.
with

candidates as (
    select id
    from {{ source('ats', 'candidates') }}
    where remote_deleted_at is null
),

contacts as (
    select
        id,
        first_name,
        last_name,
        array_to_string([entry['email_address'] for entry in email_addresses], ', ') as email_addresses,
        array_to_string([entry['phone_number'] for entry in phone_numbers], ', ') as phone_numbers,
        coalesce(location['raw'], location['country']) as country
    from {{ source('ats_personal', 'candidates') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

final as (
    select
        candidate_keys.pseudonym as candidate_key,
        contacts.first_name,
        contacts.last_name,
        contacts.email_addresses,
        contacts.phone_numbers,
        contacts.country
    from candidates
    inner join candidate_keys on candidates.id = candidate_keys.id
    left join contacts on candidates.id = contacts.id
)

select * from final
