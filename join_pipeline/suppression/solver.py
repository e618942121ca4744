"""Whether an attacker can bound a hidden count, asked of a solver of linear programs (HiGHS).

Each count needs two witnesses: whole numbers that agree with everything published and in which the count is 0, and
others in which it is k - 1 or more. One program yields witnesses of many counts, so few have to be asked one by one.

Belongs here: linear programs. Not here: what is hidden if a count lacks a witness (hiding).
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import highspy
import numpy as np

from join_pipeline.suppression.equations import Equations, Flags, Real, Whole

ALMOST: Final = 1e-6
MOST_BATCHES: Final = 12


class OutOfTimeError(Exception):
    """The time is over before every count is known to be safe."""


class QuietSolver(highspy.Highs):
    """HiGHS without its banner, which comes on the standard output as soon as it is made."""

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's own name
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


class Program:
    """The linear program of one component: its open cells within their bounds, and its equations."""

    def __init__(self, equations: Equations, cells: Whole, low: Real, high: Real, k: int) -> None:
        self.cells = cells
        self._k = k
        place = np.full(equations.n_cells, -1)
        place[cells] = np.arange(len(cells))
        touched = np.unique(equations.equation[place[equations.cell] >= 0])
        row = np.full(equations.n_equations, -1)
        row[touched] = np.arange(len(touched))
        of_rows = row[equations.equation] >= 0
        inside = of_rows & (place[equations.cell] >= 0)
        outside = of_rows & ~inside
        known = np.bincount(
            row[equations.equation[outside]],
            equations.sign[outside] * low[equations.cell[outside]],
            len(touched),
        )
        n = len(cells)
        # a second column per cell, no more than the cell and k - 1: the sum of these is what a large count adds to
        rows = np.concatenate([row[equations.equation[inside]], len(touched) + np.repeat(np.arange(n), 2)])
        columns = np.concatenate([place[equations.cell[inside]], np.ravel([np.arange(n), n + np.arange(n)], order="F")])
        values = np.concatenate([equations.sign[inside], np.tile([1.0, -1.0], n)])
        order = np.lexsort((columns, rows))
        self._n = n
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
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(len(touched) + n + 1)).astype(np.int32)
        lp.a_matrix_.index_ = columns[order].astype(np.int32)
        lp.a_matrix_.value_ = values[order]
        self._highs.passModel(lp)

    def without(self, cells: Whole, seconds: float) -> Real | None:
        """Whole numbers that make these cells (places in the component) small."""
        return self._solved(cells, np.ones(len(cells)), seconds)

    def with_many(self, cells: Whole, seconds: float) -> Real | None:
        """Whole numbers that bring these cells to k - 1."""
        return self._solved(self._n + cells, -np.ones(len(cells)), seconds)

    def _solved(self, columns: Whole, costs: Real, seconds: float) -> Real | None:
        every = np.arange(2 * self._n, dtype=np.int32)
        cost = np.zeros(2 * self._n)
        cost[columns] = costs
        self._highs.changeColsCost(len(every), every, cost)
        return self._run(seconds)

    def _run(self, seconds: float) -> Real | None:
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(seconds, 0.0))
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        found: Real = np.array(self._highs.getSolution().col_value[: self._n])
        return found


def without_witness(
    equations: Equations,
    low: Real,
    high: Real,
    asked: Flags,
    k: int,
    seconds_left: Callable[[], float],
    known: set[bytes],
) -> Flags:
    """The cells of these that lack one of their witnesses. Raises `OutOfTimeError`.

    `known` are the components that were found to be safe, and gets those that are found now.
    """
    unsafe = np.zeros(equations.n_cells, dtype=bool)
    for cells, name in components(equations, low, high):
        if name in known or not asked[cells].any():
            continue
        if seconds_left() <= 0:
            raise OutOfTimeError
        program = Program(equations, cells, low, high, k)
        lacking = _lacking(program, np.flatnonzero(asked[cells]), k, seconds_left)
        unsafe[cells[lacking]] = True
        if not len(lacking):
            known.add(name)
    return unsafe


def components(equations: Equations, low: Real, high: Real) -> Iterator[tuple[Whole, bytes]]:
    """Open cells that are linked by equations, and a name by which the same cells within the same bounds are known."""
    label = equations.components(low < high)
    order = np.argsort(label, kind="stable")
    numbers, starts = np.unique(label[order], return_index=True)
    for number, start, end in zip(numbers, starts, np.append(starts[1:], len(order)), strict=True):
        if number >= 0:
            cells = np.sort(order[start:end])
            yield cells, b"".join(part.tobytes() for part in (cells, low[cells], high[cells]))


def _lacking(program: Program, asked: Whole, k: int, seconds_left: Callable[[], float]) -> Whole:
    """The places of the cells that lack a witness."""
    n = len(program.cells)
    is_small, is_large = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    lacking = []

    def look(found: Real | None) -> None:
        if found is not None:
            np.logical_or(is_small, found < ALMOST, out=is_small)
            np.logical_or(is_large, found > k - 1 - ALMOST, out=is_large)

    for ask, seen in ((program.without, is_small), (program.with_many, is_large)):
        for _ in range(MOST_BATCHES):
            todo = asked[~seen[asked]]
            if not len(todo):
                break
            if seconds_left() <= 0:
                raise OutOfTimeError
            look(ask(todo, seconds_left()))
            if len(asked[~seen[asked]]) == len(todo):
                break
        for one in asked[~seen[asked]]:
            if seen[one]:
                continue
            if seconds_left() <= 0:
                raise OutOfTimeError
            found = ask(np.array([one]), seconds_left())
            look(found)
            # a count that is known to be none, or k and more, is nobody's secret
            if found is None or not (
                seen[one] or found[one] > k - ALMOST or (seen is is_large and found[one] < ALMOST)
            ):
                lacking.append(one)
    if lacking and seconds_left() <= 0:
        raise OutOfTimeError
    return np.array(lacking, dtype=np.int64)
