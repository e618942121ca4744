"""Curves: steps of few people are put together, so that a curve of a job is no list of what became of each person.

Belongs here: which rows of a curve are left. Not here: the estimates (dbt, estimates), groups (hiding).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np

from join_pipeline.suppression.equations import Flags, Real, Whole


@dataclass(frozen=True, slots=True)
class Curve:
    """A table of curves, one per value of `by`, and as SQL how many people each of its rows is a step of.

    `sums` is the column that counts them, where there is one: a row that is left has the sum.
    """

    table: str
    by: str
    people: str
    sums: str | None = None


ALMOST: Final = 1e-6

CURVES: Final = (
    Curve("fct_survival", "question, scope, scope_key, bound", "n_events", sums="n_events"),
    Curve(
        "fct_turnbull",
        "question, scope, scope_key, event",
        """n_subjects * (incidence - lag(incidence, 1, 0.0) OVER (
            PARTITION BY question, scope, scope_key, event ORDER BY day
        ))""",
    ),
)


def coarsen(con: duckdb.DuckDBPyConnection, k: int, curves: Iterable[Curve] = CURVES) -> tuple[int, int]:
    """Leave a row only where k people took the step since the row before. How many rows are gone, of how many."""
    n_gone = n_rows = 0
    for curve in curves:
        found = con.execute(
            f"""SELECT rowid AS place, dense_rank() OVER (ORDER BY {curve.by}) AS curve, {curve.people} AS people
            FROM main.{curve.table} ORDER BY curve, day"""
        ).fetchnumpy()
        people = np.asarray(found["people"], dtype=np.float64)
        is_left, sums = steps(np.asarray(found["curve"], dtype=np.int64), people, k)
        rows = np.asarray(found["place"], dtype=np.int64)
        con.execute(
            """CREATE OR REPLACE TEMP TABLE step AS
            SELECT unnest($rows::BIGINT[]) AS place, unnest($sums::BIGINT[]) AS n""",
            {"rows": rows[is_left].tolist(), "sums": np.round(sums[is_left]).astype(np.int64).tolist()},
        )
        if curve.sums:
            con.execute(
                f"UPDATE main.{curve.table} AS curve SET {curve.sums} = step.n FROM step WHERE curve.rowid = step.place"
            )
        con.execute(f"DELETE FROM main.{curve.table} WHERE rowid NOT IN (SELECT place FROM step)")
        n_gone += int((~is_left).sum())
        n_rows += len(rows)
    con.execute("DROP TABLE IF EXISTS temp.step")
    return n_gone, n_rows


def steps(curve: Whole, people: Real, k: int) -> tuple[Flags, Real]:
    """Which rows are left, and how many people took each of these steps. The last step takes in what is left over.

    A curve with fewer than k people in all has no rows.
    """
    is_left = np.zeros(len(people), dtype=bool)
    sums = np.zeros(len(people))
    last, open_sum = -1, 0.0
    for row in range(len(people)):
        if row and curve[row] != curve[row - 1]:
            last, open_sum = -1, 0.0
        open_sum += people[row]
        if open_sum >= k - ALMOST:
            is_left[row], sums[row] = True, open_sum
            last, open_sum = row, 0.0
        elif last >= 0 and (row + 1 == len(people) or curve[row + 1] != curve[row]):
            is_left[last], is_left[row] = False, True
            sums[row], sums[last] = sums[last] + open_sum, 0.0
    return is_left, sums
