"""One feed of JOIN: which of its listings are read, when they are whole, where a resumed listing goes on.

Belongs here: choosing requests. Not here: sending (client), the order of feeds (extract), storing pages (sync).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from join_pipeline.errors import NotFoundError, RefusedError
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import JoinFeed
from join_pipeline.sync.extract import FeedExtraction, Look

MAX_PASSES: Final = 10
MAX_READINGS: Final = 5
LOOKS_IN_FLIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Listing:
    """Reads one feed."""

    client: JoinClient
    feed: JoinFeed
    extraction: FeedExtraction

    def read_whole(self, is_enough: Callable[[int], bool] = lambda _number: True) -> None:
        """Read the plain list until `is_enough`, at most five times, then the list of each status.

        JOIN rejects a status that it does not offer (422). That status is skipped.
        """
        for n in range(1, MAX_READINGS + 1):
            self._list(_reading(n), {})
            if is_enough(n):
                break
        for status in self.feed.per_status:
            try:
                self._list(f"status={status}", {"status": status})
            except RefusedError:
                continue
        self.extraction.record.is_whole = True

    def shows_what_was_there(self, number: int) -> bool:
        """Whether pass `number` over the list showed nothing that an earlier pass should have shown.

        A list that shifts while it is read can hide a record, and in a first sync no known record is missing then.
        Records that were updated since this sync began do not count: the sync reads them at its end.
        """
        if number == 1:
            return False
        sync = self.extraction.sync
        n_hidden = sync.con.execute(
            f"""WITH came AS (FROM {self.extraction.rows}),
            unseen AS (
                SELECT record_id FROM came WHERE listing = $listing
                EXCEPT SELECT record_id FROM came WHERE listing <> $listing
            )
            SELECT count(*) FROM came
            WHERE listing = $listing AND record_id IN (FROM unseen)
                AND try_cast(try(payload->>'$.lastUpdatedAt') AS TIMESTAMPTZ) < $started_at""",
            {"listing": _reading(number), "started_at": sync.spool.state.watermark},
        ).fetchall()
        return n_hidden == [(0,)]

    def read_since(self, since: datetime) -> bool:
        """Read what was updated at or after `since` until a pass shows nothing unseen; False if ten passes did not.

        Pages are read in order, one at a time. A record that is updated meanwhile moves, and the next pass shows it.
        """
        if self.feed.since is None:
            raise ValueError(f"{self.feed.name} can't be filtered by update")
        params = {self.feed.since: since.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", **self.feed.params}
        seen: set[tuple[str | None, str | None]] = set()
        for _ in range(MAX_PASSES):
            came = set()
            for page in self.client.pages(self.feed.path, params, in_flight=1):
                self.extraction.take(page, "since")
                came |= {(record.id, record.updated) for record in page.records}
            if came <= seen:
                return True
            seen |= came
        return False

    def look(self, remote_ids: Iterable[str], *, believes_absence: bool = True) -> None:
        """Fetch records by their own ids, several at a time."""
        self.extraction.take_looks(self._looks(remote_ids), believes_absence=believes_absence)

    def _looks(self, remote_ids: Iterable[str]) -> Iterator[Look]:
        pool = ThreadPoolExecutor(LOOKS_IN_FLIGHT, thread_name_prefix="join-look")
        try:
            yield from pool.map(self._look_at, remote_ids)
        finally:
            # after an error or Ctrl-C, do not wait for looks that still wait for the rate limit
            pool.shutdown(wait=False, cancel_futures=True)

    def _look_at(self, remote_id: str) -> Look:
        try:
            body, fetched_at = self.client.record(self.feed.record_path(remote_id), remote_id)
        except NotFoundError:
            return remote_id, None, self.client.clock.latest()
        return remote_id, body, fetched_at

    def _list(self, listing: str, params: dict[str, str]) -> None:
        """Read one listing. A resumed sync skips a listing that it has read, and goes on with one that it has begun."""
        name, spool = self.feed.name, self.extraction.spool
        if spool.is_done(name, listing):
            return
        # the last stored page may be incomplete, and the list may have shifted by now
        first = max(1, spool.last_page(name, listing) - 1)
        for page in self.client.pages(self.feed.path, {**self.feed.params, **params}, first=first):
            self.extraction.take(page, listing)
        spool.mark(name, listing)


def _reading(number: int) -> str:
    """The name in raw of a pass over the plain list."""
    return f"all-{number}"
