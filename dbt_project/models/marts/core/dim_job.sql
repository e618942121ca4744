with

jobs as (
    select * from {{ ref('stg_ats__jobs') }}
),

final as (
    select
        job_id,
        job_remote_id,
        job_name,
        status,
        visibility,
        category,
        employment_type,
        experience_level,
        workplace_type,
        job_language,
        external_id,
        city,
        region,
        country,
        salary_amount_from,
        salary_amount_to,
        salary_currency,
        salary_period,
        post_url,
        opened_at,
        remote_created_at as created_at,
        remote_deleted_at is not null as is_deleted
    from jobs
)

select * from final
