with

forecasts as (
    select * from {{ ref('int_forecast') }}
    where n_hired >= 0
),

follow_up as (
    select * from {{ ref('int_follow_up') }}
),

dated as (
    select
        forecasts.*,
        follow_up.followed_from
        + to_microseconds(cast(round(forecasts.origin_days * 86400e6) as bigint)) as forecast_at,
        forecasts.n_waiting < {{ var('k') }} as is_suppressed,
        not is_suppressed
        and forecasts.n_waiting >= {{ var('minimum_n') }}
        and forecasts.n_hires_before >= {{ var('minimum_n') }}
        and forecasts.origin_days >= forecasts.horizon_days as is_told,
        is_told and forecasts.hires_expected >= 1 as has_interval
    from forecasts
    cross join follow_up
),

final as (
    select
        forecast_at,
        horizon_days,
        case when not is_suppressed then n_waiting end as n_waiting,
        case when is_told then hires_expected end as hires_expected,
        {% for column in ['hires_low_80', 'hires_high_80', 'hires_low_95', 'hires_high_95'] -%}
            case when has_interval then {{ column }} end as {{ column }},
        {% endfor -%}
        case when not is_suppressed then n_hired end as n_hired,
        case when has_interval then n_hired between hires_low_80 and hires_high_80 end as is_within_80,
        case when has_interval then n_hired between hires_low_95 and hires_high_95 end as is_within_95,
        case
            when is_suppressed then 'too few people to show'
            when has_interval then null
            when is_told then 'less than one hire is expected'
            when origin_days < horizon_days then 'followed for too few days'
            when n_hires_before < {{ var('minimum_n') }} then 'too few hires so far'
            else 'too few wait'
        end as reason,
        is_suppressed
    from dated
)

select * from final
