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

follow_up as (
    select
        {{ local_date('followed_from') }} as first_on,
        cast(date_trunc('month', {{ local_date('as_of') }}) as date) as running_month_on
    from {{ ref('int_follow_up') }}
),

applied as (
    select
        cost_sources.cost_source_key,
        cast(date_trunc('month', applications.applied_on) as date) as month_on,
        count(*) as n_applications,
        count(*) filter (where applications.status = 'HIRED') as n_hired,
        count(*) filter (where applications.status in ('OPEN', 'UNKNOWN')) as n_waiting
    from applications
    inner join cost_sources on applications.source = cost_sources.source
    group by cost_sources.cost_source_key, date_trunc('month', applications.applied_on)
),

known as (
    select distinct cost_source_key
    from cost_sources
),

-- A month that is not over yet brings more applications, and it may have its cost already.
months as (
    select
        costs.cost_source_key,
        costs.cost_source,
        known.cost_source_key is not null as is_known,
        costs.month_on,
        cast(date_trunc('year', costs.month_on) as date) as year_on,
        costs.currency,
        costs.cost,
        costs.month_on < follow_up.running_month_on as is_over,
        costs.month_on < follow_up.first_on as is_left_truncated,
        coalesce(applied.n_applications, 0) as n_applications,
        coalesce(applied.n_hired, 0) as n_hired,
        coalesce(applied.n_waiting, 0) as n_waiting
    from costs
    cross join follow_up
    left join known on costs.cost_source_key = known.cost_source_key
    left join applied on costs.cost_source_key = applied.cost_source_key and costs.month_on = applied.month_on
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
        sum(cost) as cost,
        sum(cost) filter (where is_over) as cost_of_months_over,
        cast(coalesce(sum(n_applications) filter (where is_over), 0) as bigint) as n_applications,
        cast(coalesce(sum(n_hired) filter (where is_over), 0) as bigint) as n_hired,
        cast(coalesce(sum(n_waiting) filter (where is_over), 0) as bigint) as n_waiting,
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

-- Where no month is over, or no application ever came from a source, there is nobody to hide.
small as (
    select
        *,
        is_known and n_months_over > 0
        and {{ is_hidden(
            'n_applications', 'scope, is_known, n_months_over > 0, currency, period_grain, period_on', 'scope_key'
        ) }} as is_small,
        year(period_on) as period_year
    from counted
),

in_hidden_months as (
    select
        *,
        if(
            period_grain = 'year',
            sum(n_applications) filter (where period_grain = 'month' and is_small) over its_year,
            sum(n_applications) filter (where period_grain = 'month' and is_small) over all_years
        ) as n_in_hidden_months
    from small
    window
        its_year as (partition by scope, scope_key, currency, period_year),
        all_years as (partition by scope, scope_key, currency)
),

-- A total less its shown months would give away hidden ones that hold fewer than k, so it is hidden, too.
hidden as (
    select
        *,
        is_small or coalesce(
            period_grain <> 'month' and n_in_hidden_months > 0 and n_in_hidden_months < {{ var('k') }}, false
        ) as is_suppressed
    from in_hidden_months
),

shown as (
    select
        * exclude (n_applications, n_hired, n_waiting),
    {% for n in ['n_applications', 'n_hired', 'n_waiting'] -%}
        case when not is_suppressed and n_months_over > 0 then {{ n }} end as {{ n }}{{ ',' if not loop.last }}
    {% endfor -%}
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
        cost,
        cost_of_months_over,
        n_applications,
        n_hired,
        n_waiting,
        {{ rate('cost_of_months_over', 'n_applications') }} as cost_per_application,
        {{ rate('cost_of_months_over', 'n_hired') }} as cost_per_hire,
        case
            when n_hired >= {{ var('minimum_n') }} then {{ rate('cost_of_months_over', '(n_hired + n_waiting)') }}
        end as cost_per_hire_low,
        is_left_truncated,
        is_suppressed
    from shown
)

select * from final
