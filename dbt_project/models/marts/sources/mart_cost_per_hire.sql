{%- set family = 'scope, is_known, currency, period_grain, period_on' -%}

with

costs as (
    select * from {{ ref('int_cost') }}
),

cost_sources as (
    select * from {{ ref('int_cost_source') }}
),

applications as (
    select * from {{ ref('fct_application') }}
),

hires as (
    select * from {{ ref('fct_time_to_hire') }}
    where not is_historic
),

spans as (
    select
        {{ local_date('followed_from') }} as first_on,
        cast(date_trunc('month', {{ local_date('as_of') }}) as date) as running_month_on
    from {{ ref('int_follow_up') }}
),

applied as (
    select
        cost_sources.cost_source_key,
        cast(date_trunc('month', applications.applied_on) as date) as month_on,
        count(*) as n
    from applications
    inner join cost_sources on applications.source = cost_sources.source
    group by all
),

hired as (
    select
        cost_sources.cost_source_key,
        cast(date_trunc('month', hires.hired_on) as date) as month_on,
        count(*) as n
    from hires
    inner join cost_sources on hires.source = cost_sources.source
    group by all
),

known as (
    select distinct cost_source_key
    from cost_sources
),

-- A month that is not over has no figures yet. When hires were made is known of the months after the first sync.
months as (
    select
        costs.cost_source_key,
        costs.cost_source,
        known.cost_source_key is not null as is_known,
        costs.month_on,
        cast(date_trunc('year', costs.month_on) as date) as year_on,
        costs.currency,
        costs.cost,
        costs.month_on < spans.running_month_on as is_over,
        costs.month_on < spans.running_month_on and costs.month_on >= spans.first_on as is_seen,
        costs.month_on < spans.first_on as is_left_truncated,
        coalesce(applied.n, 0) as n_applications,
        coalesce(hired.n, 0) as n_hires
    from costs
    cross join spans
    left join known on costs.cost_source_key = known.cost_source_key
    left join applied on costs.cost_source_key = applied.cost_source_key and costs.month_on = applied.month_on
    left join hired on costs.cost_source_key = hired.cost_source_key and costs.month_on = hired.month_on
),

counted as (
    select
        if(grouping(cost_source_key) = 0, 'source', 'overall') as scope,
        coalesce(cost_source_key, 'all') as scope_key,
        case when grouping(cost_source_key) = 0 then any_value(cost_source) end as source,
        bool_or(is_known) as is_known,
        case
            when grouping(month_on) = 0 then 'month'
            when grouping(year_on) = 0 then 'year'
            else 'all'
        end as period_grain,
        coalesce(month_on, year_on) as period_on,
        currency,
        count(distinct month_on) as n_months,
        count(distinct month_on) filter (where is_over) as n_months_over,
        count(distinct month_on) filter (where is_seen) as n_months_seen,
        sum(cost) as cost,
        sum(cost) filter (where is_over) as cost_of_months_over,
        sum(cost) filter (where is_seen) as cost_of_months_seen,
        cast(sum(n_applications) filter (where is_over) as bigint) as n_applications,
        cast(sum(n_hires) filter (where is_seen) as bigint) as n_hires,
        bool_or(is_left_truncated) as is_left_truncated
    from months
    group by grouping sets (
        (currency, cost_source_key, month_on),
        (currency, cost_source_key, year_on),
        (currency, cost_source_key),
        (currency, month_on),
        (currency, year_on),
        (currency)
    )
),

-- Where no application came from a source, there is nobody to hide.
small as (
    select
        *,
        {% for n in ['applications', 'hires'] -%}
            is_known and {{ is_hidden('n_' ~ n, family ~ ', n_' ~ n ~ ' is null', 'scope_key') }} as is_{{ n }}_small,
        {% endfor -%}
        year(period_on) as period_year
    from counted
),

in_hidden_months as (
    select
        *,
    {% for n in ['applications', 'hires'] -%}
        if(
            period_grain = 'year',
            sum(n_{{ n }}) filter (where period_grain = 'month' and is_{{ n }}_small) over its_year,
            sum(n_{{ n }}) filter (where period_grain = 'month' and is_{{ n }}_small) over all_years
        ) as n_{{ n }}_in_hidden_months{{ ',' if not loop.last }}
    {% endfor -%}
    from small
    window
        its_year as (partition by scope, scope_key, currency, period_year),
        all_years as (partition by scope, scope_key, currency)
),

-- A total less its shown months would give away hidden ones that hold fewer than k, so it is hidden, too.
hidden as (
    select
        *,
    {% for n in ['applications', 'hires'] -%}
        coalesce(is_{{ n }}_small, false)
        or coalesce(
            period_grain <> 'month'
            and n_{{ n }}_in_hidden_months > 0
            and n_{{ n }}_in_hidden_months < {{ var('k') }},
            false
        ) as is_{{ n }}_suppressed{{ ',' if not loop.last }}
    {% endfor -%}
    from in_hidden_months
),

shown as (
    select
        * exclude (n_applications, n_hires),
        case when not is_applications_suppressed then n_applications end as n_applications,
        case when not is_hires_suppressed then n_hires end as n_hires
    from hidden
),

final as (
    select
        scope,
        scope_key,
        source,
        is_known,
        period_grain,
        case period_grain
            when 'month' then strftime(period_on, '%Y-%m')
            when 'year' then strftime(period_on, '%Y')
            else 'all'
        end as period_key,
        period_on,
        coalesce(currency, 'unknown') as currency_key,
        currency,
        n_months,
        n_months_over,
        n_months_seen,
        cost,
        cost_of_months_over,
        n_applications,
        {{ rate('cost_of_months_over', 'n_applications') }} as cost_per_application,
        cost_of_months_seen,
        n_hires,
        {{ rate('cost_of_months_seen', 'n_hires') }} as cost_per_hire,
        is_left_truncated,
        is_applications_suppressed,
        is_hires_suppressed
    from shown
)

select * from final
