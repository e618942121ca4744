with

final as (
    select
        source,
        channel,
        is_mapped
    from {{ ref('int_source') }}
)

select * from final
