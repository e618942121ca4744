with

applications as (
    select * from {{ ref('fct_application') }}
),

jobs as (
    select * from {{ ref('fct_job_vacancy') }}
),

-- Of a historic hire only its latest instant is known, so it has an upper bound only.
final as (
    select
        applications.application_key,
        applications.job_id,
        applications.candidate_key,
        applications.source,
        applications.applied_at,
        applications.hired_at_lo,
        applications.hired_at,
        applications.hired_at_hi,
        applications.hired_evidence,
        {{ local_date('applications.hired_at') }} as hired_on,
        row_number() over (
            partition by applications.job_id order by applications.hired_at, applications.application_key
        ) as hire_number,
        case
            when not applications.is_historic
                then {{ days_between('applications.applied_at_hi', 'applications.hired_at_lo') }}
        end as days_to_hire_lo,
        case
            when not applications.is_historic
                then {{ days_between('applications.applied_at', 'applications.hired_at') }}
        end as days_to_hire,
        {{ days_between('applications.applied_at_lo', 'applications.hired_at_hi') }} as days_to_hire_hi,
        case
            when not applications.is_historic then {{ days_between('jobs.opened_at_hi', 'applications.hired_at_lo') }}
        end as days_to_fill_lo,
        case
            when not applications.is_historic then {{ days_between('jobs.opened_at', 'applications.hired_at') }}
        end as days_to_fill,
        {{ days_between('jobs.opened_at_lo', 'applications.hired_at_hi') }} as days_to_fill_hi,
        applications.is_historic,
        applications.is_left_truncated,
        applications.is_deleted
    from applications
    left join jobs on applications.job_id = jobs.job_id
    where applications.status = 'HIRED'
)

select * from final
