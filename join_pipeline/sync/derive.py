"""Derive: from raw to new versions. A function of the versions before, the raw of one sync, and its record.

Belongs here: the steps between raw and versions, the same for a sync and for a replay. Not here: each step itself.
"""

from collections.abc import Collection
from typing import Final

from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.lake.sql import write_rows
from join_pipeline.models import MODELS
from join_pipeline.models.ids import Ids
from join_pipeline.sources.base import MapperInput, SelectingSource, Source
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sync.decode import QUARANTINE, Decoder
from join_pipeline.sync.diff import Writing, write_versions
from join_pipeline.sync.plan import OVERLAP
from join_pipeline.sync.reconcile import know_what_is_named
from join_pipeline.sync.workspace import Phase, Workspace

MOST_UNREAD: Final = 1000
"""How many records that could not be read a sync remembers, each by its id."""


def derive(
    source: Source,
    workspace: Workspace,
    ids: Ids,
    record: SyncRecord,
    previous: SyncRecord | None,
    raw_of: RawOf,
) -> None:
    """Write the versions that `record`'s raw gives against those in force, and note in `record` what was found.

    The workspace is open: the lake's versions can be asked.
    """
    with workspace.phase(Phase.DECODE):
        decoder = _decode(source, workspace, ids, record, previous, raw_of)
        _set_aside(decoder, workspace, record)
    with workspace.phase(Phase.RECALL):
        source.recall(workspace)
    with workspace.phase(Phase.RECONCILE):
        workspace.guarded = frozenset(record.guarded)
        source.reconcile(workspace)
        know_what_is_named(workspace)
    with workspace.phase(Phase.DIFF):
        record.n_unannounced = _unannounced(source, workspace, record, previous)
        for name, model in MODELS.items():
            record.models[name] = write_versions(workspace, model, Writing(workspace.lake, record, previous))
    record.unknown = dict(sorted(decoder.unknown.items()))


def _decode(
    source: Source,
    workspace: Workspace,
    ids: Ids,
    record: SyncRecord,
    previous: SyncRecord | None,
    raw_of: RawOf,
) -> Decoder:
    """All raw rows of this sync, decoded; notes in `record` which records could not be read."""
    kept = source.selected(raw_of) if record.only_created and isinstance(source, SelectingSource) else raw_of
    keys = {feed.name: feed.key for feed in source.feeds}
    decoder = Decoder(workspace, source.mapper(MapperInput(ids, kept)), source.shared, ids, keys)
    for feed in (feed for feed in source.feeds if not feed.is_reference):
        before = previous.feeds.get(feed.name) if previous else None
        decoder.unread[feed.name] = set(before.unread if before else ())
        decoder.take(feed.name, kept(feed.name))
        _note_unread(record, feed, decoder.unread[feed.name], before.unread if before else [])
    return decoder


def mapped_since(source: Source, previous: SyncRecord | None, sync_id: str) -> str:
    """The first sync with the mapping of sync `sync_id`. Empty where an older release did not note it: every version
    has that mapping.
    """
    if previous is None or previous.mapping_version != source.mapping_version:
        return sync_id
    return previous.mapped_since


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


def _set_aside(decoder: Decoder, workspace: Workspace, record: SyncRecord) -> None:
    """Write what broke the contract, with the reason and the payload."""
    for feed, rows in decoder.quarantined.items():
        path = f"quarantine/{feed}/{record.sync_id}.parquet"
        write_rows(workspace.con, QUARANTINE, rows, workspace.lake / path)
        record.files.quarantine.setdefault(feed, []).append(LakeFile(path=path, sync_id=record.sync_id))
        record.feeds[feed].quarantined = len(rows)


def _unannounced(source: Source, workspace: Workspace, record: SyncRecord, previous: SyncRecord | None) -> int:
    """Changes that only a full listing could show, though they lie before the last watermark."""
    before = previous.feeds if previous else {}
    listed = [before[feed.name].listed_since for feed in source.feeds if feed.is_incremental and feed.name in before]
    watermarks = [at for at in listed if at is not None]
    if record.mode != "full" or not watermarks:
        return 0
    return source.count_unannounced(workspace, min(watermarks) - OVERLAP)
