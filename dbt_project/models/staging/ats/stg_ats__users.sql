with

users as (
    select * from {{ source('ats', 'users') }}
),

user_keys as (
    {{ pseudonyms_of('users') }}
),

-- A user who is known by the id alone has a pseudonym, too.
final as (
    select
        user_keys.pseudonym as user_key,
        users.changed_at,
        users.remote_deleted_at,
        users.observed_at,
        users.sync_id
    from users
    full outer join user_keys on users.id = user_keys.id
)

select * from final
