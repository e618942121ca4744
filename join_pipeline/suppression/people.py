"""People: how many persons are in each cell of applications, which decides whether it is small.

Applications are what is summed, and somebody may have made several. Months are those of the variable `time_zone`.
Belongs here: who is in a cell. Not here: cells.
"""

from typing import Final

# One row per application, with the keys of all its groups. An application is of an age if it is known for that long.
MEMBERS: Final = """
    SELECT
        applications.candidate_key,
        applications.applied_on,
        coalesce(applications.job_id, 'unknown') AS job_id,
        coalesce(applications.source, 'unknown') AS source,
        scopes.category_key, scopes.city_key, scopes.channel_key, scopes.job_source_key,
        date_diff('microsecond', applications.applied_at_hi, least(
            follow_up.followed_until,
            if(applications.status = 'EXPIRED', applications.last_known_open_at, NULL)
        )) / 86400e6 AS days_known
    FROM main.fct_application AS applications
    CROSS JOIN main.mart_follow_up AS follow_up
    LEFT JOIN warehouse.intermediate.int_scope AS scopes ON
        coalesce(applications.job_id, 'unknown') = scopes.job_id
        AND coalesce(applications.source, 'unknown') = scopes.source
"""

# One row per application that waits.
WAITING: Final = """
    SELECT
        applications.candidate_key,
        applications.applied_on,
        coalesce(ageing.milestone, 'UNKNOWN') AS milestone,
        coalesce(ageing.stage_id, 'unknown') AS stage_key,
        coalesce(ageing.job_id, 'unknown') AS job_id,
        coalesce(ageing.source, 'unknown') AS source,
        scopes.category_key, scopes.city_key, scopes.channel_key, scopes.job_source_key
    FROM main.mart_pipeline_ageing AS ageing
    INNER JOIN main.fct_application AS applications USING (application_key)
    LEFT JOIN warehouse.intermediate.int_scope AS scopes ON
        coalesce(ageing.job_id, 'unknown') = scopes.job_id AND coalesce(ageing.source, 'unknown') = scopes.source
"""

# One row per application and thing that the tables of durations and stays count it in.
COUNTED: Final = """
    WITH hires AS (
        SELECT * FROM warehouse.recruiting.fct_time_to_hire
        WHERE hired_at <= (SELECT followed_until FROM main.mart_follow_up)
    ),
    applications AS (SELECT * FROM warehouse.recruiting.fct_application),
    ended AS (
        SELECT 'time_to_hire' AS metric, candidate_key, job_id, source, days_to_hire AS days, hired_at AS ended_at
        FROM hires
        UNION ALL
        SELECT if(hire_number = 1, 'time_to_fill', 'time_to_later_fill'), candidate_key, job_id, source, days_to_fill,
            hired_at
        FROM hires WHERE days_to_fill_hi IS NOT NULL
        UNION ALL
        SELECT 'time_to_decision', candidate_key, job_id, source, days_to_decision, first_decided_at FROM applications
        WHERE first_decided_at <= (SELECT followed_until FROM main.mart_follow_up)
        UNION ALL
        SELECT 'time_to_first_movement', candidate_key, job_id, source, days_to_first_movement, first_moved_at
        FROM applications
        WHERE first_moved_at <= (SELECT followed_until FROM main.mart_follow_up)
    ),
    stays AS (
        SELECT visits.*, left_at > followed_until AS is_later, applications.candidate_key, applications.source,
            applications.job_id AS job_of_application
        FROM warehouse.recruiting.fct_stage_visit AS visits
        INNER JOIN applications USING (application_key)
        CROSS JOIN (SELECT followed_until FROM main.mart_follow_up)
        WHERE entered_at <= followed_until AND NOT (visits.is_left_truncated AND entered_evidence = 'bounded')
    ),
    forecast AS (
        SELECT applications.candidate_key, visits.job_id, applications.source
        FROM warehouse.recruiting.fct_stage_visit AS visits
        INNER JOIN applications USING (application_key)
        CROSS JOIN (SELECT followed_until FROM main.mart_follow_up)
        WHERE visits.milestone IN ('SCREENING', 'INTERIM', 'OFFER') AND entered_at < followed_until
            AND followed_until < coalesce(
                CASE
                    WHEN exit IN ('UNKNOWN', 'EXPIRED') THEN known_until_at
                    WHEN exit = 'VANISHED' AND left_at_lo < followed_until THEN least(left_at, followed_until)
                    WHEN exit IS NOT NULL THEN left_at
                END,
                'infinity'
            )
    ),
    allowed AS (SELECT DISTINCT milestone, days_allowed FROM main.mart_service_level),
    kept AS (
        SELECT allowed.milestone, applications.candidate_key, times.job_id, times.source
        FROM warehouse.recruiting.fct_time_to_event AS times
        INNER JOIN allowed ON times.question = 'leave_' || lower(allowed.milestone)
        INNER JOIN applications USING (application_key)
        CROSS JOIN (SELECT followed_until FROM main.mart_follow_up)
        WHERE times.is_at_risk AND coalesce(times.entry_days, 0) <= 0
            AND date_diff('microsecond', times.origin_at, followed_until) / 86400e6 >= allowed.days_allowed
    ),
    counted AS (
        SELECT if(days IS NULL, 'historic ', 'ended ') || metric AS what, candidate_key, job_id, source,
            CAST(date_trunc('month', timezone(getvariable('time_zone'), ended_at)) AS DATE) AS month_on
        FROM ended
        UNION ALL
        SELECT 'hired', candidate_key, job_id, source, NULL FROM hires WHERE NOT is_historic AND NOT is_left_truncated
        UNION ALL
        SELECT
            'stayed ' || coalesce(milestone, 'UNKNOWN') || ' ' || if(coalesce(is_later, false), 'open', visit_status),
            candidate_key, job_of_application, source, NULL
        FROM stays
        UNION ALL
        SELECT 'forecast', candidate_key, job_id, source, NULL FROM forecast
        UNION ALL
        SELECT 'kept ' || milestone, candidate_key, job_id, source, NULL FROM kept
    )
    SELECT what, candidate_key, month_on, coalesce(counted.job_id, 'unknown') AS job_id,
        coalesce(counted.source, 'unknown') AS source,
        scopes.category_key, scopes.city_key, scopes.channel_key, scopes.job_source_key
    FROM counted
    LEFT JOIN warehouse.intermediate.int_scope AS scopes ON
        coalesce(counted.job_id, 'unknown') = scopes.job_id AND coalesce(counted.source, 'unknown') = scopes.source
"""

PEOPLE: Final = f"""
    CREATE OR REPLACE TEMP TABLE people AS
    WITH members AS ({MEMBERS}),
    waiting AS (
        SELECT candidate_key,
            unnest([
                'milestone', 'stage', 'stage_job', 'overall', 'job', 'source', 'category', 'city', 'channel',
                'job_source'
            ]) AS scope,
            unnest([
                milestone, milestone || '/' || stage_key, milestone || '/' || stage_key || '/' || job_id, 'all', job_id,
                source, category_key, city_key, channel_key, job_source_key
            ]) AS key,
            if(scope IN ('milestone', 'stage', 'stage_job'), 'waits', 'waits ' || milestone) AS what
        FROM ({WAITING})
    ),
    counted AS (
        SELECT candidate_key, what, month_on,
            unnest(['overall', 'job', 'source', 'category', 'city', 'channel', 'job_source']) AS scope,
            unnest(['all', job_id, source, category_key, city_key, channel_key, job_source_key]) AS key
        FROM ({COUNTED})
    ),
    placed AS (
        SELECT candidate_key, days_known, applied_on,
            unnest(['overall', 'job', 'source', 'category', 'city', 'channel', 'job_source']) AS scope,
            unnest(['all', job_id, source, category_key, city_key, channel_key, job_source_key]) AS key
        FROM members
    ),
    dated AS (
        SELECT candidate_key, days_known, scope, key,
            unnest(['week', 'month', 'quarter', 'all']) AS grain,
            unnest([
                CAST(date_trunc('week', applied_on) AS DATE), CAST(date_trunc('month', applied_on) AS DATE),
                CAST(date_trunc('quarter', applied_on) AS DATE), DATE '0001-01-01'
            ]) AS period
        FROM placed WHERE key IS NOT NULL
    ),
    ages AS (
        SELECT DISTINCT what, CAST(substr(what, 6) AS INTEGER) AS days FROM cell WHERE starts_with(what, 'aged ')
    )
    SELECT 'applied' AS what, grain, period, scope, key, count(DISTINCT candidate_key) AS n_people
    FROM dated GROUP BY ALL
    UNION ALL
    SELECT ages.what, dated.grain, dated.period, dated.scope, dated.key, count(DISTINCT dated.candidate_key)
    FROM dated CROSS JOIN ages
    WHERE dated.days_known >= ages.days AND (ages.what, dated.grain, dated.period) IN (
        SELECT (what, grain, period) FROM cell
    )
    GROUP BY ALL
    UNION ALL
    SELECT what, 'month', month_on, scope, key, count(DISTINCT candidate_key)
    FROM counted WHERE scope = 'overall' AND month_on IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT what, 'all', DATE '0001-01-01', scope, key, count(DISTINCT candidate_key)
    FROM (FROM waiting SELECT what, scope, key, candidate_key UNION ALL
        FROM counted SELECT what, scope, key, candidate_key)
    WHERE key IS NOT NULL GROUP BY ALL
"""
