"""Hiding: which cells have to go, so that no hidden count from 1 to k - 1 can be told from the others.

A count is safe if whole numbers that agree with everything published leave it open between 0 and k - 1. What
equations say one by one is repaired first. Then the solver looks at all of them together.

Belongs here: the choice. Not here: reading and writing tables (cells, tables), bounds (equations, solver).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from join_pipeline.suppression.cells import Cells
from join_pipeline.suppression.equations import Flags, Real, Whole
from join_pipeline.suppression.solver import OutOfTimeError, Witnesses, without_witness

PINNED: Final = 2.0
"""How much dearer a cell is for each sum in which it would be the only hidden one, since that tells it at once."""
INDIRECT: Final = 2.0
"""How much dearer a cell is that loosens a sum only by way of another sum."""
LINKS: Final = 4
"""So many cells in a row are hidden for each other where a count that only several sums tell is loosened."""
MOST_ROUNDS: Final = 200
SOLVER_ROUNDS: Final = 25
STAGES: Final = ((3, 0.4), (2, 0.2), (0, 0.0))
"""What is hidden where time is short: cells of this detail and more, with this share of the time left for the rest."""
MOST_ENTRIES_ANEW: Final = 12_000_000
"""How many entries of equations are looked at to show cells again: some two seconds."""


@dataclass(slots=True)
class Hidden:
    """What was hidden beyond what the tables hid: cells that complete others, and those for want of time."""

    complementary: Flags
    for_time: Flags
    n_unsafe_at_first: int


class Hider:
    """The state of the search: which cells are hidden by now."""

    def __init__(self, cells: Cells, k: int, seconds_left: Callable[[], float]) -> None:
        self._cells = cells
        self._k = k
        self._seconds_left = seconds_left
        self._is_hidden = ~cells.is_shown
        self._ages = _followers(cells.goes_with)
        self._witnesses = Witnesses(self._counts(), k)
        self._reserve = 0.0

    def run(self, *, is_solved: bool = True) -> Hidden:
        """Hide until every count is safe. Raises `OutOfTimeError` where even hiding all parts is not proved in time."""
        at_first = self._is_hidden.copy()
        # tables hide by applications; few persons may have made many
        for cell in np.flatnonzero((at_first | self._cells.is_asked) & ~self._cells.is_latent):
            self._hide(int(cell))
        n_unsafe = int(self.unsafe().sum())
        for_time = np.zeros(len(at_first), dtype=bool)
        seconds = self._seconds_left()
        for detail, share in STAGES:
            self._reserve = seconds * share
            try:
                self._search(at_first | for_time, is_solved=is_solved)
                break
            except OutOfTimeError:
                before = self._is_hidden.copy()
                self._hide_unproved(detail)
                for_time |= self._is_hidden & ~before
        return Hidden(self._is_hidden & ~at_first & ~for_time, for_time, n_unsafe)

    def _search(self, at_first: Flags, *, is_solved: bool) -> None:
        self._repair()
        self._show_again(at_first)
        self._witnesses = Witnesses(self._counts(), self._k)
        for _ in range(SOLVER_ROUNDS if is_solved else 0):
            unsafe = self._unsolved()
            if not unsafe.any():
                return
            self._loosen(unsafe)
            self._repair()
        if is_solved:
            raise OutOfTimeError

    def _time(self) -> float:
        """The seconds that are left to this stage."""
        return self._seconds_left() - self._reserve

    def unsafe(self) -> Flags:
        """Cells of which single equations tell more than that they are small."""
        return self._cells.is_asked & ~_is_open(*self._bounds(), self._k)

    def _counts(self) -> Real:
        """What is shown by now. NaN where it is hidden."""
        return np.where(self._is_hidden, np.nan, self._cells.count)

    def _bounds(self) -> tuple[Real, Real]:
        count = self._cells.count
        low = np.where(self._is_hidden, 0.0, count)
        return self._cells.equations.bounds(low, np.where(self._is_hidden, np.inf, count))

    def _repair(self) -> None:
        """Hide one cell more of each equation that tells too much, until none does."""
        equations = self._cells.equations
        for _ in range(MOST_ROUNDS):
            if self._time() <= 0:
                raise OutOfTimeError
            low, high = self._bounds()
            unsafe = self._cells.is_asked & ~_is_open(low, high, self._k)
            if not unsafe.any():
                return
            least, most = equations.implied(low, high)
            tells = unsafe[equations.cell] & ((least > 0) | (most < self._k - 1))
            # entries by which a cell has its bounds: to loosen these helps as much
            binds = ((least > 0) & (least == low[equations.cell])) | (
                np.isfinite(most) & (most == high[equations.cell])
            )
            if not self._complete(np.unique(equations.equation[tells]), binds & self._is_hidden[equations.cell]):
                self._loosen(unsafe)
        raise OutOfTimeError

    def _show_again(self, at_first: Flags) -> None:
        """Show the dearest cells again that turned out not to be needed: a later one did their work, too."""
        equations, count = self._cells.equations, self._cells.count
        mine = np.flatnonzero(self._is_hidden & ~at_first & ~self._cells.is_asked & (self._cells.goes_with < 0))
        dearest = mine[np.argsort(-self._cells.cost[mine], kind="stable")]
        low, high = self._bounds()
        for cell in dearest[: MOST_ENTRIES_ANEW // max(len(equations.cell), 1)]:
            with_ages = [cell, *(aged for aged in self._ages.get(int(cell), ()) if not at_first[aged])]
            shown = [one for one in with_ages if not self._cells.is_asked[one]]
            low_then, high_then = low.copy(), high.copy()
            low_then[shown] = high_then[shown] = count[shown]
            low_then, high_then = equations.bounds(low_then, high_then)
            if (~self._cells.is_asked | _is_open(low_then, high_then, self._k)).all():
                self._is_hidden[shown] = False
                low, high = low_then, high_then

    def _complete(self, telling: Whole, binds: Flags) -> bool:
        """Hide the cheapest cell that loosens each of these equations. False if there is none."""
        equations = self._cells.equations
        costs = self._costs()
        may_go = ~self._is_hidden & ~self._cells.is_latent & (self._cells.count > 0)
        chosen: set[int] = set()
        for equation in telling:
            inside = equations.cell[equations.entries_of_equation(equation)]
            near = {int(cell): float(costs[cell]) for cell in inside[may_go[inside]]}
            for cell in inside[self._is_hidden[inside]]:
                entries = equations.entries_of_cell(cell)
                for other in equations.equation[entries[binds[entries]]]:
                    if other != equation:
                        behind = equations.cell[equations.entries_of_equation(other)]
                        for one in behind[may_go[behind]]:
                            near.setdefault(int(one), INDIRECT * float(costs[one]))
            if near and chosen.isdisjoint(near):
                chosen.add(min(near, key=lambda cell: (near[cell], cell)))
        for cell in chosen:
            self._hide(cell)
        return bool(chosen)

    def _costs(self) -> Real:
        """What hiding each cell costs. It is dear where the cell would be told at once by another sum."""
        equations = self._cells.equations
        n_hidden = np.bincount(equations.equation, self._is_hidden[equations.cell], equations.n_equations)
        is_alone = n_hidden[equations.equation] == 0
        n_alone = np.bincount(equations.cell, is_alone, equations.n_cells)
        costs: Real = self._cells.cost * (1 + PINNED * n_alone)
        return costs

    def _unsolved(self) -> Flags:
        low, high = self._bounds()
        asked = self._cells.is_asked & (low < self._k)
        return without_witness(self._cells.equations, low, high, asked, self._k, self._time, self._witnesses)

    def _loosen(self, unsafe: Flags) -> None:
        """Hide a cell near each of these: in one of its sums, or further off if all of those are hidden."""
        equations = self._cells.equations
        near = unsafe.copy()
        may_go = ~self._is_hidden & ~self._cells.is_latent & (self._cells.count > 0)
        while True:
            is_near = np.zeros(equations.n_equations, dtype=bool)
            is_near[equations.equation[near[equations.cell]]] = True
            before = self._is_hidden.copy()
            if self._complete(np.flatnonzero(is_near), np.zeros(len(equations.cell), dtype=bool)):
                self._unpin(before)
                return
            further = near.copy()
            further[equations.cell[is_near[equations.equation]]] = True
            if (further == near).all() or not may_go.any():
                raise OutOfTimeError
            near = further

    def _unpin(self, before: Flags) -> None:
        """Hide another cell of each sum in which a cell that was just hidden is alone, since that sum would tell it."""
        equations = self._cells.equations
        for _ in range(LINKS):
            is_new = self._is_hidden & ~before
            n_new = np.bincount(equations.equation, is_new[equations.cell], equations.n_equations)
            n_hidden = np.bincount(equations.equation, self._is_hidden[equations.cell], equations.n_equations)
            before = self._is_hidden.copy()
            alone = np.flatnonzero((n_new == 1) & (n_hidden == 1))
            if not self._complete(alone, np.zeros(len(equations.cell), dtype=bool)):
                return

    def _hide_unproved(self, detail: int) -> None:
        """Hide the cells of this detail and more that share sums with cells that are not proved to be safe.

        Where all are hidden, nothing is told.
        """
        equations = self._cells.equations
        low, high = self._bounds()
        is_proved = self._witnesses.can_be_none & self._witnesses.can_be_many
        is_near = self.unsafe() | (self._cells.is_asked & (low < high) & (low < self._k) & ~is_proved)
        while True:
            is_touched = np.zeros(equations.n_equations, dtype=bool)
            is_touched[equations.equation[is_near[equations.cell]]] = True
            cells = np.unique(equations.cell[is_touched[equations.equation]])
            if is_near[cells].all():
                break
            is_near[cells] = True
        for cell in np.flatnonzero(is_near & (self._cells.detail >= detail)):
            self._hide(int(cell))

    def _hide(self, cell: int) -> None:
        self._is_hidden[cell] = True
        for aged in self._ages.get(int(cell), ()):
            self._is_hidden[aged] = True


def _is_open(low: Real, high: Real, k: int) -> Flags:
    """Whether a count is open from 0 to k - 1, or no secret: k or more, or none."""
    result: Flags = ((low <= 0) & (high >= k - 1)) | (low >= k) | (high <= 0)
    return result


def _followers(goes_with: Whole) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for cell in np.flatnonzero(goes_with >= 0):
        found.setdefault(int(goes_with[cell]), []).append(int(cell))
    return found


def hide(cells: Cells, k: int, seconds_left: Callable[[], float], *, is_solved: bool = True) -> Hidden:
    """Which cells to hide beyond those that are hidden. Without the solver, what only several sums tell stays told."""
    return Hider(cells, k, seconds_left).run(is_solved=is_solved)


def unsafe_cells(cells: Cells, k: int) -> Flags:
    """The hidden cells of which single sums tell more than that they are small, or contradict each other."""
    low = np.where(cells.is_shown, cells.count, 0.0)
    low, high = cells.equations.bounds(low, np.where(cells.is_shown, cells.count, np.inf))
    result: Flags = (cells.is_asked & ~_is_open(low, high, k)) | (low > high)
    return result
