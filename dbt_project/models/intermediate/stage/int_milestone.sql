{{ config(materialized='view') }}

with

final as (
    select
        unnest(['SCREENING', 'INTERIM', 'OFFER', 'HIRED']) as milestone,
        unnest([1, 2, 3, 4]) as milestone_rank
)

select * from final
