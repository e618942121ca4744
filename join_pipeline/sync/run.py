"""One sync, from the plan to the commit.

Belongs here: the order of the steps, resuming, the sync record. Not here: the steps themselves.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

import duckdb

from join_pipeline.errors import AccountError, SettingsError
from join_pipeline.lake.compaction import compact, retire
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.raw import RawRow, Spool, SpoolState, begin_spool, left_spool, read_raw
from join_pipeline.lake.record import Files, LastFull, SyncRecord, sync_id_of
from join_pipeline.lake.sql import scratch
from join_pipeline.lake.upgrade import upgrade
from join_pipeline.sources.base import Session, Source
from join_pipeline.sources.feed import RawOf, guarded
from join_pipeline.sync.account import check_account, has_read
from join_pipeline.sync.derive import derive, mapped_since
from join_pipeline.sync.extract import Extraction, Progress, no_progress
from join_pipeline.sync.plan import AskedMode, Plan, is_widened, plan
from join_pipeline.sync.settings import SyncSettings
from join_pipeline.sync.workspace import Workspace

TICK: Final = timedelta(milliseconds=1)


def run_sync(
    source: Source,
    settings: SyncSettings,
    mode: AskedMode = "auto",
    *,
    accept_loss: Collection[str] = (),
    accept_account: bool = False,
    progress: Progress = no_progress,
    within: AbstractContextManager[None] | None = None,
    sleep: Callable[[float], None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> SyncRecord:
    """Sync the lake with the source and return the committed record. `sleep` and `monotonic` are the client's.

    `within` is entered when the sync holds the lock, before its first request, and left when it has committed.

    Raises a `PipelineError` if the sync fails. Then nothing is committed, and the lake is as it was. The next full sync
    resumes from the spool of a full sync that failed.
    """
    for feed in accept_loss:
        if feed not in (known := guarded(source.feeds)):
            raise SettingsError(f"--accept-loss takes {', '.join(known)}, not {feed!r}.")
    if accept_account and mode != "full":
        raise SettingsError("Another account is accepted by a sync of mode full only, as others read what changed.")
    with source.session(sleep, monotonic) as session, locked(settings.home), within or nullcontext():
        asked_at = monotonic()
        session.greet()
        lake = open_lake(settings.lake, settings.lake_seed, source=source.name, create=True)
        upgrade(lake, settings.builds, settings.memory_limit)
        previous = lake.newest()
        started_at = session.client.clock.when_asked(asked_at)
        if previous is not None:
            started_at = max(started_at, previous.started_at + TICK)
        widened = is_widened(source.only_created, previous)
        planned = plan(source, mode, previous, previous.last_full if previous else None, started_at, is_widened=widened)
        with scratch(settings.builds, settings.memory_limit) as con:
            spool = _spool(con, source, session, settings, planned, previous, started_at)
            record = _record(source, spool, planned, previous)
            record.only_created = source.only_created
            record.max_age_seconds = source.max_age.total_seconds()
            record.clock_skew_seconds = round(session.client.clock.skew.total_seconds(), 1)
            workspace = Workspace(con, lake.path, record.files, record.started_at)
            workspace.open()
            limit = settings.max_second_looks
            extraction = Extraction(
                con, spool, record, previous, limit, accept_loss, progress, _raw_of(source, lake, record)
            )
            session.extract(extraction, planned)
            try:
                check_account(con, spool, source, session, accept_loss)
            except AccountError:
                if not accept_account:
                    shutil.rmtree(spool.folder)  # a later sync must not resume from it
                    raise
                record.reason += ", another account accepted"
            _store(source, lake, spool, record)
            derive(source, workspace, lake.ids, record, previous, _raw_of(source, lake, record))
            _move_watermarks(record)
            compact(con, lake.path, record, settings.raw_days)
            lists = {feed.name for feed in source.feeds if feed.is_reference}
            retire(con, lake.path, record, settings.raw_days, lists)
        if record.mode == "full" and record.verdict == "committed":
            record.last_full = LastFull(started_at=record.started_at, n_unannounced=record.n_unannounced)
        record.n_requests, record.n_retries = session.client.n_requests, session.client.n_retries
        record.finished_at = max(session.client.clock.earliest(), record.started_at)
        lake.commit(record)
        shutil.rmtree(spool.folder, ignore_errors=True)
        lake.remove_unlisted(previous, record)
        lake.fold_records()
        return record


def _spool(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    session: Session,
    settings: SyncSettings,
    planned: Plan,
    previous: SyncRecord | None,
    started_at: datetime,
) -> Spool:
    """The spool of an interrupted full sync, if it is young and no sync was committed since; else a new spool.

    If it had another address or other credentials, the account must still show what the interrupted sync has read.

    Its age is measured to the upper bound of the server time. `started_at` is a lower bound: if the first
    response of this sync was slow, it may lie before the start of the interrupted sync.
    """
    folder = settings.builds / "spool"
    before = previous.sync_id if previous else None
    left = left_spool(con, folder) if planned.mode == "full" else None
    if left is not None and left.state.mode == "full" and left.state.previous == before:
        age = session.client.clock.latest() - left.state.started_at
        if timedelta(0) <= age <= timedelta(hours=settings.resume_hours) and has_read(left, source, session):
            return left
    state = SpoolState(sync_id=sync_id_of(started_at), previous=before, mode=planned.mode, started_at=started_at)
    state.salt = secrets.token_hex(16)
    state.reader = session.client.mark(state.salt)
    return begin_spool(con, folder, state)


def _record(source: Source, spool: Spool, planned: Plan, previous: SyncRecord | None) -> SyncRecord:
    """The record of a sync that begins. It starts with the files and pending looks of the previous record."""
    state = spool.state
    return SyncRecord(
        sync_id=state.sync_id,
        previous=state.previous,
        mode=planned.mode,
        reason=planned.reason + (", resumed" if state.done else ""),
        started_at=state.started_at,
        finished_at=state.started_at,
        # as_of never goes back, even if the server's clock was set back
        as_of=max(state.started_at, previous.as_of) if previous else state.started_at,
        mapping_version=source.mapping_version,
        mapped_since=mapped_since(source, previous, state.sync_id),
        package_version=version("join-pipeline"),
        # copies, because the previous record must not change
        pending=dict(previous.pending) if previous else {},
        last_full=previous.last_full if previous else None,
        files=previous.files.copy() if previous else Files(),
    )


def _move_watermarks(record: SyncRecord) -> None:
    """Move the watermark of each feed that was read whole, and count its pending looks.

    The count stays when old records are folded; the ids do not.
    """
    for name, figures in record.feeds.items():
        figures.listed_since = record.started_at if figures.is_whole else figures.listed_since
        figures.pending_looks = len(record.pending.get(name, ()))


def _store(source: Source, lake: Lake, spool: Spool, record: SyncRecord) -> None:
    """Write the spool's rows to raw. If a reference list was not fetched, its last file stays in force."""
    for feed in source.feeds:
        record.files.raw.setdefault(feed.name, []).extend(spool.store(lake.path, feed.name))


def _raw_of(source: Source, lake: Lake, record: SyncRecord) -> RawOf:
    """This sync's raw rows by feed. For a reference list, the rows of the last list that was fetched."""
    references = {feed.name for feed in source.feeds if feed.is_reference}

    def rows(feed: str) -> Iterable[RawRow]:
        files = record.files.raw.get(feed, [])
        mine = files[-1:] if feed in references else [file for file in files if file.sync_id == record.sync_id]
        return read_raw(lake.listed(mine))

    return rows
