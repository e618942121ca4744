"""Reading: what a source reads against. What is known and came so far, what the guard says, who gets a second look.

Belongs here: what every source needs while it reads. Not here: the order of its requests (a source), one feed's records
(extract), what payloads mean for the models (its fold).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb

from join_pipeline.lake.raw import Spool
from join_pipeline.lake.record import FeedRecord, Objection, SyncRecord
from join_pipeline.lake.sql import files_literal
from join_pipeline.sources.feed import Feed, RawOf
from join_pipeline.sync.extract import Extraction, Progress
from join_pipeline.sync.known import live_keys
from join_pipeline.sync.plan import guard_objects

LOOKS_AGAIN: Final = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """One sync's reading. Needs `versions_*` in the scratch database; fills the spool and the record."""

    con: duckdb.DuckDBPyConnection
    spool: Spool
    record: SyncRecord
    previous: SyncRecord | None
    max_second_looks: int
    accept_loss: Collection[str]
    progress: Progress
    in_force: RawOf
    """The rows of a reference list that are in force."""

    def extraction(self, feed: Feed) -> Extraction:
        """A feed's extraction, with the figures of a sync that is resumed."""
        figures = self.spool.state.feeds.setdefault(feed.name, FeedRecord())
        before = self.previous.feeds.get(feed.name) if self.previous else None
        figures.listed_since = before.listed_since if before else None
        figures.key = feed.key
        self.record.feeds[feed.name] = figures
        return Extraction(feed, self.spool, figures, self.progress)

    def known(self, feed: Feed) -> str:
        """SQL of what is known to be live."""
        return live_keys(feed.name, feed.key)

    def listed(self, feed: Feed) -> str:
        """SQL of the ids that came so far. A record that breaks the contract came too."""
        return f"SELECT record_id FROM {self.rows(feed)} WHERE status = 200"

    def rows(self, feed: Feed) -> str:
        """SQL of the raw rows that came so far."""
        self.spool.flush(feed.name)
        parts = self.spool.parts(feed.name)
        if not parts:
            texts = ", ".join(f"NULL::VARCHAR AS {column}" for column in ("record_id", "listing", "payload"))
            return f"(SELECT {texts}, 0 AS status WHERE false)"
        return f"read_parquet({files_literal(parts)})"

    def ids(self, query: str) -> set[str]:
        """What a query of one column gives."""
        return {row[0] for row in self.con.execute(query).fetchall()}

    def missing(self, extraction: Extraction) -> list[str] | None:
        """Known live records that the listing lacks; None, and a verdict, where the guard objects."""
        known, listed = self.known(extraction.feed), self.listed(extraction.feed)
        missing = sorted(self.ids(f"{known} EXCEPT {listed}"))
        return None if self.is_guarded(extraction, len(missing), extraction.record.records) else missing

    def is_guarded(self, extraction: Extraction, n_missing: int, n_listed: int) -> bool:
        """Whether the guard objects to the loss of so many known records. Then that is the sync's verdict."""
        feed = extraction.feed
        n_known = self.con.execute(f"SELECT count(*) FROM ({self.known(feed)})").fetchall()[0][0]
        objection = guard_objects(feed.name, n_known, n_missing, n_listed, self.accept_loss)
        if objection is not None:
            self.object_to(extraction, objection)
        return objection is not None

    def object_to(self, extraction: Extraction, objection: str) -> None:
        """Keep what is known of a feed, and say why."""
        self.record.verdict = "guarded"
        self.record.objections.append(Objection(feed=extraction.feed.name, reason=objection))
        extraction.record.is_whole = False

    def second_looks(self, extraction: Extraction, missing: list[str] | None, named: Collection[str] = ()) -> list[str]:
        """Who gets a second look: what was put off last time first, the rest is put off again.

        Where the guard objects nobody is looked at who could be lost by it, and what was put off stays so. `named` are
        looked at whatever their number.
        """
        feed = extraction.feed
        if missing is None:
            return sorted(set(named) - self.ids(self.known(feed)))
        put_off = set(self.record.pending.pop(feed.name, ()))
        ordered = sorted(missing, key=lambda record_id: (record_id not in put_off, record_id))
        looked = {*ordered[: self.max_second_looks], *named}
        if rest := [record_id for record_id in ordered if record_id not in looked]:
            self.record.pending[feed.name] = rest
        return sorted(looked)

    def put_off(self, extraction: Extraction, unsure: Collection[str]) -> None:
        """Who got a look that told nothing comes first in the next full sync."""
        if unsure:
            feed = extraction.feed
            self.record.pending[feed.name] = sorted({*self.record.pending.get(feed.name, ()), *unsure})

    def unread_before(self, extraction: Extraction) -> list[str]:
        """Records that broke the contract when they last came and did not come now: worth a look, a few at a time.

        Few, since some may stay broken for ever; the next full sync reads the rest.
        """
        feed = extraction.feed
        before = self.previous.feeds.get(feed.name) if self.previous else None
        looked = sorted(set(before.unread if before else ()) - self.ids(self.listed(feed)))
        return looked[: min(LOOKS_AGAIN, self.max_second_looks)]

    def forget_pending(self, extraction: Extraction) -> None:
        """What was put off and came meanwhile is no longer missing."""
        feed = extraction.feed
        put_off = self.record.pending.pop(feed.name, None)
        if put_off and (rest := sorted(set(put_off) - self.ids(self.listed(feed)))):
            self.record.pending[feed.name] = rest

    def end(self, latest: datetime, feeds: Collection[Feed]) -> None:
        """Note until when the sync knows.

        What was read before a sync was resumed was timed by another process, whose bounds may have been wider.
        """
        parts = [self.spool.parts(feed.name) for feed in feeds]
        query = "SELECT max(fetched_at) FROM read_parquet({})"
        fetched = [self.con.execute(query.format(files_literal(paths))).fetchall()[0][0] for paths in parts if paths]
        self.record.as_of = max(self.record.as_of, latest, *fetched)
