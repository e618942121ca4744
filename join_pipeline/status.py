"""Status: what the lake's records say of the last syncs, for people and for scripts.

Belongs here: reading and summing up. Not here: printing (cli), judging whether all is well (doctor).
"""

from datetime import datetime
from pathlib import Path

import msgspec

from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.settings import Settings


class SyncSummary(msgspec.Struct, kw_only=True):
    """One sync in a line. Durations in seconds."""

    sync_id: str
    mode: str
    reason: str
    verdict: str
    objections: list[str]
    started_at: datetime
    seconds: float
    requests: int
    new_versions: int
    deletions: int
    quarantined: int
    unknown_words: int
    unannounced_changes: int


class Status(msgspec.Struct, kw_only=True):
    """One connection: its last syncs, newest first, and how fresh what readers open is."""

    connection: str
    lake: Path
    published: Path | None
    syncs: list[SyncSummary]
    n_syncs: int
    as_of: datetime | None
    published_at: datetime | None
    live_records: dict[str, int]
    watermarks: dict[str, datetime | None]
    pending_looks: dict[str, int]
    quarantined_files: int


def read_status(settings: Settings, last: int = 10) -> Status:
    """The state of the connection. `LakeError` if there is no lake yet."""
    return summarize(settings, open_lake(settings.lake, settings.integration_id), last)


def summarize(settings: Settings, lake: Lake, last: int) -> Status:
    """The state of an open lake."""
    records = lake.records()
    newest = records[-1] if records else None
    published = settings.published if settings.published.exists() else None
    return Status(
        connection=settings.connection,
        lake=lake.path,
        published=published,
        syncs=[_line(record) for record in reversed(records[-last:])],
        n_syncs=len(records),
        as_of=newest.as_of if newest else None,
        published_at=datetime.fromtimestamp(published.stat().st_mtime).astimezone() if published else None,
        live_records={name: model.live for name, model in newest.models.items()} if newest else {},
        watermarks={name: feed.listed_since for name, feed in newest.feeds.items()} if newest else {},
        pending_looks={feed: len(ids) for feed, ids in newest.pending.items()} if newest else {},
        quarantined_files=sum(len(paths) for paths in newest.files.quarantine.values()) if newest else 0,
    )


def _line(record: SyncRecord) -> SyncSummary:
    return SyncSummary(
        sync_id=record.sync_id,
        mode=record.mode,
        reason=record.reason,
        verdict=record.verdict,
        objections=record.objections,
        started_at=record.started_at,
        seconds=round((record.finished_at - record.started_at).total_seconds(), 1),
        requests=record.n_requests,
        new_versions=sum(model.versions for model in record.models.values()),
        deletions=sum(model.deleted for model in record.models.values()),
        quarantined=sum(feed.quarantined for feed in record.feeds.values()),
        unknown_words=sum(record.unknown.values()),
        unannounced_changes=record.n_unannounced,
    )
