with

candidates as (
    select * from {{ ref('stg_ats__candidates') }}
),

applications as (
    select
        candidate_key,
        count(*) as n_applications,
        min(applied_at) as first_applied_at,
        max(applied_at) as last_applied_at
    from {{ ref('int_application_status') }}
    group by candidate_key
),

final as (
    select
        candidates.candidate_key,
        candidates.source,
        coalesce(applications.n_applications, 0) as n_applications,
        applications.first_applied_at,
        applications.last_applied_at,
        candidates.remote_deleted_at is not null as is_deleted
    from candidates
    left join applications on candidates.candidate_key = applications.candidate_key
)

select * from final
