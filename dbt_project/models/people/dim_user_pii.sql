with

users as (
    select id
    from {{ source('ats', 'users') }}
    where remote_deleted_at is null
),

names as (
    select * from {{ source('ats_personal', 'users') }}
),

user_keys as (
    {{ pseudonyms_of('users') }}
),

-- Readers get keys of users only where figures per person are switched on.
final as (
    select
        user_keys.pseudonym as user_key,
        names.first_name,
        names.last_name,
        names.email
    from users
    inner join user_keys on users.id = user_keys.id
    left join names on users.id = names.id
    where {{ var('per_person') }}
)

select * from final
