with

lines as (
    select * from {{ ref('mart_plan_line') }}
),

final as (
    select
        coalesce(job, category, 'all') as planned_for,
        due_on,
        n_wanted,
        n_hires,
        n_gap,
        n_open - n_in_closed_job as n_waiting,
        plan_status,
        line_number
    from lines
)

select * from final
order by line_number
