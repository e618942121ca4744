"""The report's groups that a reader can choose, the time that it shows, and each group's curves.

Belongs here: which groups, months and days. Not here: the list of datasets (queries).
"""

from typing import Final

HORIZON_MONTHS: Final = 36
"""The report shows the cohorts of so many months. The published file has the older ones, too."""
MOST_GROUPS: Final = {
    "overall": 1,
    "job": 200,
    "source": 40,
    "category": 40,
    "city": 60,
    "channel": 12,
    "job_source": 300,
}
"""How many groups of each scope a reader can choose, the largest first. A pair's key has a `/` between its parts."""
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
