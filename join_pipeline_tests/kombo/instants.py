"""Compares the instants in a pipeline's marts with the true ones.

Belongs here: the event and duration tables of one lake beside the company's truth. Not here: what must hold of them
(test_two_pipelines).
"""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from join_pipeline_tests.dbt.coverage import CLAIMS, DURATIONS, TRULY
from join_pipeline_tests.oracle.truth import DECLINED, HIRED, Timeline
from join_pipeline_tests.simulation.modelled import modelled

MODELS = ("fct_application_stage_event", "fct_time_to_hire", "fct_stage_visit")
# in the words that TRULY reads
_STATE = {HIRED: "HIRED", DECLINED: "REJECTED"}


@dataclass(frozen=True)
class Told:
    """One statement of a mart: of what, its bounds, and what is true. Instants of events, days of durations.

    `n` numbers the statements of one claim about one application and one thing, in their order: what both pipelines
    number alike is one event to both.
    """

    claim: str
    application: str
    what: str
    n: int
    lo: Any
    hi: Any
    true: Any
    evidence: str | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.claim, self.application, self.what, self.n

    @property
    def holds(self) -> bool:
        """Whether the truth lies within; a bound that is not there bounds nothing."""
        slack: Any = timedelta(0) if isinstance(self.true, datetime) else 1e-9
        return (
            self.true is not None
            and (self.lo is None or self.lo <= self.true + slack)
            and (self.hi is None or self.true <= self.hi + slack)
        )

    def overlaps(self, other: "Told") -> bool:
        """Whether both can be true."""
        pairs = ((self.lo, other.hi), (other.lo, self.hi))
        return all(lo is None or hi is None or lo <= hi for lo, hi in pairs)

    @property
    def width(self) -> float:
        """Days between the bounds."""
        if self.lo is None or self.hi is None:
            return math.inf
        width = self.hi - self.lo
        return width / timedelta(days=1) if isinstance(width, timedelta) else float(width)


@contextlib.contextmanager
def marts(lake: Path, lines: list[Timeline]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts of a lake, and beside them `truth` in their words: keys by `named`, stages by their names."""
    with modelled(lake, *MODELS, kind="TABLE") as con:
        con.execute(
            """CREATE TABLE named AS SELECT p.pseudonym AS application_key, a.remote_id AS application
            FROM ats.pseudonyms AS p JOIN ats.applications AS a ON a.id = p.id WHERE p.model = 'applications'"""
        )
        truly = pd.DataFrame(
            [
                (line.application, state.at, state.stage, _STATE.get(state.outcome, "ACTIVE"), state.is_deleted)
                for line in lines
                for state in line.states
            ],
            columns=["application", "event_at", "stage", "state", "is_deleted"],
        )
        con.register("lines", truly)
        con.execute(
            """CREATE TABLE truth AS
            SELECT application_key, event_at, s.id AS stage_id, state, is_deleted,
                min(event_at) OVER (PARTITION BY application_key) AS created_at
            FROM lines JOIN named USING (application) LEFT JOIN ats.application_stages AS s ON s.name = lines.stage"""
        )
        yield con


def told(lake: Path, lines: list[Timeline]) -> list[Told]:
    """Every statement of when something happened, or how long it took.

    True is the last time that it came about before it was seen: what came and went between two looks is nobody's.
    """
    with marts(lake, lines) as con:
        names: dict[str, str] = dict(con.execute("SELECT id, name FROM ats.application_stages").fetchall())
        instants = (_instants(claim, sql) for claim, sql in CLAIMS.items())
        durations = (_durations(claim, sql) for claim, sql in DURATIONS.items())
        rows = [row for sql in (*instants, *durations) for row in con.execute(sql).fetchall()]
    found: list[Told] = []
    for claim, application, what, n, lo, hi, true, evidence in rows:
        kind, _, detail = what.partition(" ")
        found.append(Told(claim, application, f"{kind} {names.get(detail, detail)}", n, lo, hi, true, evidence))
    return found


def _instants(claim: str, sql: str) -> str:
    evidence = "evidence" if claim == "events" else "NULL::VARCHAR"
    order = "event_number" if claim == "events" else "hi"
    columns = ", evidence, event_number\n        from" if claim == "events" else "\n        from"
    sql = sql.replace("\n        from", columns, 1)
    return f"""SELECT '{claim}', application, told.what,
            row_number() OVER (PARTITION BY application, told.what ORDER BY {order}), lo, hi, true_at, {evidence}
        FROM ({sql}) AS told JOIN named USING (application_key)
        ASOF LEFT JOIN ({TRULY}) AS truly
            ON told.application_key = truly.application_key AND told.what = truly.what AND told.hi >= true_at"""


def _durations(claim: str, sql: str) -> str:
    # JOIN's own creation time may be what the mart has; the truth has it whatever the source
    since = "from_at" if claim == "time in stage" else "created_at"
    return f"""SELECT '{claim}', application, what, row_number() OVER (PARTITION BY application, what ORDER BY to_hi),
            days_lo, days_hi, epoch_us(true_at - {since}) / 86400e6, NULL::VARCHAR
        FROM (
            SELECT told.*, true_at, named.application FROM ({sql}) AS told JOIN named USING (application_key)
            ASOF LEFT JOIN ({TRULY}) AS truly
                ON told.application_key = truly.application_key AND told.what = truly.what AND told.to_hi >= true_at
        ) JOIN (SELECT DISTINCT application_key, created_at FROM truth) USING (application_key)"""
