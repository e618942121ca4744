with

application_stages as (
    {{ newest_rows('application_stages') }}
),

final as (
    select
        id as stage_id,
        name as stage_name,
        global_index,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from application_stages
)

select * from final
