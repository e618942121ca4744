"""The linear program of an attacker: what is known, rows that hold, and between which ends each secret must be.

Belongs here: solving. Not here: which rows there are (attacker_all).
"""

import math
from collections import defaultdict
from typing import Any, Final

import highspy
import numpy as np

from join_pipeline.suppression.solver import QuietSolver

MOST: Final = 1e6
CLOSE: Final = 1e-4
Row = tuple[dict[int, float], float, float]
"""The numbers of a row with their factors, and between what their sum is."""


class Program:
    """The linear program of all numbers that are not known, and one more per secret: no more than it, and k - 1."""

    def __init__(self, known: list[float | None], rows: list[Row], secrets: list[int], k: int) -> None:
        fixed = _fixed(known, rows)
        self._k = k
        unknown = [place for place, n in enumerate(fixed) if n is None]
        self._column = {place: column for column, place in enumerate(unknown)}
        self._n = len(unknown)
        self._fixed = fixed
        self._secrets = secrets
        self._open = [place for place in secrets if place in self._column]
        entries: list[dict[int, float]] = []
        low, high = [], []
        for row, least, most in rows:
            inside = {self._column[place]: sign for place, sign in row.items() if fixed[place] is None}
            if inside:
                rest = sum(sign * n for place, sign in row.items() if (n := fixed[place]) is not None)
                entries.append(inside)
                low.append(least - rest)
                high.append(most - rest)
        for number, place in enumerate(self._open):
            entries.append({self._column[place]: -1.0, self._n + number: 1.0})
            low.append(-math.inf)
            high.append(0.0)
        n = self._n + len(self._open)
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = n, len(entries)
        lp.col_cost_ = np.zeros(n)
        lp.col_lower_ = np.zeros(n)
        lp.col_upper_ = np.concatenate([np.full(self._n, MOST), np.full(len(self._open), k - 1.0)])
        lp.row_lower_, lp.row_upper_ = np.array(low), np.array(high)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *(len(one) for one in entries)]).astype(np.int32)
        lp.a_matrix_.index_ = np.array([column for one in entries for column in one], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([sign for one in entries for sign in one.values()])
        self._solver: Any = QuietSolver()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("threads", 1)
        self._solver.passModel(lp)

    def ends(self) -> tuple[dict[int, float], dict[int, float]]:
        """Of each secret, the least and the most that it can be, as far as they are above 0 and below k - 1."""
        low = {place: n for place in self._secrets if (n := self._fixed[place]) is not None}
        high = dict(low)
        for ends, sign in ((low, 1.0), (high, -1.0)):
            todo = [place for place in self._open if place not in ends]
            is_first = True
            while todo:
                some = todo if is_first else todo[:1]
                at = self._solved(some, sign)
                for place in todo:
                    n = float(at[self._column[place]])
                    if (n < CLOSE) if sign > 0 else (n > self._k - 1 - CLOSE):
                        ends[place] = n
                if not is_first:
                    ends[some[0]] = float(at[self._column[some[0]]])
                todo = [place for place in todo if place not in ends]
                is_first = False
        return low, high

    def _solved(self, places: list[int], sign: float) -> Any:
        cost = np.zeros(self._n + len(self._open))
        number = {place: one for one, place in enumerate(self._open)}
        for place in places:
            cost[self._column[place] if sign > 0 else self._n + number[place]] = sign
        self._solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        self._solver.run()
        assert self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, self._solver.getModelStatus()
        return np.array(self._solver.getSolution().col_value)


def _fixed(known: list[float | None], rows: list[Row]) -> list[float | None]:
    """What is known, and what follows at once: a sum of which one part is open, or that adds up to nothing."""
    fixed = list(known)
    of_place: dict[int, list[int]] = defaultdict(list)
    for number, (row, _, _) in enumerate(rows):
        for place in row:
            of_place[place].append(number)
    todo = set(range(len(rows)))
    while todo:
        row, least, most = rows[todo.pop()]
        inside = [place for place in row if fixed[place] is None]
        if not inside or (least < most - 1e-3 and most != 0.0):
            continue
        rest = sum(sign * n for place, sign in row.items() if (n := fixed[place]) is not None)
        found: dict[int, float] = {}
        if least > most - 1e-3 and len(inside) == 1:
            n = -rest / row[inside[0]]
            found = {inside[0]: round(n) if abs(n - round(n)) < 1e-3 else n}
        elif abs(rest) < 1e-9 and all(row[place] > 0 for place in inside) and most <= 0:
            found = dict.fromkeys(inside, 0.0)
        for place, n in found.items():
            assert n > -1e-6, (row, n)
            fixed[place] = n
            todo.update(of_place[place])
    return fixed
