{%- set needed_days = 60 -%}

with

forecasts as (
    select * from {{ ref('int_forecast') }}
    where n_hired < 0
),

jobs as (
    select * from {{ ref('int_forecast_job') }}
),

-- Where nobody waits, or nothing is known yet, the rows are there all the same.
horizons as (
    select cast(unnest([30, 60, 90]) as bigint) as horizon_days
),

known_jobs as (
    select job_id from {{ ref('dim_job') }}
),

follow_up as (
    select
        followed_until,
        {{ days_between('followed_from', 'followed_until') }} as days_followed
    from {{ ref('int_follow_up') }}
),

backtests as (
    select
        horizon_days,
        count(*) as n_past_forecasts,
        count(*) filter (where is_within_80) as n_within_80,
        count(*) filter (where is_within_95) as n_within_95
    from {{ ref('mart_hiring_forecast_backtest') }}
    where is_within_80 is not null
    group by horizon_days
),

overall as (
    select
        'overall' as scope,
        'all' as scope_key,
        horizons.horizon_days,
        coalesce(forecasts.n_waiting, 0) as n_waiting,
        forecasts.n_hires_before,
        forecasts.hires_expected,
        forecasts.chance_of_a_hire,
        forecasts.hires_low_80,
        forecasts.hires_high_80,
        forecasts.hires_low_95,
        forecasts.hires_high_95
    from horizons
    left join forecasts on horizons.horizon_days = forecasts.horizon_days and forecasts.job_number < 0
),

by_job as (
    select
        'job' as scope,
        jobs.job_key as scope_key,
        forecasts.horizon_days,
        forecasts.n_waiting,
        forecasts.n_hires_before,
        forecasts.hires_expected,
        forecasts.chance_of_a_hire,
        forecasts.hires_low_80,
        forecasts.hires_high_80,
        forecasts.hires_low_95,
        forecasts.hires_high_95
    from forecasts
    inner join jobs on forecasts.job_number = jobs.job_number
),

scoped as (
    select * from overall
    union all
    select * from by_job
),

hidden as (
    select
        *,
        {{ is_hidden('n_waiting', 'scope, horizon_days', 'scope_key') }}
        and not (scope = 'overall' and n_waiting = 0) as is_suppressed
    from scoped
),

judged as (
    select
        hidden.*,
        follow_up.followed_until,
        case
            when hidden.is_suppressed then 'too few people to show'
            when hidden.n_waiting = 0 then 'nobody waits'
            when
                coalesce(follow_up.days_followed, 0) < greatest(hidden.horizon_days, {{ needed_days }})
                then 'followed for too few days'
            when hidden.n_hires_before < {{ var('minimum_n') }} then 'too few hires so far'
            when hidden.n_waiting < {{ var('minimum_n') }} then 'too few wait'
            when hidden.hires_expected < 1 then 'less than one hire is expected'
        end as reason,
        reason is null or reason = 'less than one hire is expected' as is_told
    from hidden
    cross join follow_up
),

final as (
    select
        judged.scope,
        judged.scope_key,
        known_jobs.job_id,
        judged.horizon_days,
        judged.followed_until,
        case when not judged.is_suppressed then judged.n_waiting end as n_waiting,
        {% for column in ['hires_expected', 'chance_of_a_hire'] -%}
            case when judged.is_told then judged.{{ column }} end as {{ column }},
        {% endfor -%}
        {% for column in ['hires_low_80', 'hires_high_80', 'hires_low_95', 'hires_high_95'] -%}
            case when judged.reason is null then judged.{{ column }} end as {{ column }},
        {% endfor -%}
        judged.reason,
        case when judged.scope = 'overall' then coalesce(backtests.n_past_forecasts, 0) end as n_past_forecasts,
        case when judged.scope = 'overall' then coalesce(backtests.n_within_80, 0) end as n_past_within_80,
        case when judged.scope = 'overall' then coalesce(backtests.n_within_95, 0) end as n_past_within_95,
        judged.is_suppressed
    from judged
    left join backtests on judged.horizon_days = backtests.horizon_days
    left join known_jobs on judged.scope = 'job' and judged.scope_key = known_jobs.job_id
)

select * from final
