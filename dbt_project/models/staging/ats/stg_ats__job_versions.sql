with

jobs as (
    select * from {{ source('ats_history', 'jobs') }}
),

final as (
    select
        id as job_id,
        remote_id as job_remote_id,
        name as job_name,
        status,
        visibility,
        category,
        employment_type,
        experience_level,
        salary_amount,
        salary_amount_from,
        salary_amount_to,
        salary_currency,
        salary_period,
        location['city'] as city,
        location['state'] as region,
        location['country'] as country,
        custom_fields ->> '$.workplaceType' as workplace_type,
        custom_fields ->> '$.language' as job_language,
        custom_fields ->> '$.externalId' as external_id,
        post_url,
        opened_at,
        remote_created_at,
        remote_updated_at,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id,
        reason
    from jobs
)

select * from final
