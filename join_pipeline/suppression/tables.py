"""Tables: the shared tables of a file that is being written, from which small groups are taken before anybody reads it.

Belongs here: leaving rows out, emptying hidden numbers, telling how many. Not here: which ones (hiding), what the
tables hold (dbt), putting the file in its place (warehouse).
"""

import time
from collections.abc import Sequence
from typing import Final

import duckdb
import numpy as np

from join_pipeline.errors import BuildError
from join_pipeline.suppression.cells import COORDINATES, Cells, coordinates, read_cells
from join_pipeline.suppression.curves import coarsen
from join_pipeline.suppression.hiding import hide, unsafe_cells
from join_pipeline.suppression.inventory import CHECKED, Group, SharedTable
from join_pipeline.suppression.rare import rename_rare_sources

SECONDS: Final = 120.0
"""How much processor time the search may take. After that, whatever is not known to be safe is hidden."""

TRUST: Final = "mart_trust"

# Weeks of jobs and of sources are mostly small. Where few can be shown, these few would hide months. Of a large company
# a few small ones among very many would hide most of the months and weeks that share days with them.
WEEKLY_SCOPES: Final = ("job", "source")
FEWEST_WEEKS_SHOWN: Final = 0.5
MOST_WEEKS: Final = 5_000
COHORTS: Final = ("fct_funnel_cohort", "fct_funnel_cohort_age")


def suppress(
    con: duckdb.DuckDBPyConnection,
    k: int,
    time_zone: str,
    tables: Sequence[SharedTable] = CHECKED,
    seconds: float = SECONDS,
) -> None:
    """Hide what would tell a hidden group in the tables of `main`, and say in mart_trust how many numbers that were.

    Raises `BuildError` if a hidden group could still be told afterwards.
    """
    ends_at = time.process_time() + seconds
    con.execute("SET VARIABLE time_zone = $zone", {"zone": time_zone})
    n_dropped, n_weeks = _drop_weeks(con)
    n_steps, n_of_steps = coarsen(con, k)
    cells = read_cells(con, tables, k)
    con.execute(f"CREATE OR REPLACE TEMP TABLE secret AS SELECT {COORDINATES} FROM cell WHERE is_asked")
    hidden = hide(cells, k, lambda: ends_at - time.process_time())
    is_few = cells.is_shown & cells.is_asked
    is_new = (hidden.complementary | hidden.for_time) & cells.is_shown
    gone = np.flatnonzero(is_new | is_few)
    for table in tables:
        for group in table.groups:
            _empty(con, table, group, gone)
    con.execute("DELETE FROM main.fct_funnel_cohort_age WHERE n_cohort IS NULL")  # as dbt leaves hidden groups out
    _hide_hires_of_months(con)
    _check(con, read_cells(con, tables, k, are_people_known=True), k)
    in_tables = ~cells.is_latent
    is_hidden = in_tables & ~cells.is_shown
    _tell(
        con,
        int(in_tables.sum()),
        {
            "groups of fewer than k people": int((is_hidden | is_few).sum()),
            "groups that would tell a small one": int((is_new & ~is_few & hidden.complementary).sum()),
            "groups not judged in time": int((is_new & ~is_few & hidden.for_time).sum()),
            "small groups that sums would have told": hidden.n_unsafe_at_first,
        },
        {
            "weeks of jobs and sources": (n_dropped, n_weeks),
            "steps of curves": (n_steps, n_of_steps),
            "rare sources without their names": rename_rare_sources(con, k),
        },
    )
    for temporary in ("cell", "gone", "kept", "pair", "part", "people", "secret"):
        con.execute(f"DROP TABLE IF EXISTS temp.{temporary}")


def _drop_weeks(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Leave out the weeks of a scope if most of them are hidden, or some of very many. How many, of how many."""
    counted = con.execute(
        """SELECT scope, count(*), count(n_cohort) FROM main.fct_funnel_cohort
        WHERE cohort_grain = 'week' AND scope IN $scopes AND milestone_rank = 1 GROUP BY scope ORDER BY scope""",
        {"scopes": WEEKLY_SCOPES},
    ).fetchall()
    n_dropped, n_weeks = 0, sum(n for _, n, _ in counted)
    for scope, n, n_shown in counted:
        if n_shown < n * FEWEST_WEEKS_SHOWN or (n_weeks > MOST_WEEKS and n_shown < n):
            n_dropped += n
            for table in COHORTS:
                con.execute(f"DELETE FROM main.{table} WHERE cohort_grain = 'week' AND scope = ?", [scope])
    return n_dropped, n_weeks


def _empty(
    con: duckdb.DuckDBPyConnection, table: SharedTable, group: Group, gone: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> None:
    """Empty the numbers of these cells in one table."""
    con.execute("CREATE OR REPLACE TEMP TABLE gone AS SELECT unnest($ids::BIGINT[]) AS id", {"ids": gone.tolist()})
    emptied = [f'"{column}" = NULL' for column in (group.size, *group.hides)]
    emptied += [f"\"{column}\" = '{said}'" for column, said in group.says]
    emptied += [f'"{group.flag}" = true'] if group.flag else []
    con.execute(
        f"""UPDATE main."{table.name}" SET {", ".join(emptied)} WHERE rowid IN (
            SELECT told.row FROM (SELECT rowid AS row, {coordinates(group)} FROM main."{table.name}") AS told
            INNER JOIN cell USING ({COORDINATES}) INNER JOIN gone USING (id)
        )"""
    )


def _hide_hires_of_months(con: duckdb.DuckDBPyConnection) -> None:
    """Leave no hires of a month whose durations are hidden: with those of other months they would tell these."""
    for column, month in (("n_hires", "month_on"), ("n_hires_year_before", "CAST(month_on - INTERVAL 1 YEAR AS DATE)")):
        con.execute(
            f"""UPDATE main.mart_seasonality SET {column} = NULL WHERE {month} IN (
                SELECT period_on FROM main.mart_speed
                WHERE metric = 'time_to_hire' AND scope = 'overall' AND period_grain = 'month' AND n IS NULL
            )"""
        )


def _check(con: duckdb.DuckDBPyConnection, cells: Cells, k: int) -> None:
    """What was written is read again, as a reader would: no sum may tell a group that was secret before."""
    ids = con.execute(f"SELECT id FROM cell SEMI JOIN secret USING ({COORDINATES})").fetchnumpy()["id"]
    cells.is_asked[:] = False
    cells.is_asked[ids] = True
    n = int((unsafe_cells(cells, k) | (cells.is_asked & cells.is_shown)).sum())
    if n:
        raise BuildError(
            f"{n} groups of fewer than {k} people could be told from other numbers of the shared tables, so nothing is "
            f"published and readers keep the old file. This is a fault of join-pipeline: please report it."
        )


def _tell(
    con: duckdb.DuckDBPyConnection, n_of: int, hidden: dict[str, int], dropped: dict[str, tuple[int, int]]
) -> None:
    """Add to mart_trust how many groups are hidden and why, and how many rows were left out."""
    counted = {subject: (n, n_of) for subject, n in hidden.items()} | dropped
    con.executemany(
        f"""INSERT INTO main.{TRUST} BY NAME SELECT 'hidden groups' AS check_name, $subject AS subject,
        $n::BIGINT AS n, $of::BIGINT AS n_of, $n / nullif($of::DOUBLE, 0) AS share, false AS is_suppressed""",
        [{"subject": subject, "n": n, "of": of} for subject, (n, of) in counted.items()],
    )
