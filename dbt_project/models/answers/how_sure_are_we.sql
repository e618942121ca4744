with

trust as (
    select * from {{ ref('mart_trust') }}
),

final as (
    select
        check_name,
        subject,
        n,
        n_of,
        share,
        value,
        unit,
        is_suppressed
    from trust
)

select * from final
order by check_name, subject
