with

tags as (
    {{ newest_rows('tags') }}
),

final as (
    select
        id as tag_id,
        name as tag_name,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from tags
)

select * from final
