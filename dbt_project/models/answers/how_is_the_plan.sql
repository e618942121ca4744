with

lines as (
    select * from {{ ref('mart_plan_line') }}
),

plans as (
    select * from {{ ref('mart_hiring_plan') }}
),

final as (
    select
        coalesce(lines.job, lines.category, 'all') as planned_for,
        lines.due_on,
        lines.n_wanted,
        lines.n_hires,
        lines.n_gap,
        lines.n_open - lines.n_in_closed_job as n_waiting,
        lines.plan_status,
        round(plans.hires_expected, 1) as hires_expected,
        lines.line_number
    from lines
    inner join plans on lines.line_number = plans.line_number
)

select * from final
order by line_number
