"""One sync, from the plan to the commit.

Belongs here: the order of the steps, resuming, the sync record. Not here: the steps themselves.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from operator import attrgetter
from typing import Final

import duckdb

from join_pipeline.errors import AccountError, SettingsError
from join_pipeline.http.server_clock import MOST_SKEW, ServerClock
from join_pipeline.lake.compaction import compact, drop_before, drop_raw, retire
from join_pipeline.lake.erased import erased_list
from join_pipeline.lake.files import locked
from join_pipeline.lake.future import put_right
from join_pipeline.lake.integrity import drop_lost
from join_pipeline.lake.lake import IDENTITY, Lake, open_lake
from join_pipeline.lake.raw import RawRow, Spool, SpoolState, begin_spool, left_spool, read_raw
from join_pipeline.lake.receipts import note_sync
from join_pipeline.lake.record import Files, LastFull, LostFile, SyncRecord, sync_id_after, sync_id_of
from join_pipeline.lake.sql import scratch
from join_pipeline.lake.upgrade import upgrade
from join_pipeline.privacy import RAW
from join_pipeline.sources.base import Session, Source
from join_pipeline.sources.feed import RawOf, guarded
from join_pipeline.sync import clock as clocks
from join_pipeline.sync.account import check_account, has_read
from join_pipeline.sync.completeness import NOT_PROVED, is_proved
from join_pipeline.sync.derive import derive, mapped_since
from join_pipeline.sync.extract import Extraction, Progress, no_progress
from join_pipeline.sync.origin import carried, carries, named, refuse_older
from join_pipeline.sync.plan import AskedMode, Plan, is_widened, plan
from join_pipeline.sync.settings import SyncSettings
from join_pipeline.sync.unchanged import Unchanged
from join_pipeline.sync.workspace import Workspace

TICK: Final = timedelta(milliseconds=1)


def run_sync(
    source: Source,
    settings: SyncSettings,
    mode: AskedMode = "auto",
    *,
    accept_loss: Collection[str] = (),
    accept_account: bool = False,
    accept_source: bool = False,
    progress: Progress = no_progress,
    expect: Progress = no_progress,
    hold: AbstractContextManager[None] | None = None,
    sleep: Callable[[float], None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> SyncRecord:
    """Sync the lake with the source and return the committed record. `sleep` and `monotonic` are the client's.

    `hold` is entered before its first request and left when it has committed; without it, the sync holds the lock.

    Raises a `PipelineError` if the sync fails. Then nothing is committed, and the lake is as it was. The next full sync
    resumes from the spool of a full sync that failed.
    """
    _refuse_unfit(source, mode, accept_loss, {"account": accept_account, "source": accept_source})
    source = _of_lake(source, settings)
    with source.session(sleep, monotonic) as session, hold or locked(settings.home):
        erased = erased_list(settings.home)
        asked_at = monotonic()
        session.greet()
        lake = open_lake(
            settings.lake,
            settings.lake_seed,
            source=source.name,
            carries=carries(source),
            accept_source=accept_source,
            create=True,
        )
        lost = lake.folder.set_aside()
        upgrade(lake, settings.builds, settings.memory_limit)
        clock = session.client.clock
        previous, is_moved = _put_right(source, settings, lake, clock)
        now = started_at = clock.when_asked(asked_at)
        if previous is not None:
            started_at = max(started_at, previous.started_at + TICK)
            refuse_older(source, previous, now)
        planned = plan(
            source,
            mode,
            previous,
            previous.last_full if previous else None,
            now,
            is_widened=is_widened(source.only_created, previous),
            is_moved=is_moved,
            is_kept_otherwise=previous is not None and set(previous.kept_out) != settings.kept_out,
        )
        with scratch(settings.builds, settings.memory_limit) as con:
            state = SpoolState(
                sync_id=sync_id_after(started_at, previous.sync_id if previous else None),
                previous=previous.sync_id if previous else None,
                mode=planned.mode,
                started_at=started_at,
                changed_since=clock.changed_since(now),
                source=source.name,
                kept_out=sorted(settings.kept_out),
            )
            spool = _spool(con, source, session, settings, state, lost)
            record = _record(source, spool, planned, previous)
            record.integration_id = None if source.name == lake.source else settings.lake_seed
            if previous is not None and previous.source != source.name:
                record.reason += f", went on from {previous.source} to {source.name}"
            lists = frozenset(feed.name for feed in source.feeds if feed.is_reference)
            record.lost = lost + drop_lost(lake.path, record.files, lists)
            workspace = Workspace(con, lake.path, record.files, record.started_at)
            workspace.open()
            raw_of, limit = _raw_of(source, lake, record), settings.max_second_looks
            let_in = partial(source.door.let_in, kept_out=settings.kept_out)
            extraction = Extraction(
                con, spool, record, previous, limit, accept_loss, progress, raw_of, erased, expect, let_in
            )
            session.extract(extraction, planned)
            _check_account(extraction, source, session, is_accepted=accept_account)
            _store(source, lake, spool, record)
            unchanged = Unchanged.of_sync(source, lake, settings.builds, workspace, record)
            n_late = derive(source, workspace, lake.ids, record, previous, raw_of, unchanged=unchanged)
            _note_reading(source, record, spool, is_sure=is_proved(source, spool, record, previous, n_late))
            aged_by = clocks.retired_by(clock, previous, record.started_at)
            compact(con, lake.path, record, settings.raw_days, aged_by)
            retire(con, lake.path, record, settings.raw_days, lists, aged_by)
            is_stricter = _keep_out(con, lake, record, previous, lists)
            if unchanged is not None:
                unchanged.write()
        _forget_starts(record)
        _end(record, session, previous)
        lake.commit(record)
        if unchanged is not None:
            unchanged.settle(record)
        shutil.rmtree(spool.folder, ignore_errors=True)
        # what was written to put the lake right is merged by now, and nobody has read it; what is kept out has to go
        _tidy(settings, lake, record, None if is_stricter or (previous and previous.told_at) else previous)
        return record


def _refuse_unfit(source: Source, mode: AskedMode, accept_loss: Collection[str], accepts: Mapping[str, bool]) -> None:
    for feed in accept_loss:
        if feed not in (known := guarded(source.feeds)):
            raise SettingsError(f"--accept-loss takes {', '.join(known)}, not {feed!r}.")
    for name, is_accepted in accepts.items():
        if is_accepted and mode != "full":
            raise SettingsError(f"Another {name} is accepted by a sync of mode full only, as others read what changed.")


def _tidy(settings: SyncSettings, lake: Lake, record: SyncRecord, before: SyncRecord | None) -> None:
    """Remove what neither this record nor the one before lists, with a receipt, and fold old records."""
    note_sync(settings.home, lake, record, lake.unlisted(before, record))
    lake.remove_unlisted(before, record)
    lake.fold_records()


def _of_lake(source: Source, settings: SyncSettings) -> Source:
    """The source as this lake knows its records. A lake that is not there yet will be the source's own."""
    is_there = (settings.lake / IDENTITY).exists()
    return carried(source, open_lake(settings.lake)) if is_there else source


def _check_account(extraction: Extraction, source: Source, session: Session, *, is_accepted: bool) -> None:
    """Raise `AccountError` if the account is not the lake's, unless the user accepts that."""
    try:
        check_account(extraction.con, extraction.spool, source, session, extraction.accept_loss)
    except AccountError:
        if not is_accepted:
            shutil.rmtree(extraction.spool.folder)  # a later sync must not resume from it
            raise
        extraction.record.reason += ", another account accepted"


def _note_reading(source: Source, record: SyncRecord, spool: Spool, *, is_sure: bool) -> None:
    """Move the watermark of each feed that was read whole, and note a whole full sync.

    If that one does not prove that its list was complete, the next one has to.
    """
    filtered = {feed.name for feed in source.feeds if feed.is_incremental}
    for name, figures in record.feeds.items():
        before, state = figures.listed_since, spool.state
        moved = state.watermark_of(name, before) if name in filtered else state.watermark
        figures.listed_since = moved if figures.is_whole else before
    if record.mode == "full" and record.verdict == "committed":
        full = LastFull(started_at=record.started_at, n_unannounced=record.n_unannounced)
        record.last_full = full if is_sure else None
        record.reason += "" if is_sure else f"; {NOT_PROVED}"


def _end(record: SyncRecord, session: Session, previous: SyncRecord | None) -> None:
    """Note what is known once the sync has ended: its requests and its clock."""
    clock = session.client.clock
    record.clock_skew_seconds = round(clock.skew.total_seconds(), 1)
    record.clock = clocks.heard(clock, previous)
    record.n_requests, record.n_retries = session.client.n_requests, session.client.n_retries
    record.finished_at = max(clock.earliest(), record.started_at)


def _put_right(
    source: Source, settings: SyncSettings, lake: Lake, clock: ServerClock
) -> tuple[SyncRecord | None, bool]:
    """The newest record, after syncs that lie in the future were put right, and whether a clock was set back."""
    previous = named(lake.newest(), lake)
    if previous is not None and clocks.lies_ahead(clock, previous, source.title):
        put_right(lake, clock.latest(), MOST_SKEW, settings.builds, settings.memory_limit)
        return named(lake.newest(), lake), True
    return previous, clocks.is_set_back(clock, previous)


def _spool(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    session: Session,
    settings: SyncSettings,
    state: SpoolState,
    lost: list[LostFile],
) -> Spool:
    """The spool of an interrupted full sync, if it is young and no sync was committed since; else a new spool.

    If it had another address or other credentials, the account must still show what the interrupted sync has read.

    Its age is measured to the upper bound of the server time. The start of `state` is a lower bound: if the first
    response of this sync was slow, it may lie before the start of the interrupted sync. `lost` gets a damaged spool.
    """
    folder = settings.builds / "spool"
    left = left_spool(con, folder, lost) if state.mode == "full" else None
    if left is not None and _reads_the_same(left.state, state):
        age = session.client.clock.latest() - left.state.started_at
        if timedelta(0) <= age <= timedelta(hours=settings.resume_hours) and has_read(left, source, session):
            return left
    state.salt = secrets.token_hex(16)
    state.reader = session.client.mark(state.salt)
    return begin_spool(con, folder, state)


def _reads_the_same(left: SpoolState, state: SpoolState) -> bool:
    """Whether a full sync that was cut off read the same, and on top of the same sync."""
    of = attrgetter("mode", "source", "kept_out", "previous")
    return of(left) == of(state)


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
        source=source.name,
        only_created=source.only_created,
        max_age_seconds=source.max_age.total_seconds(),
        kept_out=state.kept_out,
        kept_out_since=_kept_out_since(state, previous),
        # copies, because the previous record must not change
        pending=dict(previous.pending) if previous else {},
        pending_since=dict(previous.pending_since) if previous else {},
        last_full=previous.last_full if previous else None,
        files=previous.files.copy() if previous else Files(),
        starts=_starts(state, previous),
    )


def _keep_out(
    con: duckdb.DuckDBPyConnection, lake: Lake, record: SyncRecord, previous: SyncRecord | None, lists: Collection[str]
) -> bool:
    """Drop what the choice of this sync keeps out. Returns whether the sync before it kept more."""
    is_stricter = previous is not None and not set(record.kept_out) <= set(previous.kept_out)
    if is_stricter:
        drop_before(con, lake.path, record, lists)
    if RAW in record.kept_out:
        drop_raw(record, lists)
    return is_stricter


def _kept_out_since(state: SpoolState, previous: SyncRecord | None) -> str:
    """The first sync with this choice of what is kept out; empty if nothing ever was."""
    if previous is None:
        return state.sync_id if state.kept_out else ""
    return previous.kept_out_since if previous.kept_out == state.kept_out else state.sync_id


def _starts(state: SpoolState, previous: SyncRecord | None) -> dict[str, datetime]:
    """The starts of syncs whose ids do not tell it."""
    known = dict(previous.starts) if previous else {}
    return known if sync_id_of(state.started_at) == state.sync_id else known | {state.sync_id: state.started_at}


def _forget_starts(record: SyncRecord) -> None:
    """Forget the starts of syncs that have no listed file any more."""
    if record.starts:
        listed = {
            file.sync_id for group in record.files.groups().values() for files in group.values() for file in files
        }
        record.starts = {sync_id: at for sync_id, at in record.starts.items() if sync_id in listed}


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
