"""One sync's workspace with rows by hand: tables in, tables out.

Belongs here: putting known versions and observations where the phases look for them, and reading what a phase left. Not
here: any rule. A row names only the columns that matter to its rule; all others are null.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.lake.evolution import KEYS
from join_pipeline.lake.hashing import HEAVY
from join_pipeline.lake.record import Files, LakeFile, SyncRecord, sync_id_of
from join_pipeline.models import MODELS
from join_pipeline.sync.workspace import Phase, Workspace

Row = dict[str, Any]
Rows = Sequence[Row]

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEFORE: Final = NOW - timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
THIS_SYNC: Final = sync_id_of(NOW)
LAST_SYNC: Final = sync_id_of(BEFORE)
DIGEST: Final = "the payload's digest"
"""Every row has one unless it says otherwise: a row without was never read itself."""


class Rules(Protocol):
    """The part of a source that this is about."""

    def recall(self, workspace: Workspace) -> None: ...

    def reconcile(self, workspace: Workspace) -> None: ...


@dataclass(frozen=True)
class Found:
    """What reconcile leaves: rows by model and id."""

    known: Mapping[str, Mapping[str, Row]]
    now: Mapping[str, Mapping[str, Row]]
    gone: Mapping[str, Mapping[str, Row]]


@dataclass
class Tables:
    """A lake with versions by hand, and a workspace over it."""

    con: duckdb.DuckDBPyConnection
    lake: Path
    files: Files = field(default_factory=Files)

    def know(self, versions: Mapping[str, Rows]) -> None:
        """Put versions in the lake, as files of an earlier sync."""
        for name, rows in versions.items():
            model = MODELS[name]
            filled = [{"sync_id": LAST_SYNC, "payload_hash": DIGEST} | row for row in rows]
            n = len(self.files.models.get(name, []))
            for group, columns, end in (
                (self.files.models, model.plain, ""),
                (self.files.personal, (*KEYS, *model.personal), ".personal"),
            ):
                if end and not any(column.name in row for column in model.personal for row in rows):
                    continue
                path = f"models/{name}/{n}{end}.parquet"
                (self.lake / path).parent.mkdir(parents=True, exist_ok=True)
                schema = pa.schema([(column.name, column.type) for column in columns])
                pq.write_table(pa.Table.from_pylist(filled, schema), self.lake / path)
                group.setdefault(name, []).append(LakeFile(path=path, sync_id=LAST_SYNC))

    def workspace(self) -> Workspace:
        """A workspace whose versions can be asked."""
        workspace = Workspace(self.con, self.lake, self.files, NOW)
        workspace.open()
        return workspace

    def reconciled(
        self,
        rules: Rules,
        *,
        known: Mapping[str, Rows] | None = None,
        shown: Sequence[Mapping[str, Rows]] = (),
        missing: Rows = (),
        said_gone: Rows = (),
        guarded: Collection[str] = (),
        unchanged: Collection[str] = (),
    ) -> Found:
        """What is known, was shown, and is not there any more in; what is now and what is gone out."""
        self.know(known or {})
        workspace = self.workspace()
        workspace.guarded = frozenset(guarded)
        with workspace.phase(Phase.DECODE):
            workspace.begin_decode()
            observe(workspace, shown, missing, said_gone)
            for name in unchanged:
                workspace.con.execute("INSERT INTO unchanged VALUES (?)", [name])
        with workspace.phase(Phase.RECALL):
            rules.recall(workspace)
        with workspace.phase(Phase.RECONCILE):
            rules.reconcile(workspace)
        kinds = ("known", "now", "gone")
        return Found(*({name: self.by_id(f"{kind}_{name}") for name in MODELS} for kind in kinds))

    def rows(self, table: str) -> list[Row]:
        """The rows of a table, or of a query in brackets."""
        found = self.con.execute(f"FROM {table}")
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def by_id(self, table: str) -> dict[str, Row]:
        """The rows of a table by their id, of which each must be there once."""
        rows = self.rows(table)
        found = {row["id"]: row for row in rows}
        assert len(found) == len(rows), f"{table} has a record twice"
        return found


def observe(
    workspace: Workspace, shown: Sequence[Mapping[str, Rows]], missing: Rows = (), said_gone: Rows = (), start: int = 1
) -> None:
    """What decoding leaves of payloads that came one after the other; each shows rows of several models.

    A payload's rows have its place in the order as their `seq`, and came so many minutes after the sync began.
    """
    for seq, payload in enumerate(shown, start):
        for name, rows in payload.items():
            filled = [{"payload_hash": DIGEST, "observed_at": NOW + seq * MINUTE, "seq": seq} | row for row in rows]
            workspace.add("seen", name, filled)
            if any(HEAVY in row for row in filled):
                workspace.add("payloads", name, filled)
    workspace.add("missing", None, [{"observed_at": NOW} | row for row in missing])
    workspace.add("said_gone", None, [{"observed_at": NOW} | row for row in said_gone])


def record_of(files: Files, **more: Any) -> SyncRecord:
    """The record of this sync, begun."""
    return SyncRecord(
        **{
            "sync_id": THIS_SYNC,
            "previous": LAST_SYNC,
            "mode": "full",
            "reason": "asked for",
            "started_at": NOW,
            "finished_at": NOW,
            "as_of": NOW + 30 * MINUTE,
            "mapping_version": 1,
            "package_version": "0",
            "files": files,
            **more,
        }
    )
