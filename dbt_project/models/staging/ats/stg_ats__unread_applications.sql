with

unread_applications as (
    select * from {{ source('ats_history', 'unread_applications') }}
),

application_keys as (
    {{ pseudonyms_of('applications') }}
),

final as (
    select
        application_keys.pseudonym as application_key,
        unread_applications.sync_id
    from unread_applications
    inner join application_keys on unread_applications.id = application_keys.id
)

select * from final
