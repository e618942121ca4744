"""The workspace of one sync: the scratch tables between raw and new versions.

Belongs here: the list of tables, with the phases that make and drop each. Not here: what a phase writes to them
(decode, reconcile, diff, and each source's reconcile).

If a phase ends without one of its tables, the workspace raises `ForgottenError`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.hashing import HEAVY, light
from join_pipeline.lake.record import Files
from join_pipeline.lake.sql import empty_table, insert_rows
from join_pipeline.models import MODELS
from join_pipeline.models.rows import UNREAD
from join_pipeline.models.types import FLAG, INSTANT, TEXT, TEXTS, WHOLE


class Phase(IntEnum):
    """The phases between raw and versions, in their order."""

    OPEN = 0
    """Make the views of the lake's versions."""
    DECODE = 1
    """Turn raw rows into observations."""
    RECALL = 2
    """Load the known versions that the observations can concern."""
    RECONCILE = 3
    """Lay the observations over what is known, which gives what is now and what is gone."""
    DIFF = 4
    """Compare what is now with what was known, which gives the versions to write."""


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of table: one for each model, named `<name>_<model>`, or a single one. Phase `until` drops it at its end.

    A table that is not required is made only for models that have rows for it.
    """

    name: str
    made_in: Phase
    until: Phase
    doc: str
    is_per_model: bool = True
    is_required: bool = True


TABLES: Final = (
    Table("versions", Phase.OPEN, Phase.DIFF, "View of every version in force, its columns of tier 1"),
    Table("seen", Phase.DECODE, Phase.RECONCILE, "Observations of this sync, without the heavy column"),
    Table(
        "payloads",
        Phase.DECODE,
        Phase.DIFF,
        "The heavy column of observations, by `seq` and `id`",
    ),
    Table("ended", Phase.DECODE, Phase.DIFF, "The last content of deleted records, if the source still shows it"),
    Table(
        "unchanged", Phase.DECODE, Phase.RECONCILE, "Records that were read and not mapped again", is_per_model=False
    ),
    Table("missing", Phase.DECODE, Phase.RECONCILE, "Records that the source does not find", is_per_model=False),
    Table("said_gone", Phase.DECODE, Phase.RECONCILE, "Records that the source reports as deleted", is_per_model=False),
    Table("unread", Phase.DECODE, Phase.RECONCILE, "Records that broke the contract", is_per_model=False),
    Table("known", Phase.RECALL, Phase.DIFF, "Newest known versions of the records that this sync can concern"),
    Table("now", Phase.RECONCILE, Phase.DIFF, "The present content of the records that this sync concerns"),
    Table("gone", Phase.RECONCILE, Phase.DIFF, "Ids of records that are gone, with when that was observed"),
    Table("new", Phase.DIFF, Phase.DIFF, "The versions to write, each with its kind", is_required=False),
)
"""Every table that one phase makes for another. A table that only one phase needs is a `step`."""

_BY_NAME: Final = {table.name: table for table in TABLES}

# these columns depend on what was known, so they are computed after decoding
LATER: Final = frozenset({"changed_at", "remote_deleted_at", "sync_id", "content_hash", "reason"})
ORDER: Final = (
    ("parent_updated_at", INSTANT),
    ("parent_id", WHOLE),
    ("priority", WHOLE),
    ("shows_tags", FLAG),
    (UNREAD, TEXTS),
    ("seq", WHOLE),
)
PAYLOADS: Final = pa.schema([("id", TEXT), ("seq", WHOLE), (HEAVY, TEXT)])
SAID_GONE: Final = pa.schema(
    [("model", TEXT), ("id", TEXT), ("remote_deleted_at", INSTANT), ("observed_at", INSTANT), ("seq", WHOLE)]
)
UNCHANGED: Final = pa.schema([("id", TEXT)])
MISSING: Final = pa.schema([("model", TEXT), ("id", TEXT), ("remote_id", TEXT), ("observed_at", INSTANT)])


def seen_schema(model: str) -> pa.Schema:
    """The columns of `seen_<model>`: the model's, without those in `LATER`, and those that precedence needs."""
    fields = [(c.name, c.type) for c in light(MODELS[model].version_columns) if c.name not in LATER]
    return pa.schema(fields + list(ORDER))


class ForgottenError(Exception):
    """A phase has not made a table that the next one needs. That is a bug in the program, never in the data."""


@dataclass(slots=True)
class Workspace:
    """The scratch tables of one sync.

    `started_at` is the sync's start. `files` are those in force. `guarded` are the feeds that the guard objected to.
    """

    con: duckdb.DuckDBPyConnection
    lake: Path
    files: Files
    started_at: datetime
    guarded: frozenset[str] = frozenset()
    _phase: Phase = Phase.OPEN
    _made: set[str] = field(default_factory=set)
    _steps: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Make the views `versions_<model>`. This reads no rows."""
        for name, model in MODELS.items():
            relation = versions_relation(self.lake, model, self.files.models.get(name, []))
            self.con.execute(f"CREATE OR REPLACE TEMP VIEW versions_{name} AS FROM {relation}")
            self._made.add(f"versions_{name}")

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Run one phase. At its end the workspace checks its tables and drops those that no later phase needs.

        Raises `ForgottenError` with the tables that the phase has not made.
        """
        self._phase = phase
        yield
        lacking = [name for name in _names(phase) if name not in self._made]
        if lacking:
            raise ForgottenError(f"{phase.name.lower()} has not made {', '.join(lacking)}")
        ended = [table for table in TABLES if table.until == phase]
        views = [name for table in ended if table.name == "versions" for name in _names_of(table)]
        self.let_go(*self._steps, *(name for table in ended if table.name != "versions" for name in _names_of(table)))
        self._steps.clear()
        self._do(f"DROP VIEW IF EXISTS {name}" for name in views)

    def begin_decode(self) -> None:
        """Make the empty tables that decoding fills."""
        for model in MODELS:
            self._empty("seen", model, seen_schema(model))
            self._empty("ended", model, seen_schema(model))
            self._empty("payloads", model, PAYLOADS)
        self._empty("said_gone", None, SAID_GONE)
        self._empty("missing", None, MISSING)
        self._empty("unread", None, MISSING)
        self._empty("unchanged", None, UNCHANGED)

    def add(self, table: str, model: str | None, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows to a table that decoding fills. Keys that are no columns of the table are left out."""
        fixed = {"payloads": PAYLOADS, "said_gone": SAID_GONE, "missing": MISSING, "unread": MISSING}
        schema = fixed[table] if table in fixed else seen_schema(model or "")
        insert_rows(self.con, self._name(table, model), schema, rows)

    def make(self, table: str, model: str, query: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Make one of this phase's tables, for one model, from a query."""
        name = self._name(table, model)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", dict(parameters or {}))
        self._made.add(name)

    def step(self, name: str, query: str) -> None:
        """Make a table that only this phase needs. It is dropped at the end of the phase."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        self._steps.append(name)

    def let_go(self, *names: str) -> None:
        """Drop tables before their phase ends. In a first sync they are most of the memory in use."""
        self._do(f"DROP TABLE IF EXISTS {name}" for name in names)

    def holds_any(self, query: str) -> bool:
        """Whether a query has a row."""
        return bool(self.con.execute(f"FROM ({query}) LIMIT 1").fetchone())

    def personal(self, model: str) -> str:
        """SQL of a model's personal columns by (id, sync_id), as the lake has them."""
        return personal_relation(self.lake, MODELS[model], self.files.personal.get(model, []))

    def _do(self, statements: Iterable[str]) -> None:
        """Several statements at once: each call costs as much as such a statement."""
        self.con.execute("; ".join(statements))

    def _empty(self, table: str, model: str | None, schema: pa.Schema) -> None:
        name = self._name(table, model)
        empty_table(self.con, name, schema)
        self._made.add(name)

    def _name(self, table: str, model: str | None) -> str:
        kind = _BY_NAME[table]
        if kind.made_in != self._phase:
            raise ForgottenError(f"{table} is made in {kind.made_in.name.lower()}, not in {self._phase.name.lower()}")
        if model is not None and model not in MODELS:
            raise ForgottenError(f"{model} is no model")
        return table if model is None else f"{table}_{model}"


def _names(phase: Phase) -> list[str]:
    return [name for table in TABLES if table.made_in == phase and table.is_required for name in _names_of(table)]


def _names_of(table: Table) -> list[str]:
    return [f"{table.name}_{model}" for model in MODELS] if table.is_per_model else [table.name]
