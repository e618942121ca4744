"""The report's queries: one per dataset, on shared models of the published file.

Belongs here: which rows, and how they are packed. Not here: opening the file (data), drawing (charts).

Some rows would become many: a cohort's milestones and ages, a curve's days. Such a row has a list per column instead,
so that the page stays small. All lists of a row have the same order: by milestone's rank, as in the dataset
`milestone_ages`, or as in the column `days`.
"""

from typing import Final

from join_pipeline.report.figure_queries import FIGURE_DATASETS
from join_pipeline.report.group_queries import CURVES

DATASETS: Final = {
    "definitions": "SELECT * FROM metric_definition ORDER BY id",
    "groups": """
        SELECT
            shown_group.group_number AS "group",
            shown_group.scope,
            shown_group.scope_key AS "key",
            dim_job.job_name AS name,
            dim_job.city,
            dim_job.status,
            dim_job.job_remote_id AS number
        FROM shown_group
        LEFT JOIN dim_job
            ON shown_group.scope IN ('job', 'job_source') AND split_part(shown_group.scope_key, '/', 1) = dim_job.job_id
        ORDER BY group_number""",
    "left_out": """
        SELECT scope, count(DISTINCT scope_key) AS n
        FROM fct_funnel_cohort
        ANTI JOIN shown_group USING (scope, scope_key)
        WHERE scope <> 'overall'
        GROUP BY scope
        ORDER BY scope""",
    "cohorts": """
        WITH
        ages AS (
            SELECT
                cohort_grain, cohort_on, scope, scope_key,
                list(n_old_enough ORDER BY milestone_rank, age_days) AS old_enough_at_age,
                list(n_reached_lo ORDER BY milestone_rank, age_days) AS reached_at_age_lo,
                list(n_reached ORDER BY milestone_rank, age_days) AS reached_at_age,
                list(n_reached_hi ORDER BY milestone_rank, age_days) AS reached_at_age_hi
            FROM fct_funnel_cohort_age
            WHERE milestone_rank > 1
            GROUP BY ALL
        )
        SELECT
            shown_group.group_number AS "group",
            cohort_grain AS grain,
            cohort_on AS "on",
            any_value(n_cohort) AS n,
            any_value(n_unknown) AS n_unknown,
            bool_or(is_left_truncated) AS is_truncated,
            bool_or(is_suppressed) AS is_hidden,
            list(n_reached_observed ORDER BY milestone_rank) FILTER (NOT is_suppressed) AS observed,
            list(n_reached_assumed ORDER BY milestone_rank) FILTER (NOT is_suppressed) AS reached,
            list(n_moved_on ORDER BY milestone_rank) FILTER (NOT is_suppressed) AS moved_on,
            list(n_out ORDER BY milestone_rank) FILTER (NOT is_suppressed) AS out,
            list(n_waiting ORDER BY milestone_rank) FILTER (NOT is_suppressed) AS waiting,
            any_value(ages.old_enough_at_age) AS old_enough_at_age,
            any_value(ages.reached_at_age_lo) AS reached_at_age_lo,
            any_value(ages.reached_at_age) AS reached_at_age,
            any_value(ages.reached_at_age_hi) AS reached_at_age_hi
        FROM fct_funnel_cohort AS cohort
        INNER JOIN shown_group USING (scope, scope_key)
        LEFT JOIN ages USING (cohort_grain, cohort_on, scope, scope_key)
        CROSS JOIN horizon
        WHERE
            (cohort_grain = 'month' AND cohort_on >= horizon.starts_on)
            OR (cohort_grain = 'week' AND scope <> 'job' AND cohort_on >= horizon.weeks_on)
        GROUP BY ALL
        ORDER BY ALL""",
    "syncs": """
        SELECT
            mode, verdict, started_at, as_of, round(seconds, 1) AS seconds, n_requests, n_set_aside, n_pending_looks,
            is_proof_of_content, is_proof_of_presence
        FROM dim_sync
        ORDER BY sync_id""",
    "milestone_ages": """
        SELECT milestone, age_days
        FROM (SELECT DISTINCT milestone_rank, milestone, age_days FROM fct_funnel_cohort_age WHERE milestone_rank > 1)
        ORDER BY milestone_rank, age_days""",
    "curves": CURVES,
    "turnbull": """
        SELECT
            shown_group.group_number AS "group",
            question,
            event,
            any_value(n_subjects) AS n,
            any_value(ends_at_day) AS ends_at,
            list(day ORDER BY day) AS days,
            list(round(incidence, 4) ORDER BY day) AS incidence
        FROM fct_turnbull
        INNER JOIN shown_group USING (scope, scope_key)
        GROUP BY ALL
        ORDER BY ALL""",
    "trust": """
        SELECT
            check_name AS "check", subject, n, n_of, share, round(value, 3) AS value, unit, is_suppressed AS is_hidden
        FROM mart_trust
        ORDER BY check_name, subject""",
    "now": """
        SELECT
            coalesce(shown_group.group_number, 0) AS "group",
            pipeline.scope,
            pipeline.milestone,
            dim_stage.stage_name AS stage,
            pipeline.n_open,
            pipeline.n_in_closed_job,
            pipeline.n_stuck,
            pipeline.n_certainly_stuck,
            round(pipeline.days_in_stage_p50, 1) AS p50,
            round(pipeline.days_in_stage_p75, 1) AS p75,
            pipeline.stuck_rule AS rule,
            round(pipeline.stuck_after_days, 1) AS stuck_after,
            pipeline.is_suppressed AS is_hidden
        FROM mart_pipeline_now AS pipeline
        LEFT JOIN shown_group USING (scope, scope_key)
        LEFT JOIN dim_stage USING (stage_id)
        WHERE pipeline.scope IN ('milestone', 'stage') OR shown_group.group_number IS NOT NULL
        ORDER BY
            "group", pipeline.scope, dim_stage.milestone_rank, dim_stage.global_index, pipeline.n_open DESC, stage""",
    "open_jobs": """
        SELECT
            shown_group.group_number AS "group",
            dim_job.job_id AS "key",
            dim_job.job_name AS name,
            dim_job.city,
            dim_job.category,
            floor(date_diff('second', dim_job.opened_at, seen.as_of) / 86400.0) AS days_open,
            coalesce(waiting.n_open, 0) AS n_open,
            coalesce(waiting.is_hidden, false) AS is_hidden
        FROM dim_job
        CROSS JOIN (SELECT max(as_of) AS as_of FROM dim_sync) AS seen
        LEFT JOIN shown_group ON shown_group.scope = 'job' AND shown_group.scope_key = dim_job.job_id
        LEFT JOIN (
            SELECT job_id, sum(n_open) AS n_open, bool_or(is_suppressed) AS is_hidden
            FROM mart_pipeline_now
            WHERE scope = 'job'
            GROUP BY job_id
        ) AS waiting ON dim_job.job_id = waiting.job_id
        WHERE dim_job.status = 'OPEN' AND NOT dim_job.is_deleted
        ORDER BY days_open DESC NULLS LAST, dim_job.job_id""",
    "bottlenecks": """
        SELECT
            shown_group.group_number AS "group",
            milestone,
            n_hires,
            round(days_mean, 1) AS days,
            round(days_unseen_mean, 1) AS unseen,
            round(days_to_hire_mean, 1) AS to_hire,
            round(days_to_hire_mean_if_halved, 1) AS if_halved,
            is_bottleneck,
            is_suppressed AS is_hidden
        FROM mart_bottleneck
        INNER JOIN shown_group USING (scope, scope_key)
        ORDER BY group_number, milestone_rank""",
    "seasons": """
        SELECT
            month_on AS "on",
            n_applications AS applications,
            n_hires AS hires,
            n_applications_year_before AS applications_before,
            n_hires_year_before AS hires_before,
            round(change_of_applications, 4) AS change,
            is_whole,
            is_left_truncated AS is_truncated,
            is_suppressed AS is_hidden
        FROM mart_seasonality
        ORDER BY month_on DESC
        LIMIT 36""",
    "stays": """
        SELECT
            shown_group.group_number AS "group",
            milestone,
            visit_status AS status,
            n_visits AS n,
            n_left_truncated AS n_truncated,
            round(days_p25, 2) AS p25,
            round(days_p50, 2) AS p50,
            round(days_p75, 2) AS p75,
            round(days_p90, 2) AS p90,
            round(days_p50_lo, 2) AS p50_lo,
            round(days_p50_hi, 2) AS p50_hi,
            is_suppressed AS is_hidden
        FROM mart_time_in_stage
        INNER JOIN shown_group USING (scope, scope_key)
        ORDER BY ALL""",
    "speed": """
        SELECT
            shown_group.group_number AS "group",
            metric,
            n,
            round(days_p25, 2) AS p25,
            round(days_p50, 2) AS p50,
            round(days_p75, 2) AS p75,
            round(days_p50_lo, 2) AS p50_lo,
            round(days_p50_hi, 2) AS p50_hi,
            n_historic,
            round(historic_days_p50_at_most, 2) AS historic_at_most,
            is_suppressed AS is_hidden
        FROM mart_speed
        INNER JOIN shown_group USING (scope, scope_key)
        WHERE period_grain = 'all'
        ORDER BY ALL""",
    "sources": """
        SELECT
            shown_group.group_number AS "group",
            channel,
            round(incidence_hired_90d_lo, 4) AS hired_lo,
            round(incidence_hired_90d_hi, 4) AS hired_hi,
            days_to_decision_p50_lo AS decision_lo,
            days_to_decision_p50_hi AS decision_hi
        FROM mart_source_effectiveness
        INNER JOIN shown_group ON shown_group.scope = 'source' AND shown_group.scope_key = source_key
        WHERE period_grain = 'all'
        ORDER BY ALL""",
    "forecast": """
        SELECT
            shown_group.group_number AS "group",
            horizon_days AS days,
            n_waiting AS waiting,
            round(hires_expected, 2) AS expected,
            round(chance_of_a_hire, 3) AS chance,
            hires_low_80 AS low_80,
            hires_high_80 AS high_80,
            hires_low_95 AS low_95,
            hires_high_95 AS high_95,
            reason,
            n_past_forecasts AS n_past,
            n_past_within_80 AS past_within_80,
            n_past_within_95 AS past_within_95,
            is_suppressed AS is_hidden
        FROM mart_hiring_forecast
        INNER JOIN shown_group USING (scope, scope_key)
        ORDER BY ALL""",
    "forecast_backtest": """
        SELECT
            forecast_at AS "at",
            horizon_days AS days,
            n_waiting AS waiting,
            round(hires_expected, 2) AS expected,
            hires_low_80 AS low_80,
            hires_high_80 AS high_80,
            hires_low_95 AS low_95,
            hires_high_95 AS high_95,
            n_hired AS hired,
            reason
        FROM mart_hiring_forecast_backtest
        ORDER BY ALL""",
    "trend": """
        SELECT
            week_on AS "on",
            n_days_synced,
            n_applications AS applications,
            n_decisions AS decisions,
            n_hired AS hires,
            n_waiting AS waiting,
            is_whole,
            is_left_truncated AS is_truncated,
            is_suppressed AS is_hidden
        FROM mart_weekly_trend
        ORDER BY week_on DESC
        LIMIT 53""",
    **FIGURE_DATASETS,
}
"""The query of each dataset by its name. Columns keep their order."""
