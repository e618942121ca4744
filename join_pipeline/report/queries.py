"""The report's queries: one per dataset, on shared models of the published file.

Belongs here: which rows, and how they are packed. Not here: opening the file (data), drawing (charts).

Some rows would become many: a cohort's milestones and ages, a curve's days. Such a row has a list per column instead,
so that the page stays small. All lists of a row have the same order: by milestone's rank, as in the dataset
`milestone_ages`, or as in the column `days`.
"""

from typing import Final

from join_pipeline.report.figure_queries import FIGURE_DATASETS

HORIZON_MONTHS: Final = 36
"""The report shows the cohorts of so many months. The published file has the older ones, too."""
MOST_GROUPS: Final = {"overall": 1, "job": 200, "source": 40}
"""How many groups of each scope a reader can choose, the largest first."""
LAST_EXACT_DAY: Final = 60
"""A curve has each of its days up to this one, and one day per week after it, because a reader can't see more."""

SHOWN_GROUPS: Final = f"""
CREATE TEMP TABLE shown_group AS
WITH
counted AS (
    SELECT scope, scope_key, sum(n_cohort) AS n
    FROM fct_funnel_cohort
    WHERE cohort_grain = 'month' AND milestone_rank = 1
    GROUP BY scope, scope_key
    HAVING count(n_cohort) > 0 OR scope = 'overall'  -- the whole is group 0, hidden or not
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY scope ORDER BY n DESC, scope_key) AS place FROM counted
)
SELECT
    row_number() OVER (ORDER BY scope = 'overall' DESC, scope, place) - 1 AS group_number,
    scope,
    scope_key
FROM ranked
WHERE place <= CASE scope {" ".join(f"WHEN '{scope}' THEN {n}" for scope, n in MOST_GROUPS.items())} END
"""

HORIZON: Final = f"""
CREATE TEMP TABLE horizon AS
SELECT max(cohort_on) - INTERVAL {HORIZON_MONTHS - 1} MONTH AS starts_on, max(cohort_on) - INTERVAL 11 MONTH AS weeks_on
FROM fct_funnel_cohort
WHERE cohort_grain = 'month'
"""

# One row per group and question, with parallel lists over the days of a grid. On a day, the value of each bound's curve
# is its last step at or before that day.
CURVES: Final = f"""
WITH
curves AS (
    SELECT shown_group.group_number, fct_survival.*
    FROM fct_survival
    INNER JOIN shown_group USING (scope, scope_key)
    WHERE fct_survival.question IN ('decision', 'hire')
),
spans AS (
    SELECT group_number, question, bound, any_value(starts_at_days) AS starts_at, any_value(ends_at_days) AS ends_at
    FROM curves
    GROUP BY ALL
),
-- the ribbon is drawn where every bound has a curve
common AS (
    SELECT group_number, question, max(starts_at) AS starts_at, min(ends_at) AS ends_at
    FROM spans
    GROUP BY ALL
),
grid AS (
    SELECT DISTINCT curves.group_number, curves.question, curves.day
    FROM curves
    INNER JOIN common USING (group_number, question)
    WHERE
        curves.day BETWEEN common.starts_at AND ceil(common.ends_at)
        AND (curves.day <= {LAST_EXACT_DAY} OR curves.day % 7 = 0 OR curves.day = ceil(common.ends_at))
),
points AS (
    SELECT
        grid.group_number,
        grid.question,
        grid.day,
        spans.bound,
        curves.n_subjects,
        curves.n_at_risk,
        coalesce(curves.survival, 1) AS survival,
        coalesce(curves.survival_low, curves.survival, 1) AS survival_low,
        coalesce(curves.survival_high, curves.survival, 1) AS survival_high,
        coalesce(curves.incidence_hired, 0) AS hired,
        coalesce(curves.incidence_hired_low, curves.incidence_hired, 0) AS hired_low,
        coalesce(curves.incidence_hired_high, curves.incidence_hired, 0) AS hired_high,
        coalesce(curves.incidence_declined, 0) AS declined,
        coalesce(curves.incidence_vanished, 0) AS vanished
    FROM grid
    INNER JOIN spans USING (group_number, question)
    ASOF LEFT JOIN curves
        ON grid.group_number = curves.group_number AND grid.question = curves.question
        AND spans.bound = curves.bound AND grid.day >= curves.day
),
days AS (
    SELECT
        group_number,
        question,
        day,
        max(n_subjects) AS n,
        max(n_at_risk) FILTER (bound = 'hi') AS at_risk,
        min(survival) AS survival_lo,
        max(survival) AS survival_hi,
        min(survival_low) AS survival_low,
        max(survival_high) AS survival_high,
        min(hired) AS hired_lo,
        max(hired) AS hired_hi,
        min(hired_low) AS hired_low,
        max(hired_high) AS hired_high,
        max(hired) FILTER (bound = 'hi') AS hired,
        max(declined) FILTER (bound = 'hi') AS declined,
        max(vanished) FILTER (bound = 'hi') AS vanished
    FROM points
    GROUP BY ALL
)
SELECT
    days.group_number AS "group",
    days.question,
    max(days.n) AS n,
    round(any_value(common.starts_at), 1) AS starts_at,
    round(any_value(common.ends_at), 1) AS ends_at,
    list(days.day ORDER BY days.day) AS days,
    list(days.at_risk ORDER BY days.day) AS at_risk,
    CASE WHEN days.question <> 'hire' THEN list(round(survival_lo, 4) ORDER BY days.day) END AS survival_lo,
    CASE WHEN days.question <> 'hire' THEN list(round(survival_hi, 4) ORDER BY days.day) END AS survival_hi,
    CASE WHEN days.question <> 'hire' THEN list(round(survival_low, 4) ORDER BY days.day) END AS survival_low,
    CASE WHEN days.question <> 'hire' THEN list(round(survival_high, 4) ORDER BY days.day) END AS survival_high,
    CASE WHEN days.question = 'hire' THEN list(round(hired, 4) ORDER BY days.day) END AS hired,
    CASE WHEN days.question = 'hire' THEN list(round(declined, 4) ORDER BY days.day) END AS declined,
    CASE WHEN days.question = 'hire' THEN list(round(vanished, 4) ORDER BY days.day) END AS vanished,
    CASE WHEN days.question = 'hire' THEN list(round(hired_lo, 4) ORDER BY days.day) END AS hired_lo,
    CASE WHEN days.question = 'hire' THEN list(round(hired_hi, 4) ORDER BY days.day) END AS hired_hi,
    CASE WHEN days.question = 'hire' THEN list(round(hired_low, 4) ORDER BY days.day) END AS hired_low,
    CASE WHEN days.question = 'hire' THEN list(round(hired_high, 4) ORDER BY days.day) END AS hired_high
FROM days
INNER JOIN common USING (group_number, question)
GROUP BY days.group_number, days.question
ORDER BY days.group_number, days.question
"""

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
        LEFT JOIN dim_job ON shown_group.scope = 'job' AND shown_group.scope_key = dim_job.job_id
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
        LEFT JOIN shown_group
            ON pipeline.scope = 'job' AND shown_group.scope = 'job' AND pipeline.job_key = shown_group.scope_key
        LEFT JOIN dim_stage USING (stage_id)
        WHERE pipeline.scope <> 'job' OR shown_group.group_number IS NOT NULL
        ORDER BY
            "group", pipeline.scope, dim_stage.milestone_rank, dim_stage.global_index, pipeline.n_open DESC, stage""",
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
