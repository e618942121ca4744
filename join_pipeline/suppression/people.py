"""People: how many persons are in each cell of applications, which decides whether it is small.

Applications are what is summed, and somebody may have made several. Belongs here: who is in a cell. Not here: cells.
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

PEOPLE: Final = f"""
    CREATE OR REPLACE TEMP TABLE people AS
    WITH members AS ({MEMBERS}),
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
"""
