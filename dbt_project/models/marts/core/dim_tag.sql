with

final as (
    select
        tag_id,
        tag_name,
        remote_deleted_at is not null as is_deleted
    from {{ ref('stg_ats__tags') }}
)

select * from final
