with

users as (
    select * from {{ source('ats', 'users') }}
),

user_keys as (
    {{ pseudonyms_of('users') }}
),

-- Readers get keys of users only where figures per person are switched on.
final as (
    select
        user_keys.pseudonym as user_key,
        users.first_name,
        users.last_name,
        users.email
    from users
    inner join user_keys on users.id = user_keys.id
    where users.remote_deleted_at is null and {{ var('per_person') }}
)

select * from final
