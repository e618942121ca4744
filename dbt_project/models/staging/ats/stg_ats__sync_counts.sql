with

sync_counts as (
    select * from {{ source('ats_history', 'sync_counts') }}
),

final as (
    select
        sync_id,
        scope,
        name,
        n
    from sync_counts
)

select * from final
