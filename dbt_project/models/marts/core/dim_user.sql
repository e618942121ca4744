with

users as (
    select * from {{ ref('stg_ats__users') }}
),

jobs as (
    select
        user_key,
        count(*) as n_jobs
    from {{ ref('stg_ats__job_hiring_team') }}
    where remote_deleted_at is null
    group by user_key
),

final as (
    select
        users.user_key,
        coalesce(jobs.n_jobs, 0) as n_jobs,
        users.remote_deleted_at is not null as is_deleted
    from users
    left join jobs on users.user_key = jobs.user_key
    where {{ var('per_person') }}
)

select * from final
