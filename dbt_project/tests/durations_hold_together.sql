-- For every quantile lo <= best <= hi, and quantiles rise. No number is shown of fewer than k. A certainly stuck
-- application is stuck, and a stuck one is open. A week's waiting applications are those of the week before, plus the
-- new ones, less the decided and the expired ones. A mature hire rate lies within its bounds.
with

broken_speed as (
    select concat_ws(' ', metric, scope_key, period_key) as broken
    from {{ ref('mart_speed') }}
    where
        days_p25_lo > days_p25 or days_p25 > days_p25_hi
        or days_p50_lo > days_p50 or days_p50 > days_p50_hi
        or days_p75_lo > days_p75 or days_p75 > days_p75_hi
        or days_p25 > days_p50 or days_p50 > days_p75
        or (n > 0 and n < {{ var('k') }})
        or (n_historic > 0 and n_historic < {{ var('k') }})
        or (days_p25 is not null and n < {{ var('minimum_n') }})
),

broken_stays as (
    select concat_ws(' ', milestone, visit_status, scope_key) as broken
    from {{ ref('mart_time_in_stage') }}
    where
        days_p25_lo > days_p25 or days_p25 > days_p25_hi
        or days_p50_lo > days_p50 or days_p50 > days_p50_hi
        or days_p75_lo > days_p75 or days_p75 > days_p75_hi
        or days_p90_lo > days_p90 or days_p90 > days_p90_hi
        or n_applications > n_visits or n_applications < {{ var('k') }}
),

broken_pipeline as (
    select concat_ws(' ', scope, scope_key, milestone, stage_key) as broken
    from {{ ref('mart_pipeline_now') }}
    where n_certainly_stuck > n_stuck or n_stuck > n_open or n_open < {{ var('k') }}
),

open_counts as (
    select
        sum(n_open) filter (where scope = 'milestone') as n_told,
        bool_or(is_suppressed and scope = 'milestone') as is_suppressed,
        (select count(*) from {{ ref('mart_pipeline_ageing') }}) as n_listed,
        (
            select count(*) from {{ ref('fct_application') }} as applications
            where applications.status = 'OPEN'
        ) as n_open
    from {{ ref('mart_pipeline_now') }}
),

broken_open as (
    select 'open: ' || n_open || ', told of ' || coalesce(n_told, 0) || ' and ' || n_listed as broken
    from open_counts
    where n_listed <> n_open or (not is_suppressed and n_told <> n_open)
),

weeks as (
    select
        *,
        lag(n_waiting) over (order by week_on) as n_waited
    from {{ ref('mart_weekly_trend') }}
),

broken_weeks as (
    select 'week of ' || week_on as broken
    from weeks
    where
        n_waited + n_applications - n_decisions - n_expired <> n_waiting
        or n_decisions <> n_hired + n_declined + n_vanished
        or n_in_closed_job < 0
        or n_in_closed_job > n_waiting
),

broken_sources as (
    select concat_ws(' ', source_key, period_key) as broken
    from {{ ref('mart_source_effectiveness') }}
    where
        hire_rate_low > hire_rate or hire_rate > hire_rate_high
        or pass_through_low > pass_through or pass_through > pass_through_high
        or incidence_hired_60d_lo > incidence_hired_60d_hi
        or incidence_hired_90d_lo > incidence_hired_90d_hi
        or incidence_hired_60d_lo > incidence_hired_90d_lo
        or n_applications < {{ var('k') }}
),

broken_vacancies as (
    select 'job ' || job_id as broken
    from {{ ref('fct_job_vacancy') }}
    where
        is_at_risk
        and not coalesce(entry_days < exit_days_lo and exit_days_lo <= exit_days and exit_days <= exit_days_hi, false)
),

final as (
    select * from broken_speed
    union all
    select * from broken_stays
    union all
    select * from broken_pipeline
    union all
    select * from broken_open
    union all
    select * from broken_weeks
    union all
    select * from broken_sources
    union all
    select * from broken_vacancies
)

select * from final
