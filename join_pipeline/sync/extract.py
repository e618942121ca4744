"""Extract: what a feed's listings and looks give goes to the spool, and is counted.

Belongs here: keeping what came. Not here: asking for it, in which order (a source), what payloads mean (its mapping).
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from join_pipeline.http.pages import Page
from join_pipeline.lake.raw import RawRow, Spool
from join_pipeline.lake.record import FeedRecord
from join_pipeline.sources.feed import Feed

Progress = Callable[[str, int], None]
"""Called with a feed's name and how many of its records came so far."""

Look = tuple[str, bytes | None, datetime]
"""A record's own id, its payload or None where the source does not have it, and when that was."""

KEPT: Final = "kept"
FOUND: Final = 200
NOT_FOUND: Final = 404


def no_progress(_feed: str, _records: int) -> None:
    """For callers that do not watch."""


@dataclass(slots=True)
class Extraction:
    """One feed being extracted into the spool, and its figures."""

    feed: Feed
    spool: Spool
    record: FeedRecord
    progress: Progress = no_progress
    _started: float = field(default_factory=time.monotonic)

    def take(self, page: Page, listing: str) -> None:
        """Keep one page."""
        for record in page.records:
            self._keep(listing, page.number, record.id, FOUND, page.fetched_at, record.payload)
        self.record.pages += 1
        self.record.records += len(page.records)
        self.record.bytes += page.n_bytes
        self.progress(self.feed.name, self.record.records)

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

    def _keep(
        self, listing: str, page: int, record_id: str | None, status: int, at: datetime, body: bytes | None
    ) -> None:
        text = None if body is None else body.decode(errors="replace")
        state = self.spool.state
        # a server whose clock was set back: nothing is observed before its sync began
        row = RawRow(state.sync_id, listing, page, record_id, status, max(at, state.started_at), text)
        self.spool.add(self.feed.name, row)
