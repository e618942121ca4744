with

job_application_stages as (
    select * from {{ source('ats', 'job_application_stages') }}
),

final as (
    select
        job_id,
        stage_id,
        index as stage_index,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from job_application_stages
)

select * from final
