with

lines as (
    select * from {{ ref('mart_plan_line') }}
),

plan_jobs as (
    select * from {{ ref('int_plan_job') }}
),

forecasts as (
    select * from {{ ref('mart_hiring_forecast') }}
    where scope = 'job'
),

-- Where the ATS has no such job, there is nobody to hide.
hidden as (
    select
        *,
        n_jobs > 0 and {{ is_hidden('n_hires', 'scope, n_jobs > 0', 'line_number') }} as is_suppressed,
        n_jobs > 0 and {{ is_hidden('n_open', 'scope, n_jobs > 0', 'line_number') }} as is_pipeline_suppressed
    from lines
),

-- What the forecast expects of the line's jobs within its next horizon that is no shorter than the days left.
expecting as (
    select
        hidden.line_number,
        forecasts.horizon_days as expected_within_days,
        -- where one of the jobs in which somebody waits has no forecast, the sum would be too small
        case when count(*) = count(forecasts.hires_expected) then sum(forecasts.hires_expected) end as hires_expected
    from hidden
    inner join plan_jobs on hidden.line_number = plan_jobs.line_number
    inner join forecasts on plan_jobs.job_id = forecasts.job_id
    where hidden.days_left between 0 and 90 and forecasts.horizon_days - hidden.days_left between 0 and 29
    group by hidden.line_number, forecasts.horizon_days
),

final as (
    select
        hidden.scope,
        hidden.line_number,
        hidden.job,
        hidden.category,
        hidden.n_jobs,
        hidden.n_wanted,
        hidden.counts_from_on,
        hidden.due_on,
        hidden.days_left,
        {% for n in ['n_hires_lo', 'n_hires', 'n_hires_hi', 'n_gap', 'plan_status'] -%}
            case when not hidden.is_suppressed then hidden.{{ n }} end as {{ n }},
        {% endfor -%}
        {% for n in ['n_open', 'n_in_closed_job', 'n_at_offer'] -%}
            case when not hidden.is_pipeline_suppressed then hidden.{{ n }} end as {{ n }},
        {% endfor -%}
        expecting.expected_within_days,
        expecting.hires_expected,
        hidden.is_in_total,
        hidden.is_suppressed,
        hidden.is_pipeline_suppressed
    from hidden
    left join expecting on hidden.line_number = expecting.line_number
)

select * from final
