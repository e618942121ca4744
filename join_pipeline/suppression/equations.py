"""What published sums say of the counts that are hidden: equations over cells, and the bounds that follow from them.

Belongs here: arithmetic on cells. Not here: which cells there are (cells), what is hidden for it (hiding), whether
bounds are the tightest (solver).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_ROUNDS: Final = 200
"""Bounds that still move after so many rounds are valid, and the solver tightens them."""


@dataclass(frozen=True)
class Equations:
    """Sums over cells: in each, the cells times their signs add up to zero. One entry per cell of an equation."""

    equation: Whole
    cell: Whole
    sign: Real
    n_equations: int
    n_cells: int
    known: Real | float = 0.0
    """By equation, what is added to it without a cell."""

    @cached_property
    def _by_cell(self) -> tuple[Whole, Whole, Whole]:
        """The order of the entries by cell, where each cell begins in it, and the cells that are in any equation."""
        order = np.argsort(self.cell, kind="stable")
        cells, starts = np.unique(self.cell[order], return_index=True)
        return order, starts, cells

    @cached_property
    def _by_equation(self) -> tuple[Whole, Whole]:
        """The order of the entries by equation, and where each equation begins and ends in it."""
        order = np.argsort(self.equation, kind="stable")
        return order, np.searchsorted(self.equation[order], np.arange(self.n_equations + 1))

    @cached_property
    def _places(self) -> tuple[Whole, Whole]:
        """The order of the entries by cell, and where each cell begins and ends in it."""
        order = np.argsort(self.cell, kind="stable")
        return order, np.searchsorted(self.cell[order], np.arange(self.n_cells + 1))

    def entries_of_equation(self, equation: int) -> Whole:
        order, ends = self._by_equation
        return order[ends[equation] : ends[equation + 1]]

    def entries_of_cell(self, cell: int) -> Whole:
        order, ends = self._places
        return order[ends[cell] : ends[cell + 1]]

    def entries_of_cells(self, cells: Whole) -> Whole:
        order, ends = self._places
        return order[_ranges(ends[cells], ends[cells + 1])]

    def entries_of_equations(self, equations: Whole) -> Whole:
        order, ends = self._by_equation
        return order[_ranges(ends[equations], ends[equations + 1])]

    def near(self, cell: int, is_open: Flags, most: int, most_of_equation: int) -> Whole:
        """Open cells that are linked to this one by short equations: the next ones, at most so many."""
        n_open = np.bincount(self.equation, is_open[self.cell], self.n_equations)
        found = frontier = np.array([cell])
        while len(frontier) and len(found) < most:
            equations = np.unique(self.equation[self.entries_of_cells(frontier)])
            entries = self.entries_of_equations(equations[n_open[equations] <= most_of_equation])
            next_ones = np.unique(self.cell[entries])
            frontier = np.setdiff1d(next_ones[is_open[next_ones]], found, assume_unique=True)[: most - len(found)]
            found = np.concatenate([found, frontier])
        return found

    def implied(self, low: Real, high: Real) -> tuple[Real, Real]:
        """By entry, the bounds of its cell that follow from the other cells of its equation."""
        of_low, of_high = low[self.cell], high[self.cell]
        least = np.where(self.sign > 0, of_low, -of_high)
        most = np.where(self.sign > 0, of_high, -of_low)
        others_least, others_most = self._others(least), self._others(most)
        return (
            np.where(self.sign > 0, -others_most, others_least),
            np.where(self.sign > 0, -others_least, others_most),
        )

    def _others(self, ends: Real) -> Real:
        """By entry, the sum of its equation's other entries."""
        endless = ~np.isfinite(ends)
        finite = np.where(endless, 0.0, ends)
        sums = np.bincount(self.equation, finite, self.n_equations)[self.equation] - finite
        n_endless = np.bincount(self.equation, endless, self.n_equations)[self.equation] - endless
        infinity = ends[endless][0] if endless.any() else 0.0
        if isinstance(self.known, np.ndarray):
            return np.where(n_endless > 0, infinity, sums + self.known[self.equation])
        return np.where(n_endless > 0, infinity, sums)

    def bounds(self, low: Real, high: Real) -> tuple[Real, Real]:
        """The bounds that follow for every cell, equation by equation, until nothing moves any more.

        Bounds that are given may be those of before, with some cells made known since.
        """
        is_open = low < high
        some = self.kept(np.bincount(self.equation, is_open[self.cell], self.n_equations) > 0)
        is_inside = is_open[some.cell]
        known: Real = np.zeros(some.n_equations)
        np.add.at(known, some.equation[~is_inside], (some.sign * low[some.cell])[~is_inside])
        few = Equations(
            some.equation[is_inside], some.cell[is_inside], some.sign[is_inside], some.n_equations, self.n_cells, known
        )
        return few._bounds(low.copy(), high.copy())

    def _bounds(self, low: Real, high: Real) -> tuple[Real, Real]:
        order, starts, cells = self._by_cell
        if not len(order):
            return low, high
        for _ in range(MOST_ROUNDS):
            least, most = self.implied(low, high)
            new_low = np.maximum(low[cells], np.maximum.reduceat(least[order], starts))
            new_high = np.minimum(high[cells], np.minimum.reduceat(most[order], starts))
            if (new_low == low[cells]).all() and (new_high == high[cells]).all():
                break
            low[cells], high[cells] = new_low, new_high
        return low, high

    def kept(self, is_kept: Flags) -> "Equations":
        """These equations only."""
        number = np.cumsum(is_kept) - 1
        entries = is_kept[self.equation]
        return Equations(
            number[self.equation[entries]],
            self.cell[entries],
            self.sign[entries],
            int(is_kept.sum()),
            self.n_cells,
        )

    def components(self, is_open: Flags) -> Whole:
        """By cell, a number that linked cells share. Only open cells are linked; the others have -1."""
        entries = is_open[self.cell]
        cell, equation = self.cell[entries], self.equation[entries]
        label = np.arange(self.n_cells)
        while len(cell):
            least = np.full(self.n_equations, self.n_cells)
            np.minimum.at(least, equation, label[cell])
            linked = label.copy()
            np.minimum.at(linked, cell, least[equation])
            linked = linked[linked]  # a label's own label is smaller still
            if (linked == label).all():
                break
            label = linked
        return np.where(is_open, label, -1)


def _ranges(starts: Whole, ends: Whole) -> Whole:
    """All numbers from each start to before its end, one after the other."""
    lengths = ends - starts
    result: Whole = np.arange(lengths.sum()) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return result
