with

named as (
    select distinct cost_source_key
    from {{ ref('int_cost') }}
),

sources as (
    select source from {{ ref('int_source') }}
),

-- Brackets name a product of a board: "indeed (Limited)" costs what indeed costs, unless the file names it itself.
final as (
    select
        sources.source,
        coalesce(exact.cost_source_key, boards.cost_source_key) as cost_source_key
    from sources
    left join named as exact on {{ name_key('sources.source') }} = exact.cost_source_key
    left join named as boards
        on {{ name_key("regexp_replace(sources.source, '\\s*\\([^)]*\\)\\s*$', '')") }} = boards.cost_source_key
    where coalesce(exact.cost_source_key, boards.cost_source_key) is not null
)

select * from final
