"""Extract: storing what a source's listings and second looks return, and comparing it with the known records.

Belongs here: the rows of the spool, their counts, the guard, choosing second looks. Not here: sending requests and
their order (a source), what payloads mean (its mapping).
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import duckdb

from join_pipeline.http.pages import Page, instant_of
from join_pipeline.lake.erased import ErasedList
from join_pipeline.lake.raw import RawRow, Spool
from join_pipeline.lake.record import FeedRecord, Objection, SyncRecord
from join_pipeline.lake.sql import files_literal
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sync.known import live_keys, live_undecided_keys
from join_pipeline.sync.plan import guard_objects

Progress = Callable[[str, int], None]
"""A function that is called with a feed's name and the number of its records so far. A list that is read twice counts
once. Before that, a full sync calls the function `expect` with the number that the feed may have, where it is known."""

Look = tuple[str, bytes | None, datetime]
"""A record's own id, its payload (None if the source does not have it), and when it was fetched."""

LetIn = Callable[[str, bytes], bytes]
"""A function that returns what may enter of a payload of this feed."""

KEPT: Final = "kept"
FOUND: Final = 200
NOT_FOUND: Final = 404
MOST_UNANSWERED: Final = 5
"""The most looks of a feed in one sync that may get neither a record nor the answer that it is not there."""
LOOKS_AGAIN: Final = 20
PENDING_AT_MOST: Final = timedelta(days=7)
"""Looks that are pending longer are taken however many they are: until then, nobody can be followed further."""


def no_progress(_feed: str, _records: int) -> None:
    """The `Progress` of callers that show none."""


def whole(_feed: str, body: bytes) -> bytes:
    """The `LetIn` of a sync that keeps nothing out."""
    return body


@dataclass(frozen=True, slots=True)
class Extraction:
    """One sync's extraction. It fills the spool and the record, and needs the workspace's views `versions_<model>`.

    `in_force` returns the rows of a reference list that are in force, `let_in` what may enter of a payload. What is of
    `erased` people reaches no file.
    """

    con: duckdb.DuckDBPyConnection
    spool: Spool
    record: SyncRecord
    previous: SyncRecord | None
    max_second_looks: int
    accept_loss: Collection[str]
    progress: Progress
    in_force: RawOf
    erased: ErasedList
    expect: Progress = no_progress
    let_in: LetIn = whole

    def of(self, feed: Feed) -> "FeedExtraction":
        """The extraction of one feed. In a resumed sync it goes on with the figures so far."""
        figures = self.spool.state.feeds.setdefault(feed.name, FeedRecord())
        before = self.before(feed)
        figures.listed_since = before.listed_since if before else None
        figures.key = feed.key
        self.record.feeds[feed.name] = figures
        known = self.previous.models.get(feed.name) if self.previous and self.record.mode == "full" else None
        if known is not None:
            self.expect(feed.name, known.live)
        return FeedExtraction(self, feed, figures)

    def before(self, feed: Feed) -> FeedRecord | None:
        """The feed's figures in the previous sync."""
        return self.previous.feeds.get(feed.name) if self.previous else None

    def ids(self, query: str) -> set[str]:
        """The values of a query of one column."""
        return {row[0] for row in self.con.execute(query).fetchall()}

    def count(self, query: str) -> int:
        """The number of a query's rows."""
        return int(self.con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])

    def end(self, latest: datetime, feeds: Collection[Feed]) -> None:
        """Set `as_of` of the record: not earlier than `latest` or any fetch of these feeds.

        In a resumed sync another process timed the first fetches, and its clock may have been ahead of this one's.
        """
        parts = [self.spool.parts(feed.name) for feed in feeds]
        query = "SELECT max(fetched_at) FROM read_parquet({})"
        fetched = [self.con.execute(query.format(files_literal(paths))).fetchall()[0][0] for paths in parts if paths]
        self.record.as_of = max(self.record.as_of, latest, *fetched)


@dataclass(slots=True)
class FeedExtraction:
    """The extraction of one feed: its figures, and its rows so far."""

    sync: Extraction
    feed: Feed
    record: FeedRecord
    _started: float = field(default_factory=time.monotonic)
    _listed: dict[str, int] = field(default_factory=dict)

    @property
    def spool(self) -> Spool:
        return self.sync.spool

    def take(self, page: Page, listing: str) -> None:
        """Store one page of a listing."""
        self._note_newest(page)
        kept = [self._keep(listing, page.number, one.id, FOUND, page.fetched_at, one.payload) for one in page.records]
        self.record.pages += 1
        self.record.records += sum(kept)  # a replay expects the raw of each record that is counted
        self.record.bytes += page.n_bytes
        self._listed[listing] = self._listed.get(listing, 0) + len(page.records)
        self.sync.progress(self.feed.name, max(self._listed.values()))

    def _note_newest(self, page: Page) -> None:
        """Note the latest update that the page shows. What lies later than the fetch is no instant of an update."""
        updates = (instant_of(record.updated) for record in page.records if record.updated)
        newest = self.spool.state.newest
        shown = [at for at in (*updates, newest.get(self.feed.name)) if at is not None and at <= page.fetched_at]
        if shown:
            newest[self.feed.name] = max(shown)

    def take_whole(self, page: Page, kept: Iterable[RawRow] = ()) -> None:
        """Store a whole list that has no pages, after the rows `kept` from the list before."""
        for row in kept:
            self.spool.add(self.feed.name, row._replace(sync_id=self.spool.state.sync_id, listing=KEPT))
        self.take(page, "all")
        self.record.is_whole = True
        self.finish()

    def take_looks(self, looks: Iterable[Look], *, believes_absence: bool = True) -> None:
        """Store the responses to second looks.

        A look that finds no record is stored if `believes_absence`: if a whole listing lacked the record, too.
        """
        for record_id, body, fetched_at in looks:
            if (body or believes_absence) and not self._keep(
                "look", 0, record_id, FOUND if body else NOT_FOUND, fetched_at, body
            ):
                continue
            self.record.looks += 1
            self.record.bytes += len(body or b"")

    def finish(self) -> None:
        """Write the rows in memory to the spool, count the pending looks, and note how long the feed took."""
        self.spool.flush(self.feed.name)
        self._count_pending()
        self.record.seconds = round(time.monotonic() - self._started, 3)

    @property
    def known(self) -> str:
        """SQL of the keys of the known live records."""
        return live_keys(self.feed.name, self.feed.key)

    @property
    def listed(self) -> str:
        """SQL of the ids of all fetched records, with those that break the contract."""
        return f"SELECT record_id FROM {self.rows} WHERE status = {FOUND}"

    @property
    def rows(self) -> str:
        """SQL of the raw rows so far."""
        self.spool.flush(self.feed.name)
        parts = self.spool.parts(self.feed.name)
        if not parts:
            texts = ", ".join(f"NULL::VARCHAR AS {column}" for column in ("record_id", "listing", "payload"))
            return f"(SELECT {texts}, 0 AS status WHERE false)"
        return f"read_parquet({files_literal(parts)})"

    def missing(self) -> list[str] | None:
        """The keys of known live records that the listing lacks; None if the guard objects, and the sync is guarded."""
        missing = sorted(self.sync.ids(f"{self.known} EXCEPT {self.listed}"))
        return None if self.is_guarded(len(missing), self.record.records) else missing

    def is_guarded(self, n_missing: int, n_listed: int) -> bool:
        """Whether the guard objects to the loss of so many known records. If it does, the sync is guarded."""
        n_known = self.sync.count(self.known)
        objection = guard_objects(self.feed.name, n_known, n_missing, n_listed, self.sync.accept_loss)
        if objection is not None:
            self.object_to(objection)
        return objection is not None

    def object_to(self, objection: str) -> None:
        """Make the sync guarded, with this objection to the feed. The feed's watermark stays."""
        self.sync.record.verdict = "guarded"
        self.sync.record.objections.append(Objection(feed=self.feed.name, reason=objection))
        self.record.is_whole = False

    def second_looks(self, missing: list[str] | None, named: Collection[str] = ()) -> list[str]:
        """The records that get a second look in this sync; the other missing records become pending.

        Records that were pending come first, then those without a decision: estimates end at the last sync that
        proved which undecided records are still there. Records in `named`, and those that are pending for more than
        seven days, get a look however many they are. If the guard objected (`missing` is None), known records get
        none, and pending records stay pending.
        """
        if missing is None:
            return sorted(set(named) - self.sync.ids(self.known))
        put_off = set(self.sync.record.pending.pop(self.feed.name, ()))
        since = self.sync.record.pending_since.pop(self.feed.name, None)
        undecided = self._undecided(missing)
        ordered = sorted(missing, key=lambda key: (key not in put_off, key not in undecided, key))
        limit = self.sync.max_second_looks
        is_overdue = since is not None and self.sync.record.started_at - since >= PENDING_AT_MOST
        overdue = put_off.intersection(missing) if is_overdue else set()
        looked = {*ordered[:limit], *overdue, *named}
        self._set_pending([key for key in ordered if key not in looked], put_off, since)
        return sorted(looked)

    def _count_pending(self) -> None:
        """Count the pending looks. The counts stay when old records are folded; the ids do not."""
        pending = self.sync.record.pending.get(self.feed.name, ())
        self.record.pending_looks, self.record.pending_undecided = len(pending), len(self._undecided(pending))

    def _undecided(self, keys: Collection[str]) -> set[str]:
        """Those of these known live records that have no decision; none if the feed's records have no outcome."""
        if self.feed.name != "applications" or not keys:
            return set()
        return self.sync.ids(live_undecided_keys(self.feed.name, self.feed.key)).intersection(keys)

    def _set_pending(self, keys: Collection[str], put_off: Collection[str], since: datetime | None) -> None:
        """Make these records the pending ones; `put_off` were so before, the oldest of them `since` then."""
        if not keys:
            return
        record = self.sync.record
        record.pending[self.feed.name] = sorted(keys)
        is_older = not set(put_off).isdisjoint(keys)
        since = min(since, record.started_at) if since and is_older else record.started_at
        record.pending_since[self.feed.name] = since

    def put_off(self, unsure: Collection[str]) -> None:
        """Make records pending whose second look had no result. The next full sync takes them first."""
        if unsure:
            put_off = self.sync.record.pending.get(self.feed.name, ())
            self._set_pending({*put_off, *unsure}, put_off, self.sync.record.pending_since.get(self.feed.name))

    def unread_before(self) -> list[str]:
        """Unread records that this listing does not show. A look may read them now.

        At most 20, because some may stay broken for ever; the next full sync reads the others.
        """
        before = self.sync.before(self.feed)
        looked = sorted(set(before.unread if before else ()) - self.sync.ids(self.listed))
        return looked[: min(LOOKS_AGAIN, self.sync.max_second_looks)]

    def forget_pending(self) -> None:
        """Remove from the pending records those that the listing shows."""
        put_off = self.sync.record.pending.pop(self.feed.name, ())
        since = self.sync.record.pending_since.pop(self.feed.name, None)
        self._set_pending(set(put_off) - self.sync.ids(self.listed) if put_off else (), put_off, since)

    def _keep(
        self, listing: str, page: int, record_id: str | None, status: int, at: datetime, body: bytes | None
    ) -> bool:
        """Store what may enter of a record, and return whether it was stored: one of an erased person is not."""
        text = None if body is None else body.decode(errors="replace")
        if self.sync.erased.holds_record(self.feed.name, self.feed.key, record_id, text, self.feed.people):
            return False
        if body is not None:
            text = self.sync.let_in(self.feed.name, body).decode(errors="replace")
        state = self.spool.state
        # nothing is observed before its sync began, even if the server's clock was set back
        row = RawRow(state.sync_id, listing, page, record_id, status, max(at, state.started_at), text)
        self.spool.add(self.feed.name, row)
        return True
