"""The attacker of who waits: everything that the shared tables tell of applications that wait now.

Its unknowns are the applications that wait for one job, from one source, at one stage. It knows who is not there: what
has no row is none. It shares no code with what hides. Belongs here: the attack. Not here: what must withstand it.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import duckdb
import highspy
import numpy as np

from join_pipeline.suppression.solver import QuietSolver
from join_pipeline_tests.privacy.attacker import Found

MOST: Final = 10_000.0
Atom = tuple[str, str, str, str]  # milestone, stage, job, source
Group = tuple[str, str, str, str]
ANY: Final = "any"

NAMED: Final = {"category": ("dim_job", "job_id"), "city": ("dim_job", "job_id"), "channel": ("dim_source", "source")}


class WaitingAttack:
    """What the shared tables of one schema say of who waits."""

    def __init__(self, con: duckdb.DuckDBPyConnection, schema: str) -> None:
        rows = con.execute(
            f"SELECT scope, scope_key, milestone, stage_key, job_key, n_open FROM {schema}.mart_pipeline_now"
        ).fetchall()
        self._told: dict[Group, int | None] = {}
        for scope, key, milestone, stage, job, n in rows:
            told_by = f"{stage}/{job}" if scope == "job" else stage if scope == "stage" else key
            self._told["stage_job" if scope == "job" else scope, milestone, told_by, "now"] = n
        for scope, key, milestone, n in con.execute(
            f"SELECT scope, scope_key, milestone, n_open FROM {schema}.mart_service_level"
        ).fetchall():
            self._told["milestone" if scope == "overall" else scope, milestone, key, "level"] = n
        # who waits from a source, at whatever milestone, is a number inside the group of its applications
        for source, n in con.execute(
            f"""SELECT source_key, n_waiting - n_unknown FROM {schema}.mart_source_effectiveness
            WHERE period_grain = 'all' AND n_waiting IS NOT NULL"""
        ).fetchall():
            self._told["source", ANY, source, "cohort"] = n
        words = {
            scope: dict(con.execute(f"SELECT {key}, coalesce({scope}, 'unknown') FROM {schema}.{table}").fetchall())
            for scope, (table, key) in NAMED.items()
        }
        truth: dict[Atom, set[str]] = defaultdict(set)
        for *atom, candidate in con.execute(
            f"""SELECT coalesce(waiting.milestone, 'UNKNOWN'), coalesce(waiting.stage_id, 'unknown'),
                coalesce(waiting.job_id, 'unknown'), coalesce(waiting.source, 'unknown'), applications.candidate_key
            FROM {schema}.mart_pipeline_ageing AS waiting
            INNER JOIN {schema}.fct_application AS applications USING (application_key)"""
        ).fetchall():
            truth[atom[0], atom[1], atom[2], atom[3]].add(candidate)
        sources = sorted({atom[3] for atom in truth})
        places = [one for one in self._told if one[0] == "stage_job"]
        self._members: dict[Group, list[int]] = defaultdict(list)
        self._people: dict[Group, set[str]] = defaultdict(set)
        self._n_atoms = 0
        for _, milestone, place, _ in places:
            stage, job = place.split("/", 1)
            for source in sources:
                groups = self._groups_of((milestone, stage, job, source), words)
                if ("source", milestone, source, "now") not in self._told:
                    continue
                for group in groups:
                    if group in self._told:
                        self._members[group].append(self._n_atoms)
                        self._people[group] |= truth.get((milestone, stage, job, source), set())
                self._n_atoms += 1

    def _groups_of(self, atom: Atom, words: dict[str, dict[str, str]]) -> Iterable[Group]:
        milestone, stage, job, source = atom
        keys = {
            "milestone": "all",
            "stage": stage,
            "stage_job": f"{stage}/{job}",
            "source": source,
            "job_source": f"{job}/{source}",
            "category": words["category"].get(job, "unknown"),
            "city": words["city"].get(job, "unknown"),
            "channel": words["channel"].get(source, "OTHER"),
        }
        told = {(scope, key) for scope, _, key, _ in self._told}
        for scope in NAMED:
            if (scope, keys[scope]) not in told:
                keys[scope] = "(other)"
        if ("job_source", keys["job_source"]) not in told:
            keys["job_source"] = f"{job}/(other)"
        yield from ((scope, milestone, key, "now") for scope, key in keys.items())
        yield ("milestone", milestone, "all", "level")
        yield ("job", milestone, job, "level")
        yield ("source", ANY, source, "cohort")

    def found(self, k: int) -> tuple[int, list[Found]]:
        """How many groups of fewer than k people are hidden, and those that are told more closely than that."""
        hidden = [group for group, n in self._told.items() if n is None and 1 <= len(self._people[group]) < k]
        solver = self._solver()
        # somebody may have applied several times: groups of few people are told where they are shown
        told = [
            Found((group[1], None, group[0], group[2]), len(self._people[group]), n, n)
            for group, n in self._told.items()
            if n is not None and group[1] != ANY and 1 <= len(self._people[group]) < k
        ]
        for group in hidden:
            low, high = (self._solved(solver, self._members[group], sign, k) for sign in (1.0, -1.0))
            if low > 0 or high < k - 1:
                told.append(Found((group[1], None, group[0], group[2]), len(self._people[group]), low, high))
        return len(hidden), told

    def _solver(self) -> Any:
        shown = [(group, n) for group, n in self._told.items() if n is not None]
        n = self._n_atoms
        lp: Any = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = n, len(shown)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(n), np.zeros(n), np.full(n, MOST)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * n
        lp.row_lower_ = lp.row_upper_ = np.array([float(n) for _, n in shown])
        starts = np.cumsum([0, *(len(self._members[group]) for group, _ in shown)])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = starts.astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([self._members[group] for group, _ in shown]).astype(np.int32)
        lp.a_matrix_.value_ = np.ones(starts[-1])
        solver: Any = QuietSolver()  # type: ignore[no-untyped-call]
        solver.passModel(lp)
        return solver

    def _solved(self, solver: Any, places: list[int], sign: float, k: int) -> float:
        cost = np.zeros(self._n_atoms)
        cost[places] = sign
        solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        solver.setOptionValue("objective_target", 0.0 if sign > 0 else -(k - 1.0))
        solver.run()
        values = np.round(np.array(solver.getSolution().col_value))
        return float(values[places].sum())


def attack_waiting(published: Path, k: int) -> tuple[int, list[Found]]:
    """How many small groups of those who wait a published file hides, and which of them its numbers tell."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{published}' AS attacked (READ_ONLY)")
        return WaitingAttack(con, "attacked.main").found(k)


def attack_waiting_marts(warehouse: Path, k: int) -> tuple[int, list[Found]]:
    """The same of the marts as dbt leaves them, where each table hides for itself."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{warehouse}' AS attacked (READ_ONLY)")
        return WaitingAttack(con, "attacked.recruiting").found(k)
