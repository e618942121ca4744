"""Cells: the counts of the shared tables, one per group whichever table tells it, and the sums that link them.

A cell is what is counted (`what`), a period (`grain`, `period`) and a group (`scope`, `key`). An equation says that a
total equals its parts: the groups of a scope, the months of a quarter, the days that a week and a month share.

Belongs here: reading cells and equations from the tables. Not here: which sums there are (sums), bounds (equations),
hiding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from join_pipeline.suppression.costs import DETAIL, GRAIN_COSTS, SCOPE_COSTS
from join_pipeline.suppression.equations import Equations, Flags, Real, Whole
from join_pipeline.suppression.inventory import Group, SharedTable
from join_pipeline.suppression.people import PEOPLE
from join_pipeline.suppression.sums import (
    COORDINATES,
    EVER,
    NEEDED,
    PARTS,
    PARTS_OF_COHORTS,
    PARTS_OF_MONTHS,
    ROOMS,
    ROOMS_LEFT,
    SHARES_OF_SOURCES,
)


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
    most: Real
    """What is known to be the most that it can be, whatever is hidden. Infinite where nothing is known."""
    is_waiting: Flags
    """Whether it counts who waits."""
    part_of: Whole
    """Of a cell that tells who of a month waits, the one that tells who of the group waits: -1 where nobody does, and
    -2 of all other cells. Such a cell is hidden at first."""

    @property
    def is_part(self) -> Flags:
        result: Flags = self.part_of > -2
        return result

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
        FROM ({told}) WHERE what IS NOT NULL GROUP BY ALL"""
    )
    for statement in NEEDED:
        con.execute(statement)
    if not are_people_known:
        con.execute(PEOPLE)
        con.execute(ROOMS)
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
                END AS is_asked,
                coalesce(if(most < greatest(n, n_people), NULL, most), 'infinity'::DOUBLE) AS most
            ),
            greatest(coalesce(n, 0), 1) * {GRAIN_COSTS} * {SCOPE_COSTS} AS cost,
            {DETAIL} AS detail,
            starts_with(what, 'waits') AS is_waiting
        FROM cell LEFT JOIN people USING ({COORDINATES}) LEFT JOIN room USING ({COORDINATES}) ORDER BY id"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE room AS SELECT {COORDINATES}, most FROM cell WHERE isfinite(most)")
    con.execute(PARTS.format(ever=EVER))
    found = con.execute(
        "SELECT n, is_latent, is_asked, cost, detail, most, is_waiting FROM cell ORDER BY id"
    ).fetchnumpy()
    n_cells = len(found["cost"])
    parts = con.execute(
        "SELECT dense_rank() OVER (ORDER BY total, rule) - 1 AS equation, id, total FROM part ORDER BY ALL"
    ).fetchnumpy()
    equation, part = _whole(parts["equation"]), _whole(parts["id"])
    numbers, first = np.unique(equation, return_index=True)
    with_cohort = con.execute(
        """SELECT aged.id AS aged, cohorts.id AS cohort FROM cell AS aged
        INNER JOIN cell AS cohorts USING (grain, period, scope, key)
        WHERE (starts_with(aged.what, 'aged ') OR starts_with(aged.what, 'waits ')) AND cohorts.what = 'applied'
            AND (aged.grain = 'month' OR starts_with(aged.what, 'aged '))
        ORDER BY ALL"""
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
        np.asarray(found["most"], dtype=np.float64),
        np.asarray(found["is_waiting"], dtype=bool),
        np.full(n_cells, -2),
    )
    parts = con.execute(PARTS_OF_MONTHS).fetchnumpy()
    cells.part_of[_whole(parts["id"])] = _whole(parts["group_id"])
    cells.equations = _that_hold(cells)
    aged = _whole(con.execute("SELECT id FROM cell WHERE starts_with(what, 'aged ') ORDER BY id").fetchnumpy()["id"])
    aged = aged[goes_with[aged] >= 0]
    cells = _with_at_most(cells, aged, goes_with[aged], np.arange(len(aged)))
    for at_most in (SHARES_OF_SOURCES, PARTS_OF_COHORTS, ROOMS_LEFT):
        found = con.execute(at_most).fetchnumpy()
        left = np.asarray(found["most_left"], dtype=np.float64) if "most_left" in found else None
        cells = _with_at_most(cells, _whole(found["id"]), _whole(found["total"]), _whole(found["equation"]), left)
    return cells


def _that_hold(cells: Cells) -> Equations:
    """Without sums that do not hold of what every table shows: whoever read them as sums would be wrong."""
    equations = cells.equations
    known = np.where(cells.is_shown, cells.count, 0.0)
    sums = np.bincount(equations.equation, equations.sign * known[equations.cell], equations.n_equations)
    n_hidden = np.bincount(equations.equation, ~cells.is_shown[equations.cell], equations.n_equations)
    return equations.kept((n_hidden > 0) | (sums == 0))


def _with_at_most(cells: Cells, parts: Whole, totals: Whole, number: Whole, left: Real | None = None) -> Cells:
    """With equations by which parts of a number add up to no more than their total: the rest is a cell of its own.

    The rest is no more than what is left.
    """
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
        np.append(cells.most, np.full(n, np.inf) if left is None else left[first]),
        np.append(cells.is_waiting, np.zeros(n, dtype=bool)),
        np.append(cells.part_of, np.full(n, -2)),
    )


def _whole(values: object) -> Whole:
    return np.asarray(values, dtype=np.int64)
