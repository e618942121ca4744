"""The workspace of one sync: the scratch tables by which raw becomes new versions.

Belongs here: which tables there are, the phase that makes each and the one that drops it. Not here: what a phase puts
into them (decode, reconcile, diff, and each source's reconcile).

A phase that has not made one of its tables for some model is refused at its end, by the model's name.
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
from join_pipeline.models.types import FLAG, INSTANT, TEXT, WHOLE


class Phase(IntEnum):
    """The phases between raw and versions, in their order."""

    OPEN = 0
    """The lake's versions can be asked."""
    DECODE = 1
    """Raw rows become observations of records."""
    RECALL = 2
    """What is known of the records that were observed."""
    RECONCILE = 3
    """Observations laid over what is known: what is now, and what is gone."""
    DIFF = 4
    """What is new against what is known."""


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of table: one for each model, named `<name>_<model>`, or one in all. It lives to the end of `until`.

    One that is not required is made only for models that have something to put into it.
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
    Table("ended", Phase.DECODE, Phase.DIFF, "How records were at their end, as far as the source still tells"),
    Table("missing", Phase.DECODE, Phase.RECONCILE, "What the source says it does not have", is_per_model=False),
    Table("said_gone", Phase.DECODE, Phase.RECONCILE, "What the source says was deleted, and when", is_per_model=False),
    Table("unread", Phase.DECODE, Phase.RECONCILE, "Records that broke the contract", is_per_model=False),
    Table("known", Phase.RECALL, Phase.DIFF, "Newest known versions of the records that this sync can concern"),
    Table("now", Phase.RECONCILE, Phase.DIFF, "What is there now, of the records seen or touched in this sync"),
    Table("gone", Phase.RECONCILE, Phase.DIFF, "Ids that ceased to be, with when that was observed"),
    Table("new", Phase.DIFF, Phase.DIFF, "The versions to write, each with its kind", is_required=False),
)
"""Every table that one phase leaves for another. What a phase needs for itself only is a `step`."""

_BY_NAME: Final = {table.name: table for table in TABLES}

# filled in after decoding: they depend on what was known before
LATER: Final = frozenset({"changed_at", "remote_deleted_at", "sync_id", "content_hash", "reason"})
ORDER: Final = (
    ("parent_updated_at", INSTANT),
    ("parent_id", WHOLE),
    ("priority", WHOLE),
    ("shows_tags", FLAG),
    ("seq", WHOLE),
)
PAYLOADS: Final = pa.schema([("id", TEXT), ("seq", WHOLE), (HEAVY, TEXT)])
SAID_GONE: Final = pa.schema(
    [("model", TEXT), ("id", TEXT), ("remote_deleted_at", INSTANT), ("observed_at", INSTANT), ("seq", WHOLE)]
)
MISSING: Final = pa.schema([("model", TEXT), ("id", TEXT), ("remote_id", TEXT), ("observed_at", INSTANT)])


def seen_schema(model: str) -> pa.Schema:
    """Columns of `seen_<model>`: the model's, without what comes later, and what decides between observations."""
    fields = [(c.name, c.type) for c in light(MODELS[model].version_columns) if c.name not in LATER]
    return pa.schema(fields + list(ORDER))


class ForgottenError(Exception):
    """A phase of this program has not made what the next one needs. That is a fault of the program, never of data."""


@dataclass(slots=True)
class Workspace:
    """The scratch tables of one sync.

    `started_at` is the sync's start. `files` are those in force. `guarded` are feeds whose loss is not believed.
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
        """Views `versions_<model>`. Nothing is read yet."""
        for name, model in MODELS.items():
            relation = versions_relation(self.lake, model, self.files.models.get(name, []))
            self.con.execute(f"CREATE OR REPLACE TEMP VIEW versions_{name} AS FROM {relation}")
            self._made.add(f"versions_{name}")

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """One phase. At its end everything that it should have made is there, and what nobody needs any more is not.

        `ForgottenError` names what it has not made.
        """
        self._phase = phase
        yield
        lacking = [name for name in _names(phase) if name not in self._made]
        if lacking:
            raise ForgottenError(f"{phase.name.lower()} has not made {', '.join(lacking)}")
        for name in self._steps:
            self.con.execute(f"DROP TABLE IF EXISTS {name}")
        self._steps.clear()
        for table in TABLES:
            if table.until == phase:
                for name in _names_of(table):
                    self.con.execute(f"DROP {'VIEW' if table.name == 'versions' else 'TABLE'} IF EXISTS {name}")

    def begin_decode(self) -> None:
        """The empty tables that decoding fills."""
        for model in MODELS:
            self._empty("seen", model, seen_schema(model))
            self._empty("ended", model, seen_schema(model))
            self._empty("payloads", model, PAYLOADS)
        self._empty("said_gone", None, SAID_GONE)
        self._empty("missing", None, MISSING)
        self._empty("unread", None, MISSING)

    def add(self, table: str, model: str | None, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows to a table that decoding fills. Columns that the table does not have are left out."""
        fixed = {"payloads": PAYLOADS, "said_gone": SAID_GONE, "missing": MISSING, "unread": MISSING}
        schema = fixed[table] if table in fixed else seen_schema(model or "")
        insert_rows(self.con, self._name(table, model), schema, rows)

    def make(self, table: str, model: str, query: str, parameters: Mapping[str, Any] | None = None) -> None:
        """One of this phase's tables, for one model, from a query."""
        name = self._name(table, model)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", dict(parameters or {}))
        self._made.add(name)

    def step(self, name: str, query: str) -> None:
        """A table that this phase alone needs. It goes with the phase."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        self._steps.append(name)

    def let_go(self, *names: str) -> None:
        """Drop tables before their phase ends: of a first sync they are most of what is held."""
        for name in names:
            self.con.execute(f"DROP TABLE IF EXISTS {name}")

    def holds_any(self, query: str) -> bool:
        """Whether a query gives a row."""
        return bool(self.con.execute(f"FROM ({query}) LIMIT 1").fetchone())

    def personal(self, model: str) -> str:
        """SQL of a model's personal columns by (id, sync_id), as the lake has them."""
        return personal_relation(self.lake, MODELS[model], self.files.personal.get(model, []))

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
