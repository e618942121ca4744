"""Status: a summary of the last syncs from the lake's sync records, for people and for scripts.

Belongs here: reading and summing up. Not here: printing (cli), verdicts (doctor).
"""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.bucket.writing import reading
from join_pipeline.errors import LakeError
from join_pipeline.lake.integrity import sound
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.record import Objection, SyncRecord
from join_pipeline.people.erase import told_pending
from join_pipeline.settings import Settings
from join_pipeline.transform.run import odd_in_last_build


class SyncSummary(msgspec.Struct, kw_only=True):
    """The summary of one sync. Durations are in seconds.

    `odd_parts` counts parts of records that had an unexpected shape, by name and shape: `jobs.salary (text)`.
    """

    sync_id: str
    mode: str
    reason: str
    verdict: str
    objections: list[Objection]
    started_at: datetime
    seconds: float
    requests: int
    retries: int
    new_versions: int
    deletions: int
    quarantined: int
    unknown_words: int
    odd_parts: dict[str, int]
    unannounced_changes: int


class Status(msgspec.Struct, kw_only=True):
    """The state of a connection: its last syncs, newest first, and how fresh the published file is.

    `watermarks` has the instant up to which each feed is known without a gap. `pending_looks` has the number of missing
    records that wait for a second look, and `set_aside` the number of records in quarantine, each by feed.
    `bucket` has the bucket of which `lake` is a copy.
    `erasure` tells of an erasure of a person that has not ended.
    `odd_records` has what the last build said of records that can't be so, by the check that warned.
    """

    connection: str
    lake: Path
    bucket: str | None
    published: Path | None
    syncs: list[SyncSummary]
    n_syncs: int
    as_of: datetime | None
    age_seconds: float | None
    published_at: datetime | None
    last_full_at: datetime | None
    live_records: dict[str, int]
    watermarks: dict[str, datetime | None]
    pending_looks: dict[str, int]
    set_aside: dict[str, int]
    odd_records: dict[str, str]
    erasure: str | None


def read_status(settings: Settings, last: int = 10) -> Status:
    """Read the state of the connection. Raises `LakeError` if there is no lake yet."""
    with reading(settings):
        return summarize(settings, open_lake(settings.lake, settings.integration_id), last)


def summarize(settings: Settings, lake: Lake, last: int) -> Status:
    """The state of the connection whose lake is open, with its `last` syncs."""
    records = lake.records()
    newest = records[-1] if records else None
    published = settings.published if settings.published.exists() else None
    return Status(
        connection=settings.connection,
        lake=lake.path,
        bucket=settings.lake_url,
        published=published,
        syncs=[_line(record) for record in reversed(records[-last:])],
        n_syncs=len(records),
        as_of=newest.as_of if newest else None,
        age_seconds=round((datetime.now(UTC) - newest.as_of).total_seconds()) if newest else None,
        published_at=datetime.fromtimestamp(published.stat().st_mtime).astimezone() if published else None,
        last_full_at=newest.last_full.started_at if newest and newest.last_full else None,
        live_records={name: model.live for name, model in newest.models.items()} if newest else {},
        watermarks={name: feed.listed_since for name, feed in newest.feeds.items()} if newest else {},
        pending_looks={feed: len(ids) for feed, ids in newest.pending.items()} if newest else {},
        set_aside=_set_aside(lake, newest) if newest else {},
        odd_records=odd_in_last_build(settings),
        erasure=_erasure(settings),
    )


def _set_aside(lake: Lake, newest: SyncRecord) -> dict[str, int]:
    """The number of records in quarantine by feed, as far as its files can be read."""
    counts: dict[str, int] = {}
    for feed, files in newest.files.quarantine.items():
        for file in sound(lake.path, files, []):
            with contextlib.suppress(pa.ArrowException, OSError):  # of a lake without digests; `doctor --lake` names it
                counts[feed] = counts.get(feed, 0) + pq.read_metadata(lake.path / file.path).num_rows
    return counts


def _erasure(settings: Settings) -> str | None:
    try:
        return told_pending(settings)
    except LakeError as error:
        return str(error)


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
        retries=record.n_retries,
        new_versions=sum(model.versions for model in record.models.values()),
        deletions=sum(model.deleted for model in record.models.values()),
        quarantined=sum(feed.quarantined for feed in record.feeds.values()),
        unknown_words=sum(record.unknown.values()),
        odd_parts=record.odd,
        unannounced_changes=record.n_unannounced,
    )
