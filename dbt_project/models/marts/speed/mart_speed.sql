with

applications as (
    select * from {{ ref('fct_application') }}
),

hires as (
    select * from {{ ref('fct_time_to_hire') }}
),

scopes as (
    select * from {{ ref('int_scope') }}
),

follow_up as (
    select followed_until from {{ ref('int_follow_up') }}
),

-- One row per metric and application that has ended, at any time.
durations as (
    select
        'time_to_hire' as metric,
        job_id,
        source,
        hired_at as ended_at,
        days_to_hire_lo as days_lo,
        days_to_hire as days,
        days_to_hire_hi as days_hi,
        is_left_truncated
    from hires
    union all
    select
        if(hire_number = 1, 'time_to_fill', 'time_to_later_fill') as metric,
        job_id,
        source,
        hired_at as ended_at,
        days_to_fill_lo as days_lo,
        days_to_fill as days,
        days_to_fill_hi as days_hi,
        is_left_truncated
    from hires
    where days_to_fill_hi is not null
    union all
    select
        'time_to_decision' as metric,
        job_id,
        source,
        first_decided_at as ended_at,
        days_to_decision_lo as days_lo,
        days_to_decision as days,
        days_to_decision_hi as days_hi,
        is_left_truncated
    from applications
    where first_decided_at is not null
    union all
    select
        'time_to_first_movement' as metric,
        job_id,
        source,
        first_moved_at as ended_at,
        days_to_first_movement_lo as days_lo,
        days_to_first_movement as days,
        days_to_first_movement_hi as days_hi,
        is_left_truncated
    from applications
    where first_moved_at is not null
),

-- Ends after the instant to which everybody is followed are known of some only.
placed as (
    select
        durations.metric,
        coalesce(durations.job_id, 'unknown') as job_id,
        coalesce(durations.source, 'unknown') as source,
        {{ scope_keys('scopes') }},
        cast(date_trunc('month', {{ local_date('durations.ended_at') }}) as date) as month_on,
        durations.days is null as is_historic,
        durations.is_left_truncated,
        durations.days_lo,
        durations.days,
        case when durations.days is not null then durations.days_hi end as days_hi,
        case when durations.days is null then durations.days_hi end as days_at_most
    from durations
    inner join follow_up on durations.ended_at <= follow_up.followed_until
    left join scopes
        on
            coalesce(durations.job_id, 'unknown') = scopes.job_id
            and coalesce(durations.source, 'unknown') = scopes.source
),

-- What ended before the first sync has an upper bound only. It is a group of its own, in no quartile with the others.
counted as (
    select
        metric,
        {{ funnel_scope() }},
        case when grouping(month_on) = 0 then 'month' else 'all' end as period_grain,
        month_on as period_on,
        count(*) filter (where not is_historic) as n,
        count(*) filter (where is_historic) as n_historic,
        count(*) filter (where not is_historic and is_left_truncated) as n_left_truncated,
        {{ quantile_bands([25, 50, 75], 'days_lo', 'days', 'days_hi') }},
        quantile_cont(days_at_most, 0.5) as historic_p50_at_most
    from placed
    group by {{ scope_sets(['metric'], more=[['metric', 'month_on']]) }}
),

-- Observed and historic ones are two groups of people, each of which has to be large enough.
small as (
    select
        *,
        n > 0
        and {{ is_hidden('n', 'metric, period_grain, n > 0, ' ~ scope_family(), 'scope_key, period_on') }}
            as is_suppressed,
        n_historic > 0
        and {{ is_hidden(
            'n_historic', 'metric, period_grain, n_historic > 0, ' ~ scope_family(), 'scope_key, period_on'
        ) }} as is_historic_suppressed
    from counted
    where metric not in ('time_to_fill', 'time_to_later_fill') or scope not in ('source', 'channel', 'job_source')
),

final as (
    select
        metric,
        scope,
        scope_key,
        {{ job_of_scope() }} as job_id,
        {{ source_of_scope() }} as source,
        period_grain,
        coalesce(strftime(period_on, '%Y-%m'), 'all') as period_key,
        period_on,
        case when not is_suppressed then n end as n,
        case when not is_suppressed then n_left_truncated end as n_left_truncated,
        {% for quantile in [25, 50, 75] -%}
            {% set place = loop.index -%}
            {% for suffix in ['_lo', '', '_hi'] -%}
                case
                    when not is_suppressed {%- if quantile != 50 %} and n >= {{ var('minimum_n') }} {%- endif %}
                        then quantiles{{ suffix }}[{{ place }}]
                end as days_p{{ quantile }}{{ suffix }},
            {% endfor -%}
        {% endfor -%}
        case when not is_historic_suppressed then n_historic end as n_historic,
        case when not is_historic_suppressed then historic_p50_at_most end as historic_days_p50_at_most,
        is_suppressed
    from small
)

select * from final
