with

costs as (
    select * from {{ ref('mart_cost_per_hire') }}
    where period_grain <> 'month'
),

final as (
    select
        coalesce(source, 'all') as source,
        period_key,
        round(cost, 2) as cost,
        currency,
        n_applications,
        round(cost_per_application, 2) as cost_per_application,
        n_hired,
        n_waiting,
        round(cost_per_hire, 2) as cost_per_hire,
        scope_key as source_key,
        currency_key
    from costs
)

select * from final
order by currency_key asc, period_key desc, source_key = 'all' desc, cost desc, source_key asc
