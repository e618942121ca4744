"""Derive: from raw to new versions. A function of the versions before, the raw of one sync, and its record.

Belongs here: the steps between raw and versions, the same for a sync and for a replay. Not here: each step itself.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from join_pipeline.lake.files import appearing
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.models.ids import Ids
from join_pipeline.sources.base import MapperInput, SelectingSource, Source
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sync.decode import Seen
from join_pipeline.sync.diff import Writing, write_versions
from join_pipeline.sync.plan import OVERLAP
from join_pipeline.sync.workspace import Workspace

MOST_UNREAD: Final = 1000
"""How many records that could not be read a sync remembers, each by its id."""


def derive(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    lake: Path,
    ids: Ids,
    record: SyncRecord,
    previous: SyncRecord | None,
    raw_of: RawOf,
) -> None:
    """Write the versions that `record`'s raw gives against those in force, and note in `record` what was found.

    Needs `versions_*` in the scratch database.
    """
    con.execute("SET VARIABLE started_at = ?::TIMESTAMPTZ", [record.started_at])
    kept = source.selected(raw_of) if record.only_created and isinstance(source, SelectingSource) else raw_of
    keys = {feed.name: feed.key for feed in source.feeds}
    seen = Seen(con, source.mapper(MapperInput(ids, kept)), source.shared, ids, keys)
    for feed in (feed for feed in source.feeds if not feed.is_reference):
        before = previous.feeds.get(feed.name) if previous else None
        seen.unread[feed.name] = set(before.unread if before else ())
        seen.take(feed.name, kept(feed.name))
        _note_unread(record, feed, seen.unread[feed.name], before.unread if before else [])
    _set_aside(seen, lake, record)
    workspace = Workspace(con, lake, record)
    source.load_known(workspace)
    source.fold(workspace)
    record.n_unannounced = _unannounced(source, workspace, previous)
    for name, model in MODELS.items():
        record.models[name] = write_versions(con, model, Writing(lake, record, previous))
    record.unknown = dict(sorted(seen.unknown.items()))


def _note_unread(record: SyncRecord, feed: Feed, unread: set[str | None], before: Collection[str]) -> None:
    """Note which records could not be read. A listing that can't tell which, or of too many, is not whole.

    Then the next one asks from the same instant on. Of a full listing a record without its id is no loss: it also lacks
    one that is known, and that one is looked at.
    """
    figures = record.feeds[feed.name]
    known = {remote_id for remote_id in unread if remote_id is not None}
    is_filtered = record.mode == "incremental" and feed.is_incremental
    if (is_filtered and None in unread) or len(known) > MOST_UNREAD:
        figures.is_whole = False
    figures.unread = sorted(known if len(known) <= MOST_UNREAD else known.intersection(before))


def _set_aside(seen: Seen, lake: Path, record: SyncRecord) -> None:
    for feed, rows in seen.quarantined.items():
        path = f"quarantine/{feed}/{record.sync_id}.parquet"
        with appearing(lake / path) as aside:
            pq.write_table(seen.quarantine_table(feed), aside, compression="zstd")
        record.files.quarantine.setdefault(feed, []).append(path)
        record.feeds[feed].quarantined = len(rows)


def _unannounced(source: Source, workspace: Workspace, previous: SyncRecord | None) -> int:
    """Changes that only a full listing could show, though they lie before the last watermark."""
    before = previous.feeds if previous else {}
    listed = [before[feed.name].listed_since for feed in source.feeds if feed.is_incremental and feed.name in before]
    watermarks = [at for at in listed if at is not None]
    if workspace.record.mode != "full" or not watermarks:
        return 0
    return source.count_unannounced(workspace, min(watermarks) - OVERLAP)
