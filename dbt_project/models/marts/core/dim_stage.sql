with

stages as (
    select * from {{ ref('int_stage') }}
),

final as (
    select
        stage_id,
        stage_name,
        milestone,
        milestone_rank,
        is_mapped,
        global_index,
        remote_deleted_at is not null as is_deleted
    from stages
)

select * from final
