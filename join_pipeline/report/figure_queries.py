"""The report's queries on the user's own figures: the hiring plan, service levels and costs. Without a file, no row.

Belongs here: datasets that rest on a file of the user's. Not here: the other datasets (queries).
"""

from typing import Final

FIGURE_DATASETS: Final = {
    "plan": """
        SELECT
            line_number AS line,
            job,
            category,
            n_jobs,
            n_wanted AS wanted,
            counts_from_on AS since,
            due_on AS "by",
            days_left,
            n_hires_lo AS hires_lo,
            n_hires AS hires,
            n_hires_hi AS hires_hi,
            n_gap AS gap,
            round(hires_expected, 1) AS expected,
            plan_status AS status,
            n_open - n_in_closed_job AS n_waiting,
            n_at_offer,
            is_in_total,
            is_suppressed AS is_hidden,
            is_pipeline_suppressed AS is_pipeline_hidden
        FROM mart_hiring_plan
        ORDER BY line_number""",
    "service_levels": """
        SELECT
            shown_group.group_number AS "group",
            milestone,
            days_allowed,
            n_stays,
            n_attained AS attained,
            n_breached AS breached,
            round(share_attained, 4) AS share,
            round(share_attained_wilson_low, 4) AS share_low,
            round(share_attained_wilson_high, 4) AS share_high,
            round(curve_attained_lo, 4) AS curve_lo,
            round(curve_attained_hi, 4) AS curve_hi,
            n_open - n_in_closed_job AS n_waiting,
            n_in_closed_job,
            n_overdue AS overdue,
            n_certainly_overdue AS certainly_overdue,
            n_due_soon AS due_soon,
            round(days_left_p50, 1) AS days_left,
            is_suppressed AS is_hidden,
            is_past_suppressed AS is_past_hidden
        FROM mart_service_level
        INNER JOIN shown_group USING (scope, scope_key)
        ORDER BY "group", milestone_rank""",
    "costs": """
        SELECT
            scope,
            source,
            period_grain AS grain,
            period_key AS period,
            currency,
            n_months,
            round(cost, 2) AS cost,
            round(cost_of_months_over, 2) AS cost_over,
            n_applications AS applications,
            round(cost_per_application, 2) AS per_application,
            n_hired AS hires,
            n_waiting,
            round(cost_per_hire, 2) AS per_hire,
            round(cost_per_hire_low, 2) AS per_hire_low,
            is_known,
            is_left_truncated AS is_truncated,
            is_suppressed AS is_hidden
        FROM mart_cost_per_hire
        ORDER BY currency NULLS LAST, scope, scope_key, period_grain, period_key""",
}
"""The query of each dataset by its name. Columns keep their order."""
