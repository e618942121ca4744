"""Reads a lake with pyarrow only: its records, every version of every model, the raw of a sync.

Belongs here: reading files that the newest record lists. Not here: what they should hold (checks).
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.models import MODELS

Row = dict[str, Any]
Identity = tuple[str, str | None, datetime, str | None]
"""Feed, key, fetch time and payload of one raw row."""
OBSERVATION = ("changed_at", "observed_at", "sync_id", "content_hash", "payload_hash", "reason")


@dataclass(frozen=True)
class RawRecord:
    """One row of raw. `payload` is None where JOIN answered 404."""

    feed: str
    sync_id: str
    listing: str
    key: str | None
    fetched_at: datetime
    payload: Any
    text: str | None

    @property
    def identity(self) -> "Identity":
        return self.feed, self.key, self.fetched_at, self.text


def parsed(text: str) -> Any:
    """A payload as Python reads it; empty if it can't: numbers of 5,000 digits, 3,000 nested lists."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}


@dataclass(frozen=True)
class Observed:
    """A lake at rest."""

    path: Path

    @cached_property
    def records(self) -> list[SyncRecord]:
        return open_lake(self.path).records()

    @property
    def newest(self) -> SyncRecord:
        return self.records[-1]

    def versions(self, model: str) -> dict[str, list[Row]]:
        """Every version by id, oldest first, with its personal columns where they are kept (`is_told_whole`)."""
        return self._versions[model]

    def current(self, model: str) -> list[Row]:
        """The newest version of each record that is not deleted."""
        newest = (versions[-1] for versions in self.versions(model).values())
        return [row for row in newest if row["remote_deleted_at"] is None]

    def frame(self, model: str) -> pd.DataFrame:
        """The live rows, as the warehouse would have them."""
        columns = [column.name for column in MODELS[model].version_columns]
        return pd.DataFrame(
            [[row[name] for name in columns] for row in self.current(model)], columns=columns, dtype=object
        )

    @cached_property
    def _versions(self) -> dict[str, dict[str, list[Row]]]:
        return {name: self._read(name) for name in MODELS}

    def _read(self, model: str) -> dict[str, list[Row]]:
        personal = {(row["id"], row["sync_id"]): row for row in self._rows(self.newest.files.personal.get(model, []))}
        empty = {column.name: None for column in MODELS[model].personal}
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows(self.newest.files.models.get(model, [])):
            more = personal.get((row["id"], row["sync_id"]))
            found[row["id"]].append(row | empty | (more or {}) | {"is_told_whole": more is not None or not empty})
        for versions in found.values():
            versions.sort(key=lambda row: row["sync_id"])
        return dict(found)

    def raw(self, sync_id: str | None = None, feeds: Collection[str] = ("applications", "jobs")) -> Iterator[RawRecord]:
        """The raw in force, of one sync or of all, of these feeds, in its order."""
        for feed in feeds:
            for row in self._rows(self.newest.files.raw.get(feed, [])):
                if sync_id in (None, row["sync_id"]):
                    payload = None if row["payload"] is None else parsed(row["payload"])
                    listing, key, at = row["listing"], row["record_id"], row["fetched_at"]
                    yield RawRecord(feed, row["sync_id"], listing, key, at, payload, row["payload"])

    def listed_references(self, feed: str, sync_id: str) -> list[Any]:
        """The entries of a reference list that a sync got."""
        rows = self._rows(self.newest.files.raw.get(feed, []))
        return [json.loads(row["payload"]) for row in rows if row["sync_id"] == sync_id]

    def quarantined(self, sync_id: str) -> list[Identity]:
        """What a sync set aside. One record may come twice at one instant, whole and broken: the payload tells."""
        return [
            (feed, row["record_id"], row["fetched_at"], row["payload"])
            for feed, files in self.newest.files.quarantine.items()
            for row in self._rows([file for file in files if sync_id in file.path])
        ]

    def files(self) -> set[str]:
        """Every file on disk but records, lock and identity."""
        rooms = (self.path / room for room in ("raw", "models", "quarantine"))
        return {path.relative_to(self.path).as_posix() for room in rooms for path in room.rglob("*") if path.is_file()}

    def _rows(self, files: list[LakeFile]) -> Iterator[Row]:
        for file in files:
            yield from pq.read_table(self.path / file.path).to_pylist()
