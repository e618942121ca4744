"""Cells: the counts of the shared tables, one per group whichever table tells it, and the sums that link them.

A cell is what is counted (`what`), a period (`grain`, `period`) and a group (`scope`, `key`). An equation says that a
total equals its parts: the groups of a scope, the months of a quarter, the days that a week and a month share.

Belongs here: reading cells and equations from the tables. Not here: bounds (equations), hiding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np

from join_pipeline.suppression.costs import DETAIL, GRAIN_COSTS, SCOPE_COSTS
from join_pipeline.suppression.equations import Equations, Flags, Real, Whole
from join_pipeline.suppression.inventory import Group, SharedTable
from join_pipeline.suppression.people import PEOPLE

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
            SELECT (what, key) FROM cell WHERE scope = 'job'
        )
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


@dataclass(slots=True)
class Cells:
    """All cells: `count` is NaN where it is hidden. Latent cells are in no table: nothing of them can be hidden."""

    count: Real
    cost: Real
    is_latent: Flags
    is_asked: Flags
    """Whether an attacker must not learn of it: it is hidden because it may be small."""
    goes_with: Whole
    """The cell that it is hidden with: those of an age with their cohort. -1 where there is none."""
    detail: Whole
    """How detailed it is. Where time is short, the most detailed cells go first."""
    equations: Equations

    @property
    def is_shown(self) -> Flags:
        return ~np.isnan(self.count)


def coordinates(group: Group) -> str:
    """What, grain, period, scope and key of a row's group, as SQL."""
    return (
        f"{group.what} AS what, {group.grain} AS grain, coalesce({group.period}, {EVER}) AS period, "
        f"{group.scope} AS scope, {group.key} AS key"
    )


def read_cells(
    con: duckdb.DuckDBPyConnection, tables: Sequence[SharedTable], k: int, *, are_people_known: bool = False
) -> Cells:
    """The cells and equations of these tables, which lie in `main`. The tables `cell` and `people` are kept."""
    told = " UNION ALL ".join(
        f"""SELECT {coordinates(group)}, {group.counted or f'"{group.size}"'} AS n, {group.is_inside} AS is_inside
        FROM main."{table.name}\""""
        for table in tables
        for group in table.groups
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE cell AS
        SELECT {COORDINATES}, max(n) AS n, false AS is_latent,
            max(n) IS NULL AND NOT bool_and(is_inside) AS is_asked
        FROM ({told}) GROUP BY ALL"""
    )
    for missing in (
        KEPT_AGES,
        OTHER_AGES,
        MISSING_AGES,
        SHARED_DAYS,
        PAIRS,
        UNTOLD_PAIRS,
        WAITING_JOBS,
        MISSING_TOTALS,
    ):
        con.execute(missing)
    if not are_people_known:
        con.execute(PEOPLE)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE cell AS
        SELECT row_number() OVER (ORDER BY {COORDINATES}) - 1 AS id,
            * REPLACE (
                CASE
                    WHEN what = 'applied' OR starts_with(what, 'aged ')
                        THEN grain <> 'days' AND coalesce(n_people BETWEEN 1 AND {k} - 1, false)
                        AND (is_asked OR n IS NOT NULL)
                    WHEN n_people IS NOT NULL THEN NOT is_latent AND n_people < {k}
                    ELSE is_asked
                END AS is_asked
            ),
            greatest(coalesce(n, 0), 1) * {GRAIN_COSTS} * {SCOPE_COSTS} AS cost,
            {DETAIL} AS detail
        FROM cell LEFT JOIN people USING ({COORDINATES}) ORDER BY id"""
    )
    con.execute(PARTS.format(ever=EVER))
    found = con.execute("SELECT n, is_latent, is_asked, cost, detail FROM cell ORDER BY id").fetchnumpy()
    n_cells = len(found["cost"])
    parts = con.execute(
        "SELECT dense_rank() OVER (ORDER BY total, rule) - 1 AS equation, id, total FROM part ORDER BY ALL"
    ).fetchnumpy()
    equation, part = _whole(parts["equation"]), _whole(parts["id"])
    numbers, first = np.unique(equation, return_index=True)
    with_cohort = con.execute(
        """SELECT aged.id AS aged, cohorts.id AS cohort FROM cell AS aged
        INNER JOIN cell AS cohorts USING (grain, period, scope, key)
        WHERE starts_with(aged.what, 'aged ') AND cohorts.what = 'applied' ORDER BY ALL"""
    ).fetchnumpy()
    goes_with = np.full(n_cells, -1)
    goes_with[_whole(with_cohort["aged"])] = _whole(with_cohort["cohort"])
    cells = Cells(
        np.ma.filled(np.ma.asarray(found["n"], dtype=np.float64), np.nan),
        np.asarray(found["cost"], dtype=np.float64),
        np.asarray(found["is_latent"], dtype=bool),
        np.asarray(found["is_asked"], dtype=bool),
        goes_with,
        _whole(found["detail"]),
        Equations(
            np.concatenate([equation, numbers]),
            np.concatenate([part, _whole(parts["total"])[first]]),
            np.concatenate([np.ones(len(part)), -np.ones(len(numbers))]),
            len(numbers),
            n_cells,
        ),
    )
    cells.equations = _that_hold(cells)
    is_aged = goes_with >= 0
    cells = _with_at_most(cells, np.flatnonzero(is_aged), goes_with[is_aged], np.arange(int(is_aged.sum())))
    shares = con.execute(SHARES_OF_SOURCES).fetchnumpy()
    return _with_at_most(cells, _whole(shares["id"]), _whole(shares["total"]), _whole(shares["equation"]))


def _that_hold(cells: Cells) -> Equations:
    """Without sums that do not hold of what every table shows: whoever read them as sums would be wrong."""
    equations = cells.equations
    known = np.where(cells.is_shown, cells.count, 0.0)
    sums = np.bincount(equations.equation, equations.sign * known[equations.cell], equations.n_equations)
    n_hidden = np.bincount(equations.equation, ~cells.is_shown[equations.cell], equations.n_equations)
    return equations.kept((n_hidden > 0) | (sums == 0))


def _with_at_most(cells: Cells, parts: Whole, totals: Whole, number: Whole) -> Cells:
    """With equations by which parts of a number add up to no more than their total: the rest is a cell of its own."""
    equations = cells.equations
    numbers, first, number = np.unique(number, return_index=True, return_inverse=True)
    n, rest = len(numbers), equations.n_cells + np.arange(len(numbers))
    of = equations.n_equations
    return Cells(
        np.append(cells.count, np.full(n, np.nan)),
        np.append(cells.cost, np.zeros(n)),
        np.append(cells.is_latent, np.ones(n, dtype=bool)),
        np.append(cells.is_asked, np.zeros(n, dtype=bool)),
        np.append(cells.goes_with, np.full(n, -1)),
        np.append(cells.detail, np.ones(n, dtype=np.int64)),
        Equations(
            np.concatenate([equations.equation, of + number, of + np.arange(n), of + np.arange(n)]),
            np.concatenate([equations.cell, parts, rest, totals[first]]),
            np.concatenate([equations.sign, np.ones(len(parts)), np.ones(n), -np.ones(n)]),
            of + n,
            equations.n_cells + n,
        ),
    )


def _whole(values: object) -> Whole:
    return np.asarray(values, dtype=np.int64)
