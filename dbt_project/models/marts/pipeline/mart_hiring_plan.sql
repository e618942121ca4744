with

lines as (
    select * from {{ ref('mart_plan_line') }}
),

-- Where the ATS has no such job, there is nobody to hide.
hidden as (
    select
        *,
        n_jobs > 0 and {{ is_hidden('n_hires', 'scope, n_jobs > 0', 'line_number') }} as is_suppressed,
        n_jobs > 0 and {{ is_hidden('n_open', 'scope, n_jobs > 0', 'line_number') }} as is_pipeline_suppressed
    from lines
),

final as (
    select
        scope,
        line_number,
        job,
        category,
        n_jobs,
        n_wanted,
        counts_from_on,
        due_on,
        days_left,
        {% for n in ['n_hires_lo', 'n_hires', 'n_hires_hi', 'n_gap', 'plan_status'] -%}
            case when not is_suppressed then {{ n }} end as {{ n }},
        {% endfor -%}
        {% for n in ['n_open', 'n_in_closed_job', 'n_at_offer'] -%}
            case when not is_pipeline_suppressed then {{ n }} end as {{ n }},
        {% endfor -%}
        is_in_total,
        is_suppressed,
        is_pipeline_suppressed
    from hidden
)

select * from final
