"""Extract: what JOIN lists goes to the spool, page by page; records that are missing are looked at one by one.

Belongs here: one feed: which of its listings are read, when they are whole, where a resumed one goes on. Not here:
sending (join_api), which feeds in which order (reading), what payloads mean (mapping).
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from join_pipeline.errors import NotFoundError, RefusedError
from join_pipeline.join_api.client import JoinClient, Page
from join_pipeline.join_api.feeds import Feed
from join_pipeline.lake.raw import RawRow, Spool
from join_pipeline.lake.record import FeedRecord

Progress = Callable[[str, int], None]
"""Called with a feed's name and how many of its records came so far."""

KEPT: Final = "kept"
FOUND: Final = 200
NOT_FOUND: Final = 404
MAX_PASSES: Final = 10
MAX_READINGS: Final = 5
LOOKS_IN_FLIGHT: Final = 8


def no_progress(_feed: str, _records: int) -> None:
    """For callers that do not watch."""


@dataclass(slots=True)
class Extraction:
    """One feed being extracted into the spool, and its figures."""

    client: JoinClient
    feed: Feed
    spool: Spool
    record: FeedRecord
    progress: Progress = no_progress
    _started: float = field(default_factory=time.monotonic)

    def read_whole(self, is_enough: Callable[[str], bool] = lambda _listing: True) -> None:
        """The plain list, again and again until a reading is enough, and one per status.

        A status that JOIN refuses is not offered.
        """
        for n in range(1, MAX_READINGS + 1):
            self._list(f"all-{n}", {})
            if is_enough(f"all-{n}"):
                break
        for status in self.feed.per_status:
            try:
                self._list(f"status={status}", {"status": status})
            except RefusedError:
                continue
        self.record.is_whole = True

    def read_since(self, since: datetime) -> bool:
        """What was updated at or after `since`, again and again until a pass brings nothing unseen. False if none did.

        Pages in order and one at a time: a record that is updated meanwhile moves, and the next pass meets it.
        """
        if self.feed.since is None:
            raise ValueError(f"{self.feed.name} can't be filtered by update")
        params = {self.feed.since: since.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", **self.feed.params}
        seen: set[tuple[str | None, str | None]] = set()
        for _ in range(MAX_PASSES):
            came = set()
            for page in self.client.pages(self.feed.path, params, in_flight=1):
                self.take(page, "since")
                came |= {(record.id, record.updated) for record in page.records}
            if came <= seen:
                return True
            seen |= came
        return False

    def take_whole(self, page: Page, kept: Iterable[RawRow] = ()) -> None:
        """A list that is not paged and has come already, on top of what is kept of the one before."""
        for row in kept:
            self.spool.add(self.feed.name, row._replace(sync_id=self.spool.state.sync_id, listing=KEPT))
        self.take(page, "all")
        self.record.is_whole = True
        self.finish()

    def take(self, page: Page, listing: str) -> None:
        """Keep one page."""
        for record in page.records:
            self._keep(listing, page.number, record.id, FOUND, page.fetched_at, record.payload)
        self.record.pages += 1
        self.record.records += len(page.records)
        self.record.bytes += page.n_bytes
        self.progress(self.feed.name, self.record.records)

    def look(self, remote_ids: Iterable[str], *, believes_absence: bool = True) -> None:
        """Ask for records by their own ids, several at a time.

        A 404 is an answer too, and kept where a whole listing lacked the record as well.
        """
        pool = ThreadPoolExecutor(LOOKS_IN_FLIGHT, thread_name_prefix="join-look")
        try:
            for remote_id, body, fetched_at in pool.map(self._look_at, remote_ids):
                if body or believes_absence:
                    self._keep("look", 0, remote_id, FOUND if body else NOT_FOUND, fetched_at, body)
                self.record.looks += 1
                self.record.bytes += len(body or b"")
        finally:
            # an error, or Ctrl-C, does not wait for looks that wait for the rate limit
            pool.shutdown(wait=False, cancel_futures=True)

    def finish(self) -> None:
        """Write what is held, and note how long it all took."""
        self.spool.flush(self.feed.name)
        self.record.seconds = round(time.monotonic() - self._started, 3)

    def _list(self, listing: str, params: dict[str, str]) -> None:
        """One listing of a whole reading; one that was read before is not read again, one that was begun goes on."""
        name = self.feed.name
        if self.spool.is_done(name, listing):
            return
        # the last page that was kept may have been kept in part, and the list may have shifted by now
        first = max(1, self.spool.last_page(name, listing) - 1)
        for page in self.client.pages(self.feed.path, {**self.feed.params, **params}, first=first):
            self.take(page, listing)
        self.spool.mark(name, listing)

    def _keep(
        self, listing: str, page: int, remote_id: str | None, status: int, at: datetime, body: bytes | None
    ) -> None:
        text = None if body is None else body.decode(errors="replace")
        state = self.spool.state
        # a server whose clock was set back: nothing is observed before its sync began
        row = RawRow(state.sync_id, listing, page, remote_id, status, max(at, state.started_at), text)
        self.spool.add(self.feed.name, row)

    def _look_at(self, remote_id: str) -> tuple[str, bytes | None, datetime]:
        try:
            body, fetched_at = self.client.get(self.feed.record_path(remote_id))
        except NotFoundError:
            return remote_id, None, self.client.clock.latest()
        return remote_id, body, fetched_at
