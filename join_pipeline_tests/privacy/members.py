"""Who is in each group that the shared tables count, by the rows of analysts.

Belongs here: people. Not here: what can be told of them (attacker_all).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import duckdb

ALWAYS: Final = date.min
Name = tuple[str, str, date, str, str]
"""What is counted, a period and a group: what, grain, period, scope, key."""


# One row per person and thing that is counted: what, the month or the day of it, the job, the source, and the stage.
MEMBERS: Final = """
    WITH follow_up AS (SELECT followed_until FROM {s}.mart_follow_up),
    hires AS (
        SELECT hires.* FROM {s}.fct_time_to_hire AS hires, follow_up WHERE hired_at <= followed_until
    ),
    applications AS (FROM {s}.fct_application),
    ended AS (
        SELECT 'time_to_hire' AS metric, candidate_key, job_id, source, days_to_hire AS days, hired_at AS ended_at
        FROM hires
        UNION ALL
        SELECT if(hire_number = 1, 'time_to_fill', 'time_to_later_fill'), candidate_key, job_id, source, days_to_fill,
            hired_at
        FROM hires WHERE days_to_fill_hi IS NOT NULL
        UNION ALL
        SELECT 'time_to_decision', candidate_key, job_id, source, days_to_decision, first_decided_at
        FROM applications, follow_up WHERE first_decided_at <= followed_until
        UNION ALL
        SELECT 'time_to_first_movement', candidate_key, job_id, source, days_to_first_movement, first_moved_at
        FROM applications, follow_up WHERE first_moved_at <= followed_until
    )
    SELECT 'applied' AS what, candidate_key, job_id, source, applied_on AS day, NULL AS stage FROM applications
    UNION ALL
    SELECT 'waits ' || waiting.milestone, candidate_key, waiting.job_id, waiting.source, NULL, waiting.stage_id
    FROM {s}.mart_pipeline_ageing AS waiting INNER JOIN applications USING (application_key)
    UNION ALL
    SELECT if(days IS NULL, 'historic ', 'ended ') || metric, candidate_key, job_id, source,
        CAST(date_trunc('month', timezone('{zone}', ended_at)) AS DATE), NULL
    FROM ended
    UNION ALL
    SELECT 'hires', candidate_key, job_id, source, NULL, NULL FROM hires WHERE NOT is_historic AND NOT is_left_truncated
    UNION ALL
    SELECT 'stays ' || upper(replace(question, 'leave_', '')), candidate_key, times.job_id, times.source, NULL, NULL
    FROM {s}.fct_time_to_event AS times INNER JOIN applications USING (application_key), follow_up
    INNER JOIN (SELECT DISTINCT milestone, days_allowed FROM {s}.mart_service_level) AS allowed
        ON question = 'leave_' || lower(milestone)
    WHERE is_at_risk AND coalesce(entry_days, 0) <= 0
        AND date_diff('microsecond', origin_at, followed_until) / 86400e6 >= days_allowed
"""


def people_of(con: duckdb.DuckDBPyConnection, schema: str, zone: str, names: Iterable[Name]) -> dict[Name, set[str]]:
    """Who is in each of these groups, by the rows of analysts."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for what, _, _, scope, key in names:
        told[what, scope].add(key)
    category = dict(con.execute(f"SELECT job_id, coalesce(category, 'unknown') FROM {schema}.dim_job").fetchall())
    city = dict(con.execute(f"SELECT job_id, coalesce(city, 'unknown') FROM {schema}.dim_job").fetchall())
    channel = dict(con.execute(f"SELECT source, coalesce(channel, 'OTHER') FROM {schema}.dim_source").fetchall())
    people: dict[Name, set[str]] = defaultdict(set)
    for what, candidate, its_job, its_source, day, stage in con.execute(MEMBERS.format(s=schema, zone=zone)).fetchall():
        job, source = its_job or "unknown", its_source or "unknown"
        groups = {
            "overall": "all",
            "job": job,
            "source": source,
            "category": category.get(job, "unknown"),
            "city": city.get(job, "unknown"),
            "channel": channel.get(source, "OTHER"),
            "job_source": f"{job}/{source}",
            "stage": stage or "unknown",
            "stage_job": f"{stage or 'unknown'}/{job}",
        }
        periods = {"all": ALWAYS}
        if day is not None:
            periods |= {"month": day.replace(day=1), "quarter": quarter_of(day)}
            if what == "applied":
                periods["week"] = day - timedelta(day.weekday())
        for scope, word in groups.items():
            keys = told[what, scope]
            key = word if word in keys else f"{job}/(other)" if scope == "job_source" else "(other)"
            if key in keys:
                for grain, period in periods.items():
                    people[what, grain, period, scope, key].add(candidate)
    return people


def quarter_of(day: date) -> date:
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
