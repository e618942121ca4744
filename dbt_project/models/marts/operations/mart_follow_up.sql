with

follow_up as (
    select * from {{ ref('int_follow_up') }}
),

final as (
    select
        as_of,
        followed_from,
        followed_until,
        days_behind,
        is_stale,
        guarded_since
    from follow_up
)

select * from final
