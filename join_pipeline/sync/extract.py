"""Extract: storing what a source's listings and second looks return, and comparing it with the known records.

Belongs here: the rows of the spool, their counts, the guard, choosing second looks. Not here: sending requests and
their order (a source), what payloads mean (its mapping).
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import duckdb

from join_pipeline.http.pages import Page
from join_pipeline.lake.raw import RawRow, Spool
from join_pipeline.lake.record import FeedRecord, Objection, SyncRecord
from join_pipeline.lake.sql import files_literal
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sync.known import live_keys
from join_pipeline.sync.plan import guard_objects

Progress = Callable[[str, int], None]
"""A function that is called with a feed's name and the number of its records so far."""

Look = tuple[str, bytes | None, datetime]
"""A record's own id, its payload (None if the source does not have it), and when it was fetched."""

KEPT: Final = "kept"
FOUND: Final = 200
NOT_FOUND: Final = 404
LOOKS_AGAIN: Final = 20


def no_progress(_feed: str, _records: int) -> None:
    """The `Progress` of callers that show none."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """One sync's extraction. It fills the spool and the record, and needs the workspace's views `versions_<model>`.

    `in_force` returns the rows of a reference list that are in force.
    """

    con: duckdb.DuckDBPyConnection
    spool: Spool
    record: SyncRecord
    previous: SyncRecord | None
    max_second_looks: int
    accept_loss: Collection[str]
    progress: Progress
    in_force: RawOf

    def of(self, feed: Feed) -> "FeedExtraction":
        """The extraction of one feed. In a resumed sync it goes on with the figures so far."""
        figures = self.spool.state.feeds.setdefault(feed.name, FeedRecord())
        before = self.before(feed)
        figures.listed_since = before.listed_since if before else None
        figures.key = feed.key
        self.record.feeds[feed.name] = figures
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

    @property
    def spool(self) -> Spool:
        return self.sync.spool

    def take(self, page: Page, listing: str) -> None:
        """Store one page of a listing."""
        for record in page.records:
            self._keep(listing, page.number, record.id, FOUND, page.fetched_at, record.payload)
        self.record.pages += 1
        self.record.records += len(page.records)
        self.record.bytes += page.n_bytes
        self.sync.progress(self.feed.name, self.record.records)

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
            if body or believes_absence:
                self._keep("look", 0, record_id, FOUND if body else NOT_FOUND, fetched_at, body)
            self.record.looks += 1
            self.record.bytes += len(body or b"")

    def finish(self) -> None:
        """Write the rows in memory to the spool, and note how long the feed took."""
        self.spool.flush(self.feed.name)
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

        Records that were pending come first. Records in `named` get a look however many they are. If the guard objected
        (`missing` is None), known records get none, and pending records stay pending.
        """
        if missing is None:
            return sorted(set(named) - self.sync.ids(self.known))
        put_off = set(self.sync.record.pending.pop(self.feed.name, ()))
        ordered = sorted(missing, key=lambda record_id: (record_id not in put_off, record_id))
        looked = {*ordered[: self.sync.max_second_looks], *named}
        if rest := [record_id for record_id in ordered if record_id not in looked]:
            self.sync.record.pending[self.feed.name] = rest
        return sorted(looked)

    def put_off(self, unsure: Collection[str]) -> None:
        """Make records pending whose second look had no result. The next full sync takes them first."""
        if unsure:
            self.sync.record.pending[self.feed.name] = sorted(
                {*self.sync.record.pending.get(self.feed.name, ()), *unsure}
            )

    def unread_before(self) -> list[str]:
        """Unread records that this listing does not show. A look may read them now.

        At most 20, because some may stay broken for ever; the next full sync reads the others.
        """
        before = self.sync.before(self.feed)
        looked = sorted(set(before.unread if before else ()) - self.sync.ids(self.listed))
        return looked[: min(LOOKS_AGAIN, self.sync.max_second_looks)]

    def forget_pending(self) -> None:
        """Remove from the pending records those that the listing shows."""
        put_off = self.sync.record.pending.pop(self.feed.name, None)
        if put_off and (rest := sorted(set(put_off) - self.sync.ids(self.listed))):
            self.sync.record.pending[self.feed.name] = rest

    def _keep(
        self, listing: str, page: int, record_id: str | None, status: int, at: datetime, body: bytes | None
    ) -> None:
        text = None if body is None else body.decode(errors="replace")
        state = self.spool.state
        # nothing is observed before its sync began, even if the server's clock was set back
        row = RawRow(state.sync_id, listing, page, record_id, status, max(at, state.started_at), text)
        self.spool.add(self.feed.name, row)
