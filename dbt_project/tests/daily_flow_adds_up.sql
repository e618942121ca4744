-- Opening + entered - left = closing. Each day opens as the one before closed, no number is negative, and the last day
-- closes with the applications that are open in the stage now.
with

days as (
    select
        *,
        lag(n_closing) over stage_days as n_closed_before,
        lag(date_on) over stage_days as date_before
    from {{ ref('fct_funnel_daily') }}
    window stage_days as (partition by job_id, stage_id order by date_on)
),

first_day as (
    select min(date_on) as date_on
    from {{ ref('dim_date') }}
    where is_synced
),

broken_days as (
    select
        days.job_id,
        days.stage_id,
        days.date_on
    from days
    cross join first_day
    where
        days.n_opening + days.n_entered - days.n_left <> days.n_closing
        or days.n_opening < 0
        or days.n_closing < 0
        or (days.date_before = days.date_on - 1 and days.n_opening <> days.n_closed_before)
        or (days.date_before < days.date_on - 1 and (days.n_opening <> 0 or days.n_closed_before <> 0))
        or (days.date_before is null and days.date_on > first_day.date_on and days.n_opening <> 0)
),

open_now as (
    select
        job_id,
        stage_id,
        count(*) as n
    from {{ ref('fct_application') }}
    where status = 'OPEN' and stage_id is not null and job_id is not null
    group by job_id, stage_id
),

closing_now as (
    select
        job_id,
        stage_id,
        n_closing as n
    from {{ ref('fct_funnel_daily') }}
    where date_on = (select max(dates.date_on) from {{ ref('dim_date') }} as dates) and n_closing > 0
),

broken_ends as (
    select
        coalesce(open_now.job_id, closing_now.job_id) as job_id,
        coalesce(open_now.stage_id, closing_now.stage_id) as stage_id,
        cast(null as date) as date_on
    from open_now
    full outer join closing_now
        on open_now.job_id = closing_now.job_id and open_now.stage_id = closing_now.stage_id
    where open_now.n is distinct from closing_now.n
),

final as (
    select * from broken_days
    union all
    select * from broken_ends
)

select * from final
