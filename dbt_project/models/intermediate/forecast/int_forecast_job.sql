-- The jobs that applications are for, numbered. Applications without a job are those of one job that never closes.
with

visits as (
    select
        coalesce(job_id, 'unknown') as job_key,
        min(entered_at) as first_entered_at
    from {{ ref('fct_stage_visit') }}
    group by coalesce(job_id, 'unknown')
),

vacancies as (
    select * from {{ ref('fct_job_vacancy') }}
),

follow_up as (
    select * from {{ ref('int_follow_up') }}
),

-- A job whose opening is not known opened with the first stay of an application; so did one that is told to have opened
-- later.
dated as (
    select
        visits.job_key,
        least(vacancies.opened_at, visits.first_entered_at) as opened_at,
        vacancies.closed_at,
        follow_up.followed_from
    from visits
    cross join follow_up
    left join vacancies on visits.job_key = vacancies.job_id
),

final as (
    select
        row_number() over (order by job_key) - 1 as job_number,
        job_key,
        (epoch_us(coalesce(opened_at, followed_from)) - epoch_us(followed_from)) / 86400e6 as opened_days,
        coalesce((epoch_us(closed_at) - epoch_us(followed_from)) / 86400e6, cast('infinity' as double)) as closed_days
    from dated
    where followed_from is not null
)

select * from final
order by job_number
