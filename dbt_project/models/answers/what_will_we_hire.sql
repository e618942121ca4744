with

forecasts as (
    select * from {{ ref('mart_hiring_forecast') }}
),

jobs as (
    select * from {{ ref('dim_job') }}
),

final as (
    select
        forecasts.scope,
        jobs.job_name,
        forecasts.horizon_days as within_days,
        forecasts.n_waiting,
        round(forecasts.hires_expected, 1) as hires_expected,
        forecasts.chance_of_a_hire,
        forecasts.hires_low_80,
        forecasts.hires_high_80,
        forecasts.hires_low_95,
        forecasts.hires_high_95,
        forecasts.reason,
        forecasts.scope_key as job_key,
        forecasts.is_suppressed
    from forecasts
    left join jobs on forecasts.job_id = jobs.job_id
)

select * from final
order by scope desc, hires_expected desc nulls last, job_key asc, within_days asc
