with

visits as (
    select * from {{ ref('fct_stage_visit') }}
),

days as (
    select * from {{ ref('dim_date') }}
),

-- A job was closed on these days: when the first one ended, and not when the last one did.
closed_jobs as (
    select
        job_id,
        {{ local_date('from_at') }} as from_on,
        {{ local_date('until_at') }} as until_on
    from ({{ closed_jobs() }}) as closed
),

-- Before the first sync only survivors are known, so their visits open the first day.
bounds as (
    select
        min(date_on) filter (where is_synced) as first_on,
        max(date_on) as last_on
    from days
),

entries as (
    select
        visits.job_id,
        visits.stage_id,
        greatest({{ local_date('visits.entered_at') }}, bounds.first_on) as date_on,
        case when {{ local_date('visits.entered_at') }} < bounds.first_on then 1 else 0 end as n_before,
        case when {{ local_date('visits.entered_at') }} < bounds.first_on then 0 else 1 end as n_entered,
        0 as n_left
    from visits
    cross join bounds
    where visits.job_id is not null
),

exits as (
    select
        visits.job_id,
        visits.stage_id,
        greatest({{ local_date('visits.left_at') }}, bounds.first_on) as date_on,
        0 as n_before,
        0 as n_entered,
        1 as n_left
    from visits
    cross join bounds
    where visits.job_id is not null and visits.left_at is not null
),

steps as (
    select * from entries
    union all
    select * from exits
),

changes as (
    select
        job_id,
        stage_id,
        date_on,
        sum(n_before) as n_before,
        sum(n_entered) as n_entered,
        sum(n_left) as n_left
    from steps
    group by job_id, stage_id, date_on
),

stocks as (
    select
        *,
        sum(n_before + n_entered - n_left) over history as n_closing,
        lead(date_on) over history as next_on
    from changes
    window history as (partition by job_id, stage_id order by date_on)
),

-- A day without a change has a row as long as an application waits.
spread as (
    select
        stocks.job_id,
        stocks.stage_id,
        stocks.date_on as changed_on,
        stocks.n_entered,
        stocks.n_left,
        stocks.n_closing,
        unnest(
            generate_series(
                stocks.date_on,
                case
                    when stocks.n_closing = 0 then stocks.date_on
                    else coalesce(stocks.next_on - 1, bounds.last_on)
                end,
                interval 1 day
            )
        ) as spread_at
    from stocks
    cross join bounds
),

daily as (
    select
        cast(spread_at as date) as date_on,
        job_id,
        stage_id,
        case when cast(spread_at as date) = changed_on then n_entered else 0 end as n_entered,
        case when cast(spread_at as date) = changed_on then n_left else 0 end as n_left,
        n_closing
    from spread
),

final as (
    select
        daily.date_on,
        daily.job_id,
        daily.stage_id,
        cast(daily.n_closing - daily.n_entered + daily.n_left as bigint) as n_opening,
        cast(daily.n_entered as bigint) as n_entered,
        cast(daily.n_left as bigint) as n_left,
        cast(daily.n_closing as bigint) as n_closing,
        closed_jobs.job_id is not null as is_in_closed_job,
        days.is_synced
    from daily
    inner join days on daily.date_on = days.date_on
    left join closed_jobs
        on
            daily.job_id = closed_jobs.job_id
            and daily.date_on >= closed_jobs.from_on
            and daily.date_on < coalesce(closed_jobs.until_on, 'infinity')
)

select * from final
