"""An attacker: who knows every number of the shared tables, and asks what a hidden group of applications can be.

It shares no code with what hides. Its unknowns are the applications of one job, source and run of days, of which every
published number is a sum, so it sees all sums at once. Belongs here: the attack. Not here: what must withstand it.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import highspy
import numpy as np

from join_pipeline.suppression.solver import QuietSolver

Atom = tuple[str, str, date]
Told = tuple[str, date | None, str, str]

TABLES = {
    "fct_funnel_cohort": "SELECT DISTINCT cohort_grain, cohort_on, scope, scope_key, n_cohort FROM {table}",
    "fct_funnel_cohort_age": "SELECT DISTINCT cohort_grain, cohort_on, scope, scope_key, n_cohort FROM {table}",
    "mart_source_effectiveness": ("SELECT period_grain, period_on, 'source', source_key, n_applications FROM {table}"),
    "mart_consent": "SELECT period_grain, period_on, scope, scope_key, n_applications FROM {table}",
    "mart_weekly_trend": "SELECT 'week', week_on, 'overall', 'all', n_applications FROM {table}",
    "mart_seasonality": "SELECT 'month', month_on, 'overall', 'all', n_applications FROM {table}",
}


DAYS = {"week": 7, "month": 31, "quarter": 92}


@dataclass(frozen=True)
class Found:
    """A hidden group of fewer than k people, and between which counts it must be."""

    group: Told
    n_people: int
    low: float
    high: float


class Attack:
    """What the shared tables of one schema say of who applied."""

    def __init__(self, con: duckdb.DuckDBPyConnection, schema: str, before: str | None = None) -> None:
        """With `before`, the schema of an earlier file, which told of periods that were over by then."""
        self._con = con
        self._schema = schema
        rows = con.execute(
            f"""SELECT coalesce(job_id, 'unknown'), coalesce(source, 'unknown'), applied_on, candidate_key
            FROM {schema}.fct_application"""
        ).fetchall()
        self._told = self._numbers(schema)
        if before is not None:
            ((first_open_on,),) = con.execute(f"SELECT CAST(as_of AS DATE) FROM {before}.mart_follow_up").fetchall()
            for group, n in self._numbers(before).items():
                grain, period, scope, _ = group
                is_over = period is not None and period + timedelta(DAYS[grain]) <= first_open_on
                if is_over and n is not None and scope in ("overall", "job", "source") and group in self._told:
                    self._told[group] = n
        self._named = {
            "category": self._words("dim_job", "job_id", "coalesce(category, 'unknown')"),
            "city": self._words("dim_job", "job_id", "coalesce(city, 'unknown')"),
            "channel": self._words("dim_source", "source", "channel"),
        }
        people: dict[Atom, set[str]] = defaultdict(set)
        for job, source, applied_on, candidate in rows:
            people[job, source, _run_of(applied_on)].add(candidate)
        # nobody applied for a job by a source in a month in which no row names them
        jobs, sources = sorted({one[0] for one in people}), sorted({one[1] for one in people})
        weeks = {period for grain, period, *_ in self._told if grain == "week" and period is not None}
        runs = sorted({_run_of(week + timedelta(days)) for week in weeks for days in (0, 6)})
        self._atoms: dict[Atom, int] = {}
        for job in jobs:
            for source in sources:
                for run in runs:
                    month = ("month", run.replace(day=1))
                    if (*month, "job", job) in self._told and (*month, "source", source) in self._told:
                        self._atoms[job, source, run] = len(self._atoms)
        self._people = people
        self._members: dict[Told, list[int]] = defaultdict(list)
        self._n_people: dict[Told, set[str]] = defaultdict(set)
        for atom, place in self._atoms.items():
            for group in self._groups_of(atom):
                if group in self._told:
                    self._members[group].append(place)
                    self._n_people[group] |= people.get(atom, set())

    def _numbers(self, schema: str) -> dict[Told, int | None]:
        """Each group that is named, and its number if any table shows it."""
        told: dict[Told, int | None] = {}
        for name, query in TABLES.items():
            for grain, period, scope, key, n in self._con.execute(query.format(table=f"{schema}.{name}")).fetchall():
                group = (grain, period, scope, key)
                told[group] = n if n is not None else told.get(group)
        return told

    def _words(self, table: str, key: str, word: str) -> dict[str, str]:
        return dict(self._con.execute(f"SELECT {key}, {word} FROM {self._schema}.{table}").fetchall())

    def _groups_of(self, atom: Atom) -> list[Told]:
        job, source, run = atom
        keys = {"overall": "all", "job": job, "source": source, "job_source": f"{job}/{source}"}
        for scope, key in (("category", job), ("city", job), ("channel", source)):
            keys[scope] = self._named[scope].get(key, "OTHER" if scope == "channel" else "unknown")
        scopes = {(scope, key) for _, _, scope, key in self._told}
        for scope, key in keys.items():
            if scope in ("category", "city", "channel") and (scope, key) not in scopes:
                keys[scope] = "(other)"
            if scope == "job_source" and (scope, key) not in scopes:
                keys[scope] = f"{job}/(other)"
        quarter = date(run.year, 3 * ((run.month - 1) // 3) + 1, 1)
        periods = {
            "week": run - timedelta(run.weekday()),
            "month": run.replace(day=1),
            "quarter": quarter,
            "all": None,
        }
        return [(grain, period, scope, key) for grain, period in periods.items() for scope, key in keys.items()]

    def found(self, k: int) -> tuple[int, list[Found]]:
        """How many small groups are hidden, and those that are told more closely than that they are small."""
        hidden = [
            group
            for group, n in self._told.items()
            if n is None and 1 <= len(self._n_people[group]) < k and self._members[group]
        ]
        solver = self._solver()
        ends: dict[str, dict[Told, float]] = {"low": {}, "high": {}}
        for end, sign in (("low", 1.0), ("high", -1.0)):
            for group in hidden:
                if group in ends[end]:
                    continue
                at = self._solved(solver, self._members[group], sign)
                ends[end][group] = float(at[self._members[group]].sum())
                for other in hidden:  # what serves for one often serves for others
                    n = float(at[self._members[other]].sum())
                    if (n < 1e-6) if end == "low" else (n > k - 1 - 1e-6):
                        ends[end].setdefault(other, n)
        told = [
            Found(group, len(self._n_people[group]), ends["low"][group], ends["high"][group])
            for group in hidden
            if ends["low"][group] > 1e-6 or ends["high"][group] < k - 1 - 1e-6
        ]
        return len(hidden), told

    def _solver(self) -> Any:
        shown = [(group, n) for group, n in self._told.items() if n is not None]
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self._atoms), len(shown)
        lp.col_cost_ = np.zeros(len(self._atoms))
        lp.col_lower_ = np.zeros(len(self._atoms))
        lp.col_upper_ = np.full(len(self._atoms), np.inf)
        lp.row_lower_ = lp.row_upper_ = np.array([float(n) for _, n in shown])
        starts = np.cumsum([0, *(len(self._members[group]) for group, _ in shown)])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = starts.astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([self._members[group] for group, _ in shown]).astype(np.int32)
        lp.a_matrix_.value_ = np.ones(starts[-1])
        solver: Any = QuietSolver()  # type: ignore[no-untyped-call]
        solver.passModel(lp)
        return solver

    def _solved(self, solver: Any, places: list[int], sign: float) -> Any:
        cost = np.zeros(len(self._atoms))
        cost[places] = sign
        solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        solver.run()
        assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, solver.getModelStatus()
        return np.array(solver.getSolution().col_value)


def _run_of(day: date) -> date:
    """The first day of those that share its week and its month."""
    return max(day - timedelta(day.weekday()), day.replace(day=1))


def attack(published: Path, k: int) -> tuple[int, list[Found]]:
    """How many small groups a published file hides, and which of them its numbers tell."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{published}' AS attacked (READ_ONLY)")
        return Attack(con, "attacked.main").found(k)


def attack_two(before: Path, after: Path, k: int) -> tuple[int, list[Found]]:
    """The same of somebody who has kept the file of an earlier day."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{before}' AS earlier (READ_ONLY)")
        con.execute(f"ATTACH '{after}' AS attacked (READ_ONLY)")
        return Attack(con, "attacked.main", "earlier.main").found(k)


def attack_marts(warehouse: Path, k: int) -> tuple[int, list[Found]]:
    """The same of the marts as dbt leaves them, where each table hides for itself."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{warehouse}' AS attacked (READ_ONLY)")
        return Attack(con, "attacked.recruiting").found(k)
