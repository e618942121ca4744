with

application_states as (
    select * from {{ source('ats', 'application_states') }}
),

final as (
    select
        state,
        milestone,
        is_initial
    from application_states
)

select * from final
