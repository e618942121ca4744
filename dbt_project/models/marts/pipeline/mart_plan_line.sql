with

lines as (
    select * from {{ ref('int_plan_line') }}
),

plan_jobs as (
    select * from {{ ref('int_plan_job') }}
),

hires as (
    select
        application_key,
        job_id,
        coalesce({{ local_date('hired_at_lo') }}, {{ local_date('applied_at') }}) as hired_on_lo,
        hired_on,
        {{ local_date('hired_at_hi') }} as hired_on_hi
    from {{ ref('fct_time_to_hire') }}
),

waiting as (
    select
        job_id,
        count(*) as n_open,
        count(*) filter (where is_in_closed_job) as n_in_closed_job,
        count(*) filter (where milestone in ('OFFER', 'HIRED') and not is_in_closed_job) as n_at_offer
    from {{ ref('mart_pipeline_ageing') }}
    where job_id is not null
    group by job_id
),

as_of as (
    select {{ local_date('as_of') }} as today_on
    from {{ ref('stg_ats__as_of') }}
),

sizes as (
    select
        lines.line_number,
        lines.due_on,
        coalesce(lines.counts_from_on, date '0001-01-01') as from_on,
        count(plan_jobs.job_id) as n_jobs
    from lines
    left join plan_jobs on lines.line_number = plan_jobs.line_number
    group by lines.line_number, lines.due_on, lines.counts_from_on
),

shared_jobs as (
    select
        these.line_number,
        others.line_number as other_line_number,
        count(*) as n_shared
    from plan_jobs as these
    inner join plan_jobs as others on these.job_id = others.job_id and these.line_number <> others.line_number
    group by these.line_number, others.line_number
),

-- A line for a job whose category has a line, too, is a part of the category's. The total counts it once.
parts as (
    select distinct shared_jobs.line_number
    from shared_jobs
    inner join sizes as these on shared_jobs.line_number = these.line_number
    inner join sizes as others on shared_jobs.other_line_number = others.line_number
    where
        shared_jobs.n_shared = these.n_jobs
        and (
            others.n_jobs > these.n_jobs
            or (others.n_jobs = these.n_jobs and others.line_number < these.line_number)
        )
        and these.from_on <= others.due_on
        and others.from_on <= these.due_on
),

-- The total is the plan of this year and of later ones.
named as (
    select
        lines.line_number,
        lines.job,
        lines.category,
        lines.n_wanted,
        lines.counts_from_on,
        lines.due_on,
        sizes.from_on,
        sizes.n_jobs,
        as_of.today_on,
        parts.line_number is null and lines.due_on >= date_trunc('year', as_of.today_on) as is_in_total
    from lines
    inner join sizes on lines.line_number = sizes.line_number
    left join parts on lines.line_number = parts.line_number
    cross join as_of
),

-- A hire counts if it was made in the line's time. Where its bounds leave that open, it may count.
counting as (
    select
        named.line_number,
        named.is_in_total,
        hires.application_key,
        coalesce(hires.hired_on_lo >= named.from_on and hires.hired_on_hi <= named.due_on, false) as is_certain,
        coalesce(hires.hired_on between named.from_on and named.due_on, false) as is_best,
        coalesce(hires.hired_on_lo <= named.due_on and hires.hired_on_hi >= named.from_on, false) as is_possible
    from named
    inner join plan_jobs on named.line_number = plan_jobs.line_number
    inner join hires on plan_jobs.job_id = hires.job_id
),

hired as (
    select
        line_number,
        count(*) filter (where is_certain) as n_hires_lo,
        count(*) filter (where is_best) as n_hires,
        count(*) filter (where is_best or is_possible) as n_hires_hi
    from counting
    group by line_number
),

hired_in_all as (
    select
        count(distinct application_key) filter (where is_certain) as n_hires_lo,
        count(distinct application_key) filter (where is_best) as n_hires,
        count(distinct application_key) filter (where is_best or is_possible) as n_hires_hi
    from counting
    where is_in_total
),

waiting_in_line as (
    select
        plan_jobs.line_number,
        cast(sum(waiting.n_open) as bigint) as n_open,
        cast(sum(waiting.n_in_closed_job) as bigint) as n_in_closed_job,
        cast(sum(waiting.n_at_offer) as bigint) as n_at_offer
    from plan_jobs
    inner join waiting on plan_jobs.job_id = waiting.job_id
    group by plan_jobs.line_number
),

jobs_in_all as (
    select distinct plan_jobs.job_id
    from plan_jobs
    inner join named on plan_jobs.line_number = named.line_number
    where named.is_in_total
),

waiting_in_all as (
    select
        count(*) as n_jobs,
        cast(coalesce(sum(waiting.n_open), 0) as bigint) as n_open,
        cast(coalesce(sum(waiting.n_in_closed_job), 0) as bigint) as n_in_closed_job,
        cast(coalesce(sum(waiting.n_at_offer), 0) as bigint) as n_at_offer
    from jobs_in_all
    left join waiting on jobs_in_all.job_id = waiting.job_id
),

by_line as (
    select
        named.line_number,
        'line' as scope,
        named.job,
        named.category,
        named.n_jobs,
        named.n_wanted,
        named.counts_from_on,
        named.due_on,
        named.due_on - named.today_on as days_left,
        coalesce(hired.n_hires_lo, 0) as n_hires_lo,
        coalesce(hired.n_hires, 0) as n_hires,
        coalesce(hired.n_hires_hi, 0) as n_hires_hi,
        greatest(named.n_wanted - coalesce(hired.n_hires, 0), 0) as n_gap,
        coalesce(waiting_in_line.n_open, 0) as n_open,
        coalesce(waiting_in_line.n_in_closed_job, 0) as n_in_closed_job,
        coalesce(waiting_in_line.n_at_offer, 0) as n_at_offer,
        case
            when coalesce(hired.n_hires, 0) >= named.n_wanted then 'REACHED'
            when named.due_on < named.today_on then 'OVERDUE'
            when named.counts_from_on > named.today_on then 'PLANNED'
            else 'RUNNING'
        end as plan_status,
        named.is_in_total
    from named
    left join hired on named.line_number = hired.line_number
    left join waiting_in_line on named.line_number = waiting_in_line.line_number
),

-- What one line has too many fills no gap of another.
overall as (
    select
        0 as line_number,
        'overall' as scope,
        null as job,
        null as category,
        any_value(waiting_in_all.n_jobs) as n_jobs,
        cast(sum(by_line.n_wanted) as bigint) as n_wanted,
        min(by_line.counts_from_on) as counts_from_on,
        max(by_line.due_on) as due_on,
        max(by_line.days_left) as days_left,
        any_value(hired_in_all.n_hires_lo) as n_hires_lo,
        any_value(hired_in_all.n_hires) as n_hires,
        any_value(hired_in_all.n_hires_hi) as n_hires_hi,
        cast(sum(by_line.n_gap) as bigint) as n_gap,
        any_value(waiting_in_all.n_open) as n_open,
        any_value(waiting_in_all.n_in_closed_job) as n_in_closed_job,
        any_value(waiting_in_all.n_at_offer) as n_at_offer,
        case
            when sum(by_line.n_gap) = 0 then 'REACHED'
            when max(by_line.days_left) < 0 then 'OVERDUE'
            when bool_and(by_line.plan_status in ('PLANNED', 'REACHED')) then 'PLANNED'
            else 'RUNNING'
        end as plan_status,
        true as is_in_total
    from by_line
    cross join hired_in_all
    cross join waiting_in_all
    where by_line.is_in_total
    having count(*) > 0
),

final as (
    select * from overall
    union all
    select * from by_line
)

select * from final
