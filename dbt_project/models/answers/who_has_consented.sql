with

consents as (
    select * from {{ ref('mart_consent') }}
),

jobs as (
    select * from {{ ref('dim_job') }}
),

final as (
    select
        consents.scope,
        jobs.job_name,
        consents.n_applications,
        consents.n_given,
        consents.n_rejected,
        consents.n_rejected_kept,
        consents.n_expired,
        consents.n_expired_kept,
        consents.n_requested,
        consents.n_not_asked,
        consents.n_unknown,
        consents.share_given,
        consents.scope_key as job_key,
        consents.is_suppressed
    from consents
    left join jobs on consents.job_id = jobs.job_id
    where consents.period_grain = 'all'
)

select * from final
order by scope desc, n_rejected_kept desc nulls last, job_key asc
