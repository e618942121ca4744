with

vacancies as (
    select * from {{ ref('fct_job_vacancy') }}
),

jobs as (
    select * from {{ ref('dim_job') }}
),

-- A job can go on looking after a hire, so a job is open if the source shows it as open.
final as (
    select
        jobs.job_name,
        jobs.city,
        jobs.category,
        vacancies.opened_at,
        case when vacancies.vacancy_status = 'OPEN' then vacancies.exit_days end as days_without_hire,
        vacancies.n_applications,
        vacancies.n_open_applications,
        vacancies.n_hired,
        vacancies.days_to_fill as days_to_first_hire,
        vacancies.is_left_truncated,
        vacancies.job_id
    from vacancies
    left join jobs on vacancies.job_id = jobs.job_id
    where vacancies.status = 'OPEN'
)

select * from final
order by days_without_hire desc nulls last, job_id asc
