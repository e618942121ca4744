"""Sums: the cells that no table has and that others add up to, and which cells add up to which, as SQL.

Belongs here: statements on the table `cell`. Not here: running them (cells), bounds (equations).
"""

from typing import Final

from join_pipeline.suppression.people import WAITING

EVER: Final = "DATE '0001-01-01'"

COORDINATES: Final = "what, grain, period, scope, key"

# Days that a week shares with a month, where it has days of two. A week within one month is a part of it as it is. A
# month without the group has none of its days; an age lacks months of which everybody is of the age.
SHARED_DAYS: Final = """
    INSERT INTO cell
    SELECT what, 'days', greatest(period, month), scope, key, NULL, true, false
    FROM (
        SELECT *, unnest([date_trunc('month', period), date_trunc('month', period + 6)]) AS month
        FROM cell WHERE grain = 'week' AND date_trunc('month', period) <> date_trunc('month', period + 6)
    ) AS week
    WHERE starts_with(what, 'aged ') OR (what, month, scope, key) IN (
        SELECT (what, period, scope, key) FROM cell WHERE grain = 'month'
    )
"""

# Where a whole cohort is of an age, its groups are those of the cohort. Where the cohort's number is hidden, nothing is
# told. What is left are the cohorts of which some are of the age, and all weeks of such a month.
KEPT_AGES: Final = """
    CREATE OR REPLACE TEMP TABLE kept AS
    WITH partly AS (
        SELECT aged.what, aged.grain, aged.period FROM cell AS aged
        INNER JOIN cell AS cohorts USING (grain, period, scope, key)
        WHERE starts_with(aged.what, 'aged ') AND cohorts.what = 'applied' AND aged.scope = 'overall'
            AND aged.n < cohorts.n
    )
    FROM partly
    UNION
    SELECT partly.what, weeks.grain, weeks.period FROM cell AS weeks
    INNER JOIN partly ON weeks.what = 'applied' AND partly.grain = 'month' AND weeks.grain = 'week'
        AND partly.period IN (date_trunc('month', weeks.period), date_trunc('month', weeks.period + 6))
"""
OTHER_AGES: Final = """
    DELETE FROM cell
    WHERE starts_with(what, 'aged ') AND (what, grain, period) NOT IN (SELECT (what, grain, period) FROM kept)
"""

# Groups too small to have rows by age have members of that age all the same.
MISSING_AGES: Final = """
    INSERT INTO cell
    SELECT kept.what, cohorts.grain, cohorts.period, cohorts.scope, cohorts.key, NULL, true, true
    FROM cell AS cohorts
    INNER JOIN kept USING (grain, period)
    ANTI JOIN cell AS aged ON
        kept.what = aged.what AND cohorts.grain = aged.grain AND cohorts.period = aged.period
        AND cohorts.scope = aged.scope AND cohorts.key = aged.key
    WHERE cohorts.what = 'applied' AND NOT cohorts.is_latent
"""

# Applications of a month for one job by one source, where no table tells them: the number of a job and that of a source
# share them, so in a month of few jobs each bounds the other. A pair that is told, or that has no row among pairs that
# are, is no unknown. Of a large company there would be too many, and each would say little.
MOST_PAIRS: Final = 20_000
PAIRS: Final = """
    CREATE OR REPLACE TEMP TABLE pair AS
    WITH months AS (SELECT * FROM cell WHERE what = 'applied' AND grain = 'month'),
    told AS (
        SELECT DISTINCT split_part(key, '/', 1) AS job, regexp_replace(key, '^[^/]*/', '') AS source
        FROM months WHERE scope = 'job_source'
    )
    SELECT jobs.period, jobs.key AS job, sources.key AS source
    FROM months AS jobs
    INNER JOIN months AS sources ON jobs.period = sources.period AND sources.scope = 'source'
    ANTI JOIN told ON jobs.key = told.job AND sources.key = told.source
    WHERE jobs.scope = 'job' AND (
        jobs.key NOT IN (SELECT job FROM told)
        OR (jobs.period, jobs.key || '/(other)') IN (SELECT (period, key) FROM months WHERE scope = 'job_source')
    )
"""
UNTOLD_PAIRS: Final = f"""
    INSERT INTO cell
    SELECT 'applied', 'month', period, 'pair', job || '/' || source, NULL, true, false
    FROM pair WHERE (SELECT count(*) FROM pair) <= {MOST_PAIRS}
"""

# Who waits at a milestone for one job: the sum of the milestone's stages, and of the job's sources.
WAITING_JOBS: Final = """
    INSERT INTO cell
    SELECT DISTINCT 'waits ' || split_part(key, '/', 1), grain, period, 'job', split_part(key, '/', 3), NULL,
        true, false
    FROM cell
    WHERE scope = 'stage_job' AND 'waits ' || split_part(key, '/', 1) IN (SELECT what FROM cell)
        AND ('waits ' || split_part(key, '/', 1), split_part(key, '/', 3)) NOT IN (
            SELECT (what, key) FROM cell WHERE scope = 'job' AND grain = 'all'
        )
"""

# A cohort has those who wait by their furthest milestone, and those of unknown state: mostly they are the same as those
# who wait there now. So that all adds up, a cell has who waits now. If it is hidden, so is the cohort's number.
WAITING_OF_COHORTS: Final = f"""
    CREATE OR REPLACE TEMP TABLE cell AS
    WITH waiting AS (
        SELECT
            'waits ' || milestone AS what,
            unnest(['overall', 'job', 'source', 'category', 'city', 'channel', 'job_source']) AS scope,
            unnest(['all', job_id, source, category_key, city_key, channel_key, job_source_key]) AS key,
            applied_on
        FROM ({WAITING})
    ),
    counted AS (
        SELECT what, 'month' AS grain, CAST(date_trunc('month', applied_on) AS DATE) AS period, scope, key,
            count(*) AS n_waiting
        FROM waiting GROUP BY ALL
    )
    SELECT cell.* REPLACE (
        if(starts_with(what, 'waits ') AND grain = 'month' AND n IS NOT NULL, coalesce(n_waiting, 0), n) AS n
    )
    FROM cell LEFT JOIN counted USING ({COORDINATES})
"""

# Of a large company there would be too many months of groups: no month tells who waits, so none is a cell.
MOST_MONTHS: Final = 8_000
MANY_MONTHS: Final = f"""
    SELECT count(*) > {MOST_MONTHS} FROM main.fct_funnel_cohort WHERE cohort_grain = 'month' AND milestone <> 'HIRED'
"""
NO_MONTHS: Final = f"""
    DELETE FROM cell
    WHERE starts_with(what, 'waits ') AND grain = 'month' AND ({MANY_MONTHS})
"""

MISSING_TOTALS: Final = """
    INSERT INTO cell
    SELECT DISTINCT parts.what, parts.grain, parts.period, 'overall', 'all', NULL::BIGINT, true, false
    FROM cell AS parts
    ANTI JOIN cell AS totals ON
        parts.what = totals.what AND parts.grain = totals.grain AND parts.period = totals.period
        AND totals.scope = 'overall'
"""

# Which total a group is a part of: the scope of the total, and its key by that of the group.
PARTS: Final = """
    CREATE OR REPLACE TEMP TABLE part AS
    WITH named AS (
        SELECT 'category' AS scope, job_id AS key, coalesce(category, 'unknown') AS named FROM main.dim_job
        UNION ALL SELECT 'city', job_id, coalesce(city, 'unknown') FROM main.dim_job
        UNION ALL SELECT 'channel', source, coalesce(channel, 'OTHER') FROM main.dim_source
    ),
    -- a group without a name of its own is among the others
    placed AS (
        SELECT parts.id, parts.what, parts.grain, parts.period, totals.scope,
            coalesce(named.named, if(totals.scope = 'channel', 'OTHER', 'unknown')) AS key
        FROM cell AS parts
        CROSS JOIN (VALUES ('category', 'job'), ('city', 'job'), ('channel', 'source')) AS totals(scope, part)
        LEFT JOIN named ON totals.scope = named.scope AND parts.key = named.key
        WHERE parts.scope = totals.part
    ),
    told AS (SELECT DISTINCT scope, key FROM cell WHERE scope IN ('category', 'city', 'channel')),
    pooled AS (
        SELECT placed.* REPLACE (if(told.key IS NULL, '(other)', placed.key) AS key)
        FROM placed LEFT JOIN told ON placed.scope = told.scope AND placed.key = told.key
    ),
    hung AS (
        SELECT id, what, grain, period, 'overall' AS scope, 'all' AS key, scope AS rule FROM cell
        WHERE scope NOT IN ('overall', 'job_source', 'pair', 'stage', 'stage_job')
        UNION ALL
        SELECT id, what, grain, period, 'job', split_part(key, '/', 1), 'sources of a job' FROM cell
        WHERE scope = 'job_source'
        UNION ALL
        SELECT id, what, grain, period, 'job_source', split_part(key, '/', 1) || '/(other)', 'pairs' FROM cell
        WHERE scope = 'pair'
        UNION ALL
        SELECT id, what, grain, period, 'job', split_part(key, '/', 1), 'pairs' FROM cell
        WHERE scope = 'pair' AND split_part(key, '/', 1) NOT IN (
            SELECT split_part(key, '/', 1) FROM cell WHERE what = 'applied' AND grain = 'month' AND scope = 'job_source'
        )
        UNION ALL
        SELECT id, what, grain, period, 'source', regexp_replace(key, '^[^/]*/', ''), 'pairs' FROM cell
        WHERE scope = 'pair'
            OR (
                scope = 'job_source' AND what = 'applied' AND grain = 'month'
                AND EXISTS (SELECT 1 FROM cell WHERE scope = 'pair')
            )
        UNION ALL
        SELECT id, what, grain, period, 'milestone', split_part(key, '/', 1), 'stages' FROM cell WHERE scope = 'stage'
        UNION ALL
        SELECT id, what, grain, period, 'stage', split_part(key, '/', 1) || '/' || split_part(key, '/', 2), 'jobs'
        FROM cell WHERE scope = 'stage_job'
        UNION ALL
        SELECT id, 'waits ' || split_part(key, '/', 1), grain, period, 'job', split_part(key, '/', 3), 'stages of a job'
        FROM cell WHERE scope = 'stage_job'
        UNION ALL
        SELECT id, 'waits', grain, period, 'milestone', substr(what, length('waits ') + 1), 'milestone' FROM cell
        WHERE starts_with(what, 'waits ') AND scope = 'overall'
        UNION ALL
        SELECT id, 'waits', grain, period, scope, key, 'milestones of a group' FROM cell
        WHERE starts_with(what, 'waits ') AND scope <> 'overall'
        UNION ALL
        SELECT id, 'waits', 'quarter', CAST(date_trunc('quarter', period) AS DATE), scope, key, 'milestones of a group'
        FROM cell WHERE starts_with(what, 'waits ') AND grain = 'month' AND scope = 'source'
            AND 'waits UNKNOWN' NOT IN (SELECT what FROM cell)
        UNION ALL
        SELECT id, what, grain, period, scope, key, 'named' FROM pooled
        UNION ALL
        SELECT id, what, 'all', {ever}, scope, key, grain FROM cell WHERE grain IN ('month', 'quarter')
        UNION ALL
        SELECT id, what, 'quarter', CAST(date_trunc('quarter', period) AS DATE), scope, key, grain
        FROM cell WHERE grain = 'month'
        UNION ALL
        SELECT id, what, 'month', CAST(date_trunc('month', period) AS DATE), scope, key, 'days' FROM cell
        WHERE grain = 'days'
            OR (grain = 'week' AND date_trunc('month', period) = date_trunc('month', period + 6))
        UNION ALL
        SELECT id, what, 'week', CAST(date_trunc('week', period) AS DATE), scope, key, 'days' FROM cell
        WHERE grain = 'days'
    )
    SELECT hung.id, cell.id AS total, hung.rule FROM hung INNER JOIN cell USING (what, grain, period, scope, key)
"""

NEEDED: Final = (
    NO_MONTHS,
    WAITING_OF_COHORTS,
    KEPT_AGES,
    OTHER_AGES,
    MISSING_AGES,
    SHARED_DAYS,
    PAIRS,
    UNTOLD_PAIRS,
    WAITING_JOBS,
    MISSING_TOTALS,
)
"""What makes the cells that no table has, one after the other."""

# Small sources of a job are among its others, so the jobs' shares of a source are no more than the source.
SHARES_OF_SOURCES: Final = """
    SELECT parts.id, totals.id AS total, totals.id AS equation FROM cell AS parts
    INNER JOIN cell AS totals USING (what, grain, period)
    WHERE parts.scope = 'job_source' AND totals.scope = 'source'
        AND NOT (
            what = 'applied' AND grain = 'month' AND EXISTS (SELECT 1 FROM cell AS pairs WHERE pairs.scope = 'pair')
        )
        AND totals.key = regexp_replace(parts.key, '^[^/]*/', '')
    ORDER BY ALL
"""

# How many can wait at a milestone at most: those who reached it and did not move on. Where a month is hidden, nothing
# is known of it. Those who went back wait where they were before, so a room that is too small for who waits is none.
ROOMS: Final = f"""
    CREATE OR REPLACE TEMP TABLE room AS
    WITH rooms AS (
        SELECT 'waits ' || milestone AS what, 'month' AS grain, cohort_on AS period, scope, scope_key AS key,
            n_reached_assumed - n_moved_on - n_expired AS most
        FROM main.fct_funnel_cohort WHERE cohort_grain = 'month' AND milestone <> 'HIRED' AND NOT ({MANY_MONTHS})
    )
    FROM rooms WHERE most IS NOT NULL
    UNION ALL
    SELECT what, 'all', {EVER}, scope, key, sum(most) FROM rooms GROUP BY ALL HAVING count(*) = count(most)
"""

# The cells of months that tell who of a cohort waits, and the one that tells who of the group waits at all.
PARTS_OF_MONTHS: Final = """
    SELECT months.id, coalesce(groups.id, -1) AS group_id
    FROM cell AS months
    LEFT JOIN cell AS groups ON
        months.what = groups.what AND months.scope = groups.scope AND months.key = groups.key AND groups.grain = 'all'
    WHERE starts_with(months.what, 'waits ') AND months.grain = 'month'
    ORDER BY ALL
"""

# Who of a cohort waits, at whatever milestone, is no more than the cohort.
PARTS_OF_COHORTS: Final = """
    SELECT waiting.id, cohorts.id AS total, cohorts.id AS equation
    FROM cell AS waiting
    INNER JOIN cell AS cohorts USING (grain, period, scope, key)
    WHERE starts_with(waiting.what, 'waits ') AND waiting.grain = 'month' AND cohorts.what = 'applied'
    ORDER BY ALL
"""

# Who of a total waits outside of its parts with a known room has what is left of the total's room. The parts are all of
# the total, but for the jobs' shares of a source.
ROOMS_LEFT: Final = f"""
    WITH sums AS (
        SELECT id, total, rule, true AS is_whole FROM part
        UNION ALL
        SELECT id, total, 'shares', false FROM ({SHARES_OF_SOURCES})
    ),
    rooms AS (
        SELECT sums.*, parts.most, totals.most AS most_of_total
        FROM sums
        INNER JOIN cell AS parts ON sums.id = parts.id
        INNER JOIN cell AS totals ON sums.total = totals.id
        WHERE starts_with(parts.what, 'waits ') AND parts.grain = 'month' AND totals.grain = 'month'
            AND isfinite(totals.most)
    ),
    lefts AS (
        SELECT total, rule, any_value(most_of_total) - sum(most) FILTER (isfinite(most)) AS most_left,
            dense_rank() OVER (ORDER BY total, rule) - 1 AS equation
        FROM rooms GROUP BY total, rule HAVING NOT bool_and(is_whole AND isfinite(most))
    )
    SELECT id, total, equation, most_left FROM rooms INNER JOIN lefts USING (total, rule)
    WHERE isfinite(most) AND most_left >= 0 ORDER BY ALL
"""
