"""Syncs without a server: raw rows by hand in, versions out, one sync after the other.

Belongs here: the order of things. Not here: any rule, what a payload looks like.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.raw import RawRow
from join_pipeline.lake.record import FeedRecord, Objection, SyncRecord, sync_id_of
from join_pipeline.models import MODELS
from join_pipeline.models.ids import Ids
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import RawOf
from join_pipeline.sync.derive import derive
from join_pipeline.sync.workspace import Workspace
from join_pipeline_tests.oracle.identifiers import unified_id
from join_pipeline_tests.unit.sync.tables import DAY, MINUTE, NOW, Row, Tables, record_of

INTEGRATION: Final = "derived:by-hand"
FOUND: Final = 200
NOT_FOUND: Final = 404

Payload = dict[str, Any]
Said = Payload | tuple[str | None, Any]
"""A payload, or a record's own id with what was said of it: None where the source does not have it, text that is no
JSON as it is.
"""


def id_of(model: str, remote_id: object) -> str:
    """Our id, reckoned apart from the code under test."""
    return unified_id(INTEGRATION, model, str(remote_id))


@dataclass
class Syncs:
    """A lake that grows by one sync a day."""

    source: Source
    tables: Tables
    previous: SyncRecord | None = None
    n: int = 0
    started: list[datetime] = field(default_factory=list)

    def sync(
        self, raw: Mapping[str, Sequence[Said]], *, mapped_since: str = "", guarded: Collection[str] = (), **more: Any
    ) -> SyncRecord:
        """One sync; the record of what it found."""
        at = NOW + self.n * DAY
        names = [feed.name for feed in self.source.feeds if not feed.is_reference]
        # a sync moves the watermark of each feed that it read whole
        figures = {name: FeedRecord(is_whole=True, listed_since=at, records=len(raw.get(name, ()))) for name in names}
        record = record_of(
            self.previous.files.copy() if self.previous else self.tables.files,
            **{
                "sync_id": sync_id_of(at),
                "started_at": at,
                "as_of": at + DAY / 2,
                "feeds": figures,
                "mapped_since": mapped_since,
                "objections": [Objection(feed=name, reason="too many are missing") for name in guarded],
                **more,
            },
        )
        workspace = Workspace(self.tables.con, self.tables.lake, record.files, record.started_at)
        workspace.open()

        def rows(feed: str) -> Iterable[RawRow]:
            return [_row(record, n, said) for n, said in enumerate(raw.get(feed, ()), 1)]

        self._derive(workspace, record, rows)
        self.previous, self.n = record, self.n + 1
        self.started.append(at)
        return record

    def _derive(self, workspace: Workspace, record: SyncRecord, rows: RawOf) -> None:
        derive(self.source, workspace, Ids(INTEGRATION), record, self.previous, rows)

    def written(self, *, but: Collection[str] = ()) -> dict[str, list[Row]]:
        """The versions of the last sync by model; those that it did not write are left out, as are some columns."""
        assert self.previous is not None
        found = {name: [row for row in self._versions(name) if row["sync_id"] == self.previous.sync_id]
                 for name in MODELS}  # fmt: skip
        left = {
            name: [{key: row[key] for key in row if key not in but} for row in rows] for name, rows in found.items()
        }
        return {name: rows for name, rows in left.items() if rows}

    def reasons(self) -> dict[str, dict[str, str]]:
        """Why the last sync wrote what it wrote: by model and our id."""
        return {name: {row["id"]: row["reason"] for row in rows} for name, rows in self.written().items()}

    def newest(self, model: str) -> dict[str, Row]:
        """The newest versions of all live records of a model, by our id."""
        newest = {row["id"]: row for row in self._versions(model)}
        return {key: row for key, row in newest.items() if row["remote_deleted_at"] is None}

    def live(self, model: str, column: str = "remote_id") -> set[Any]:
        """One column of all live records of a model."""
        return {row[column] for row in self.newest(model).values()}

    def _versions(self, name: str) -> list[Row]:
        assert self.previous is not None
        model, files, lake = MODELS[name], self.previous.files, self.tables.lake
        versions = versions_relation(lake, model, files.models.get(name, []))
        personal = personal_relation(lake, model, files.personal.get(name, []))
        joined = f"{versions} LEFT JOIN {personal} USING (id, sync_id)"
        return self.tables.rows(f"(FROM {joined} ORDER BY sync_id, id)")


def _row(record: SyncRecord, n: int, said: Said) -> RawRow:
    record_id, payload = said if isinstance(said, tuple) else (str(said["id"]), said)
    text = payload if payload is None or isinstance(payload, str) else json.dumps(payload)
    status = NOT_FOUND if payload is None else FOUND
    return RawRow(record.sync_id, "all", 1, record_id, status, record.started_at + n * MINUTE, text)
