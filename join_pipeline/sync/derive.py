"""Derive: from one sync's raw to new versions. The result depends on that raw, the sync record and the known versions.

Belongs here: the order of the phases, the same for a sync and for a replay. Not here: the phases themselves.
"""

from collections.abc import Collection
from typing import Final

from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.lake.sql import write_rows
from join_pipeline.models import MODELS
from join_pipeline.models.ids import Ids
from join_pipeline.models.kept_out import emptied
from join_pipeline.privacy import RAW
from join_pipeline.sources.base import MapperInput, SelectingSource, Source
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sync.completeness import n_late
from join_pipeline.sync.decode import QUARANTINE, Decoder
from join_pipeline.sync.diff import Writing, refuse_dangling, write_versions
from join_pipeline.sync.plan import OVERLAP
from join_pipeline.sync.reconcile import end_erased, keep_unread, know_what_is_named
from join_pipeline.sync.unchanged import Unchanged
from join_pipeline.sync.workspace import Phase, Workspace

MOST_UNREAD: Final = 1000
"""The largest number of unread records of a feed that a sync record lists by their ids."""


def derive(
    source: Source,
    workspace: Workspace,
    ids: Ids,
    record: SyncRecord,
    previous: SyncRecord | None,
    raw_of: RawOf,
    *,
    is_replay: bool = False,
    unchanged: Unchanged | None = None,
) -> int:
    """Write the new versions of one sync, and add its files and figures to `record`. The workspace must be open.

    With `unchanged`, payloads that were mapped before are not mapped again. Returns the number of applications that
    came late: see `n_late`.
    """
    with workspace.phase(Phase.DECODE):
        decoder = _decode(source, workspace, ids, record, previous, raw_of, unchanged)
        _set_aside(decoder, workspace, record)
    with workspace.phase(Phase.RECALL):
        source.recall(workspace)
        keep_unread(workspace)
    with workspace.phase(Phase.RECONCILE):
        workspace.guarded = frozenset(record.guarded)
        source.reconcile(workspace)
        know_what_is_named(workspace)
        if not is_replay:  # a replay keeps the versions of who was erased as they are
            end_erased(workspace)
    with workspace.phase(Phase.DIFF):
        late = n_late(source, workspace, record, previous)
        record.n_unannounced = _unannounced(source, workspace, record, previous)
        for name, model in MODELS.items():
            record.models[name] = write_versions(workspace, model, Writing(workspace.lake, record, previous))
        refuse_dangling(workspace.con, workspace.lake, record)
    record.unknown = dict(sorted(decoder.unknown.items()))
    record.odd = dict(sorted(decoder.odd.items()))
    return late


def _decode(
    source: Source,
    workspace: Workspace,
    ids: Ids,
    record: SyncRecord,
    previous: SyncRecord | None,
    raw_of: RawOf,
    unchanged: Unchanged | None,
) -> Decoder:
    """Decode all raw rows of this sync, and note the unread records in `record`."""
    kept = source.selected(raw_of) if record.only_created and isinstance(source, SelectingSource) else raw_of
    keys = {feed.name: feed.key for feed in source.feeds}
    decoder = Decoder(
        workspace,
        source.mapper(MapperInput(ids, kept)),
        source.shared,
        ids,
        keys,
        emptied(record.kept_out),
        keeps_payloads=RAW not in record.kept_out,
    )
    for feed in (feed for feed in source.feeds if not feed.is_reference):
        before = previous.feeds.get(feed.name) if previous else None
        decoder.unread[feed.name] = set(before.unread if before else ())
        if unchanged is not None and feed.name == unchanged.of.feed:
            unchanged.decode(decoder, before.unread if before else ())
        else:
            decoder.take(feed.name, kept(feed.name))
        _note_unread(record, feed, decoder.unread[feed.name], before.unread if before else [])
    return decoder


def is_of(record: SyncRecord, source: Source) -> bool:
    """Whether a sync read this source. An older release did not name it, and then it is the same."""
    return record.source in {"", source.name}


def mapped_since(source: Source, previous: SyncRecord | None, sync_id: str) -> str:
    """The id of the first sync with the mapping version of sync `sync_id`.

    It is empty if an older release wrote the previous record without it. Then every version has that mapping.
    """
    if previous is None or not is_of(previous, source) or previous.mapping_version != source.mapping_version:
        return sync_id
    return previous.mapped_since


def _note_unread(record: SyncRecord, feed: Feed, unread: set[str | None], before: Collection[str]) -> None:
    """Note the unread records. A listing with too many of them, or with one that has no id, is not whole.

    Then the watermark stays, and the next sync asks for the same changes again. In a full listing a record without an
    id does no harm: a known record is then missing from the listing, and gets a second look.
    """
    figures = record.feeds[feed.name]
    known = {remote_id for remote_id in unread if remote_id is not None}
    is_filtered = record.mode == "incremental" and feed.is_incremental
    if (is_filtered and None in unread) or len(known) > MOST_UNREAD:
        figures.is_whole = False
    figures.unread = sorted(known if len(known) <= MOST_UNREAD else known.intersection(before))


def _set_aside(decoder: Decoder, workspace: Workspace, record: SyncRecord) -> None:
    """Write the records that broke the contract to quarantine, each with its payload and the reason."""
    for feed, rows in decoder.quarantined.items():
        path = f"quarantine/{feed}/{record.sync_id}.parquet"
        write_rows(workspace.con, QUARANTINE, rows, workspace.lake / path)
        record.files.quarantine.setdefault(feed, []).append(LakeFile(path=path, sync_id=record.sync_id))
        record.feeds[feed].quarantined = len(rows)


def _unannounced(source: Source, workspace: Workspace, record: SyncRecord, previous: SyncRecord | None) -> int:
    """The number of unannounced changes: a full sync sees them, and they were made before the last watermark."""
    before = previous.feeds if previous and is_of(previous, source) else {}
    listed = [before[feed.name].listed_since for feed in source.feeds if feed.is_incremental and feed.name in before]
    watermarks = [at for at in listed if at is not None]
    # every record differs from what was kept of it before, and nobody changed it
    is_kept_otherwise = record.kept_out_since == record.sync_id
    if record.mode != "full" or not watermarks or is_kept_otherwise:
        return 0
    return source.count_unannounced(workspace, min(watermarks) - OVERLAP)
