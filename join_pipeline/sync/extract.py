"""Extract: what a source's listings and looks give is kept in the spool, and held against what is known.

Belongs here: keeping and counting what came, what the guard says, who gets a second look. Not here: asking for it,
in which order (a source), what payloads mean (its mapping).
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
"""Called with a feed's name and how many of its records came so far."""

Look = tuple[str, bytes | None, datetime]
"""A record's own id, its payload or None where the source does not have it, and when that was."""

KEPT: Final = "kept"
FOUND: Final = 200
NOT_FOUND: Final = 404
LOOKS_AGAIN: Final = 20


def no_progress(_feed: str, _records: int) -> None:
    """For callers that do not watch."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """One sync's extraction. Fills the spool and the record. Needs the views `versions_<model>` of the workspace.

    `in_force` gives the rows of a reference list that are in force.
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
        """A feed's part of it, with the figures of a sync that is resumed."""
        figures = self.spool.state.feeds.setdefault(feed.name, FeedRecord())
        before = self.before(feed)
        figures.listed_since = before.listed_since if before else None
        figures.key = feed.key
        self.record.feeds[feed.name] = figures
        return FeedExtraction(self, feed, figures)

    def before(self, feed: Feed) -> FeedRecord | None:
        """The feed's figures in the last sync."""
        return self.previous.feeds.get(feed.name) if self.previous else None

    def ids(self, query: str) -> set[str]:
        """What a query of one column gives."""
        return {row[0] for row in self.con.execute(query).fetchall()}

    def count(self, query: str) -> int:
        """How many rows a query gives."""
        return int(self.con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])

    def end(self, latest: datetime, feeds: Collection[Feed]) -> None:
        """Note until when the sync knows.

        What was read before a sync was resumed was timed by another process, whose bounds may have been wider.
        """
        parts = [self.spool.parts(feed.name) for feed in feeds]
        query = "SELECT max(fetched_at) FROM read_parquet({})"
        fetched = [self.con.execute(query.format(files_literal(paths))).fetchall()[0][0] for paths in parts if paths]
        self.record.as_of = max(self.record.as_of, latest, *fetched)


@dataclass(slots=True)
class FeedExtraction:
    """One feed's part of an extraction: its figures, and what of it came so far."""

    sync: Extraction
    feed: Feed
    record: FeedRecord
    _started: float = field(default_factory=time.monotonic)

    @property
    def spool(self) -> Spool:
        return self.sync.spool

    def take(self, page: Page, listing: str) -> None:
        """Keep one page."""
        for record in page.records:
            self._keep(listing, page.number, record.id, FOUND, page.fetched_at, record.payload)
        self.record.pages += 1
        self.record.records += len(page.records)
        self.record.bytes += page.n_bytes
        self.sync.progress(self.feed.name, self.record.records)

    def take_whole(self, page: Page, kept: Iterable[RawRow] = ()) -> None:
        """A list that is not paged and has come already, on top of what is kept of the one before."""
        for row in kept:
            self.spool.add(self.feed.name, row._replace(sync_id=self.spool.state.sync_id, listing=KEPT))
        self.take(page, "all")
        self.record.is_whole = True
        self.finish()

    def take_looks(self, looks: Iterable[Look], *, believes_absence: bool = True) -> None:
        """Keep answers about single records.

        That there is none is an answer too, and kept where a whole listing lacked the record as well.
        """
        for record_id, body, fetched_at in looks:
            if body or believes_absence:
                self._keep("look", 0, record_id, FOUND if body else NOT_FOUND, fetched_at, body)
            self.record.looks += 1
            self.record.bytes += len(body or b"")

    def finish(self) -> None:
        """Write what is held, and note how long it all took."""
        self.spool.flush(self.feed.name)
        self.record.seconds = round(time.monotonic() - self._started, 3)

    @property
    def known(self) -> str:
        """SQL of the keys of what is known to be live."""
        return live_keys(self.feed.name, self.feed.key)

    @property
    def listed(self) -> str:
        """SQL of the ids that came so far. A record that breaks the contract came too."""
        return f"SELECT record_id FROM {self.rows} WHERE status = {FOUND}"

    @property
    def rows(self) -> str:
        """SQL of the raw rows that came so far."""
        self.spool.flush(self.feed.name)
        parts = self.spool.parts(self.feed.name)
        if not parts:
            texts = ", ".join(f"NULL::VARCHAR AS {column}" for column in ("record_id", "listing", "payload"))
            return f"(SELECT {texts}, 0 AS status WHERE false)"
        return f"read_parquet({files_literal(parts)})"

    def missing(self) -> list[str] | None:
        """Known live records that the listing lacks; None, and a verdict, where the guard objects."""
        missing = sorted(self.sync.ids(f"{self.known} EXCEPT {self.listed}"))
        return None if self.is_guarded(len(missing), self.record.records) else missing

    def is_guarded(self, n_missing: int, n_listed: int) -> bool:
        """Whether the guard objects to the loss of so many known records. Then that is the sync's verdict."""
        n_known = self.sync.count(self.known)
        objection = guard_objects(self.feed.name, n_known, n_missing, n_listed, self.sync.accept_loss)
        if objection is not None:
            self.object_to(objection)
        return objection is not None

    def object_to(self, objection: str) -> None:
        """Keep what is known of a feed, and say why."""
        self.sync.record.verdict = "guarded"
        self.sync.record.objections.append(Objection(feed=self.feed.name, reason=objection))
        self.record.is_whole = False

    def second_looks(self, missing: list[str] | None, named: Collection[str] = ()) -> list[str]:
        """Who gets a second look: what was put off last time first, the rest is put off again.

        Where the guard objects nobody is looked at who could be lost by it, and what was put off stays so. `named` are
        looked at whatever their number.
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
        """Who got a look that told nothing comes first in the next full sync."""
        if unsure:
            self.sync.record.pending[self.feed.name] = sorted(
                {*self.sync.record.pending.get(self.feed.name, ()), *unsure}
            )

    def unread_before(self) -> list[str]:
        """Records that broke the contract when they last came and did not come now: worth a look, a few at a time.

        Few, since some may stay broken for ever; the next full sync reads the rest.
        """
        before = self.sync.before(self.feed)
        looked = sorted(set(before.unread if before else ()) - self.sync.ids(self.listed))
        return looked[: min(LOOKS_AGAIN, self.sync.max_second_looks)]

    def forget_pending(self) -> None:
        """What was put off and came meanwhile is no longer missing."""
        put_off = self.sync.record.pending.pop(self.feed.name, None)
        if put_off and (rest := sorted(set(put_off) - self.sync.ids(self.listed))):
            self.sync.record.pending[self.feed.name] = rest

    def _keep(
        self, listing: str, page: int, record_id: str | None, status: int, at: datetime, body: bytes | None
    ) -> None:
        text = None if body is None else body.decode(errors="replace")
        state = self.spool.state
        # a server whose clock was set back: nothing is observed before its sync began
        row = RawRow(state.sync_id, listing, page, record_id, status, max(at, state.started_at), text)
        self.spool.add(self.feed.name, row)
