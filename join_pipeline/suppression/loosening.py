"""Loosening: the cheapest cells to hide so that a hidden count can be none, or as many as it may be.

A linear program changes counts that are shown, at their cost, until the count can be what it has to be. What it changes
is what has to be hidden. Belongs here: that program. Not here: whether a count is safe (solver), costs (costs).
"""

from typing import Any, Final

import highspy
import numpy as np

from join_pipeline.suppression.equations import Equations, Flags, Real, Whole
from join_pipeline.suppression.solver import QuietSolver

LITTLE: Final = 1e-6


class Loosener:
    """All cells: those that are shown may be raised and lowered for their cost. Others have the bounds of `bounds`."""

    def __init__(self, equations: Equations, count: Real, bounds: tuple[Real, Real], cost: Real, may_go: Flags) -> None:
        self._equations = equations
        self._n = n = equations.n_cells
        self._paid = np.flatnonzero(may_go)
        place = np.full(n, -1)
        place[self._paid] = np.arange(len(self._paid))
        entries = np.flatnonzero(may_go[equations.cell])
        m = len(self._paid)
        rows = np.concatenate([equations.equation, np.repeat(equations.equation[entries], 2)])
        raised = n + place[equations.cell[entries]]
        columns = np.concatenate([equations.cell, np.ravel([raised, m + raised], order="F")])
        sign = equations.sign[entries]
        values = np.concatenate([equations.sign, np.ravel([sign, -sign], order="F")])
        order = np.lexsort((columns, rows))
        low, high = bounds
        self._highs = QuietSolver()  # type: ignore[no-untyped-call]
        for option, value in (("threads", 1), ("random_seed", 0), ("presolve", "off")):
            self._highs.setOptionValue(option, value)
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = n + 2 * m, equations.n_equations
        lp.col_cost_ = np.concatenate([np.zeros(n), cost[self._paid], cost[self._paid]])
        lp.col_lower_ = np.concatenate([low, np.zeros(2 * m)])
        lp.col_upper_ = np.concatenate([high, np.full(m, np.inf), count[self._paid]])
        lp.row_lower_ = lp.row_upper_ = np.zeros(equations.n_equations)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(equations.n_equations + 1)).astype(np.int32)
        lp.a_matrix_.index_ = columns[order].astype(np.int32)
        lp.a_matrix_.value_ = values[order]
        self._highs.passModel(lp)
        self._low, self._high = low, high

    def changed(self, cell: int, least: float, most: float, seconds: float) -> tuple[Whole, Real | None] | None:
        """The shown cells that change if this one is between these, and all cells then, if these are whole numbers.

        None if it can't be between these.
        """
        self._highs.changeColBounds(cell, least, most)
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(seconds, 0.0))
        self._highs.run()
        is_found = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        found = np.array(self._highs.getSolution().col_value)
        self._highs.changeColBounds(cell, self._low[cell], self._high[cell])
        if not is_found:
            return None
        raised, lowered = found[self._n :].reshape(2, -1)
        changes = self._paid[raised + lowered > LITTLE]
        point = found[: self._n]
        point[self._paid] += raised - lowered
        whole = np.round(point)
        equations = self._equations
        sums = np.bincount(equations.equation, equations.sign * whole[equations.cell], equations.n_equations)
        is_whole = not sums.any() and (whole >= 0).all() and (np.abs(whole - point) < 0.5 - LITTLE).all()
        return changes, whole if is_whole else None

    def hide(self, cells: Whole) -> None:
        """From now on a change of these costs nothing."""
        hidden = np.flatnonzero(np.isin(self._paid, cells))
        for column in (self._n + hidden, self._n + len(self._paid) + hidden):
            self._highs.changeColsCost(len(column), column.astype(np.int32), np.zeros(len(column)))

    def charge(self, cells: Whole, cost: float) -> None:
        """From now on each of these counts costs so much."""
        self._highs.changeColsCost(len(cells), cells.astype(np.int32), np.full(len(cells), cost))
