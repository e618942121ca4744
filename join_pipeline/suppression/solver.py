"""Whether an attacker can bound a hidden count, asked of a solver of programs in whole numbers (HiGHS).

Each count needs two witnesses: whole numbers that agree with everything published and in which the count is 0, and
others in which it is k - 1 or more. One program yields witnesses of many counts. What is left is asked count by count,
where only the counts near it may differ from a witness that is known.

Belongs here: programs. Not here: what is hidden if a count lacks a witness (hiding).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import highspy
import numpy as np

from join_pipeline.suppression.equations import Equations, Flags, Real, Whole

MOST_BATCHES: Final = 6
FEWEST_OF_A_BATCH: Final = 0.2
"""Another batch is asked for only if the one before found this share of what it looked for."""
PATIENCE: Final = 4.0
"""How many seconds on the wall a program may take for each of the processor: other work may share the machine."""
GAP: Final = 0.05
"""How far from the best a witness of many counts may be."""
NEAR: Final = ((200, 20), (1_500, 200))
FAR: Final = ((6_000, 2_000),)
"""How many counts are near: at most so many, by way of sums of at most so many that are open."""
FEW: Final = 20
"""Counts further off, which cost a second, are looked at for so many cells at most."""


class OutOfTimeError(Exception):
    """The time is over before every count is known to be safe."""


class QuietSolver(highspy.Highs):
    """HiGHS without its banner, which comes on the standard output as soon as it is made."""

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's own name
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


class Witnesses:
    """What is proved so far: counts that can be none, and those that can be k - 1 or more.

    Whatever is hidden afterwards leaves these proofs as they are; whatever is shown again does not.
    """

    def __init__(self, count: Real, k: int) -> None:
        self._k = k
        self.point = count.copy()
        """Whole numbers that agree with everything published. NaN where none were found yet."""
        self.can_be_none = np.zeros(len(count), dtype=bool)
        self.can_be_many = np.zeros(len(count), dtype=bool)

    def add(self, cells: Whole, values: Real) -> None:
        self.can_be_none[cells[values == 0]] = True
        self.can_be_many[cells[values >= self._k - 1]] = True

    def lacking(self, cells: Whole) -> Whole:
        return cells[~(self.can_be_none[cells] & self.can_be_many[cells])]


class Program:
    """The program of some open cells within their bounds, and the equations that they are in.

    All other cells have the values of `point`.
    """

    def __init__(self, equations: Equations, cells: Whole, low: Real, high: Real, point: Real, k: int) -> None:
        self._place = {int(cell): place for place, cell in enumerate(cells)}
        touched = np.unique(equations.equation[equations.entries_of_cells(cells)])
        entries = equations.entries_of_equations(touched)
        row = np.searchsorted(touched, equations.equation[entries])
        order = np.argsort(cells)
        found = np.minimum(np.searchsorted(cells[order], equations.cell[entries]), len(cells) - 1)
        is_inside = cells[order][found] == equations.cell[entries]
        column, sign = order[found], equations.sign[entries]
        outside = ~is_inside
        known = np.bincount(row[outside], sign[outside] * point[equations.cell[entries[outside]]], len(touched))
        n = len(cells)
        # a second column per cell, no more than the cell and k - 1: the sum of these is what a large count adds to
        rows = np.concatenate([row[is_inside], len(touched) + np.repeat(np.arange(n), 2)])
        columns = np.concatenate([column[is_inside], np.ravel([np.arange(n), n + np.arange(n)], order="F")])
        values = np.concatenate([sign[is_inside], np.tile([1.0, -1.0], n)])
        order = np.lexsort((columns, rows))
        self._n = n
        self._sums = (row[is_inside], column[is_inside], sign[is_inside], known)
        self._highs = QuietSolver()  # type: ignore[no-untyped-call]
        for option, value in (("threads", 1), ("random_seed", 0)):
            self._highs.setOptionValue(option, value)
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = 2 * n, len(touched) + n
        lp.col_cost_ = np.zeros(2 * n)
        lp.col_lower_ = np.concatenate([low[cells], np.zeros(n)])
        lp.col_upper_ = np.concatenate([high[cells], np.full(n, k - 1.0)])
        lp.row_lower_ = np.concatenate([-known, np.zeros(n)])
        lp.row_upper_ = np.concatenate([-known, np.full(n, np.inf)])
        lp.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * n
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(len(touched) + n + 1)).astype(np.int32)
        lp.a_matrix_.index_ = columns[order].astype(np.int32)
        lp.a_matrix_.value_ = values[order]
        self._highs.passModel(lp)

    def without(self, cells: Whole, seconds: float) -> Real | None:
        """Whole numbers in which these cells are small, and None if none are found."""
        return self._solved(self._places(cells), 1.0, seconds)

    def with_many(self, cells: Whole, seconds: float) -> Real | None:
        """Whole numbers that bring these cells to k - 1."""
        return self._solved(self._n + self._places(cells), -1.0, seconds)

    def _places(self, cells: Whole) -> Whole:
        return np.array([self._place[int(cell)] for cell in cells], dtype=np.int64)

    def _solved(self, columns: Whole, each: float, seconds: float) -> Real | None:
        every = np.arange(2 * self._n, dtype=np.int32)
        is_one = len(columns) == 1
        self._highs.setOptionValue("mip_rel_gap", 0.0 if is_one else GAP)
        self._highs.setOptionValue("mip_max_improving_sols", 1000000 if is_one else 1)
        cost = np.zeros(2 * self._n)
        cost[columns] = each
        self._highs.changeColsCost(len(every), every, cost)
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + PATIENCE * max(seconds, 0.0))
        self._highs.run()
        if self._highs.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        found: Real = np.round(np.array(self._highs.getSolution().col_value[: self._n]))
        row, column, sign, known = self._sums
        if (np.bincount(row, sign * found[column], len(known)) + known).any():
            return None  # rounded, they are no witness
        return found


def without_witness(
    equations: Equations,
    low: Real,
    high: Real,
    asked: Flags,
    k: int,
    seconds_left: Callable[[], float],
    witnesses: Witnesses,
) -> Flags:
    """The cells of these that lack one of their witnesses. Raises `OutOfTimeError`."""
    is_open = low < high
    witnesses.point[~is_open] = low[~is_open]
    is_lacking = np.zeros(equations.n_cells, dtype=bool)
    for cells in components(equations, low, high):
        todo = witnesses.lacking(cells[asked[cells]])
        if not len(todo):
            continue
        if np.isnan(witnesses.point[cells]).any():
            _ask_all(Program(equations, cells, low, high, witnesses.point, k), cells, todo, seconds_left, witnesses)
        for sizes in (NEAR, FAR):
            for cell in witnesses.lacking(todo):
                _ask_one(cell, cells, equations, (low, high), k, sizes, seconds_left, witnesses)
            if len(witnesses.lacking(todo)) > FEW:
                break
        is_lacking[witnesses.lacking(todo)] = True
    return is_lacking


def components(equations: Equations, low: Real, high: Real) -> Iterator[Whole]:
    """Open cells that are linked by equations."""
    label = equations.components(low < high)
    order = np.argsort(label, kind="stable")
    numbers, starts = np.unique(label[order], return_index=True)
    for number, start, end in zip(numbers, starts, np.append(starts[1:], len(order)), strict=True):
        if number >= 0:
            yield np.sort(order[start:end])


def _ask_all(
    program: Program, cells: Whole, asked: Whole, seconds_left: Callable[[], float], witnesses: Witnesses
) -> None:
    """Ask for witnesses of all these cells at once, as long as that finds many."""
    for ask, seen in ((program.without, witnesses.can_be_none), (program.with_many, witnesses.can_be_many)):
        for _ in range(MOST_BATCHES):
            todo = asked[~seen[asked]]
            if not len(todo):
                break
            found = ask(todo, seconds_left())
            if found is None:
                raise OutOfTimeError
            witnesses.point[cells] = found
            witnesses.add(cells, found)
            if np.count_nonzero(seen[todo]) < FEWEST_OF_A_BATCH * len(todo):
                break


def _ask_one(
    cell: int,
    component: Whole,
    equations: Equations,
    bounds: tuple[Real, Real],
    k: int,
    sizes: Iterable[tuple[int, int]],
    seconds_left: Callable[[], float],
    witnesses: Witnesses,
) -> None:
    """Ask for both witnesses of this cell, near it and further off."""
    one = np.array([cell])
    is_open = bounds[0] < bounds[1]
    for size in sizes:
        if not len(witnesses.lacking(one)):
            return
        near = equations.near(cell, is_open, *size) if len(component) > size[0] else component
        program = Program(equations, near, *bounds, witnesses.point, k)
        for ask, seen in ((program.without, witnesses.can_be_none), (program.with_many, witnesses.can_be_many)):
            if seen[cell]:
                continue
            if seconds_left() <= 0:
                raise OutOfTimeError
            found = ask(one, seconds_left())
            if found is None:
                continue
            witnesses.add(near, found)
            # a count that is known to be none, or k and more, is nobody's secret
            n = found[near == cell][0]
            if near is component and (n >= k if seen is witnesses.can_be_none else n == 0):
                witnesses.can_be_none[cell] = witnesses.can_be_many[cell] = True
    if seconds_left() <= 0:
        raise OutOfTimeError
