"""Extract: what JOIN lists goes to raw, page by page; records that are missing are looked at one by one.

Belongs here: which listings of a feed are read and when they are whole. Not here: sending (join_api), what payloads
mean (mapping), what is new or gone (fold).
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
from join_pipeline.lake.raw import RawRow, RawWriter
from join_pipeline.lake.record import FeedRecord

Progress = Callable[[str, int], None]
"""Called with a feed's name and how many of its records came so far."""

FOUND: Final = 200
NOT_FOUND: Final = 404
MAX_PASSES: Final = 10
LOOKS_IN_FLIGHT: Final = 8


def no_progress(_feed: str, _records: int) -> None:
    """For callers that do not watch."""


@dataclass(slots=True)
class Extraction:
    """One feed being extracted into raw, and its figures."""

    client: JoinClient
    feed: Feed
    writer: RawWriter
    progress: Progress = no_progress
    record: FeedRecord = field(default_factory=FeedRecord)
    _started: float = field(default_factory=time.monotonic)

    def read_whole(self) -> None:
        """The plain list, and one per status. A status that JOIN refuses is not offered."""
        self._list("all", {})
        for status in self.feed.per_status:
            try:
                self._list(f"status={status}", {"status": status})
            except RefusedError:
                continue
        self.record.is_whole = True

    def read_since(self, since: datetime) -> None:
        """What was updated at or after `since`, again and again until a pass brings nothing unseen.

        Pages in order and one at a time: a record that is updated meanwhile moves, and the next pass meets it.
        """
        if self.feed.since is None:
            raise ValueError(f"{self.feed.name} can't be filtered by update")
        params = {self.feed.since: since.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}
        seen: set[tuple[str | None, str | None]] = set()
        for _ in range(MAX_PASSES):
            came = self._list("since", params, in_flight=1)
            if came <= seen:
                break
            seen |= came
        self.record.is_whole = True

    def take_whole(self, page: Page) -> None:
        """A list that is not paged and has come already."""
        self.take(page, "all")
        self.record.is_whole = True
        self.finish()

    def take(self, page: Page, listing: str) -> None:
        """Write one page to raw."""
        for record in page.records:
            payload = record.payload.decode()
            self.writer.add(RawRow(listing, page.number, record.id, FOUND, page.fetched_at, payload))
        self.record.pages += 1
        self.record.records += len(page.records)
        self.record.bytes += page.n_bytes
        self.progress(self.feed.name, self.record.records)

    def look(self, remote_ids: Iterable[str]) -> None:
        """Ask for records by their own ids, several at a time. A 404 is an answer too."""
        with ThreadPoolExecutor(LOOKS_IN_FLIGHT, thread_name_prefix="join-look") as pool:
            for row in pool.map(self._look_at, remote_ids):
                self.writer.add(row)
                self.record.looks += 1
                self.record.bytes += len(row.payload or "")

    def finish(self) -> None:
        """Write what is held, and note how long it all took."""
        self.writer.flush()
        self.record.seconds = round(time.monotonic() - self._started, 3)

    def _list(
        self, listing: str, params: dict[str, str], in_flight: int | None = None
    ) -> set[tuple[str | None, str | None]]:
        came = set()
        for page in self.client.pages(self.feed.path, {**self.feed.params, **params}, in_flight=in_flight):
            self.take(page, listing)
            if listing == "since":
                came |= {(record.id, record.updated) for record in page.records}
        return came

    def _look_at(self, remote_id: str) -> RawRow:
        try:
            body, fetched_at = self.client.get(self.feed.record_path(remote_id))
        except NotFoundError:
            return RawRow("look", 0, remote_id, NOT_FOUND, self.client.clock.latest(), None)
        return RawRow("look", 0, remote_id, FOUND, fetched_at, body.decode())
