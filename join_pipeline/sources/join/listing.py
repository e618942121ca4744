"""One feed of JOIN: which of its listings are read, when they are whole, where a resumed one goes on.

Belongs here: asking. Not here: sending (client), which feeds in which order (extract), keeping what came (sync).
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
    """One feed being read."""

    client: JoinClient
    feed: JoinFeed
    extraction: FeedExtraction

    def read_whole(self, is_enough: Callable[[int], bool] = lambda _number: True) -> None:
        """The plain list, again and again until a reading is enough, and one per status.

        A status that JOIN refuses is not offered.
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
        """Whether the list's reading of this number found nothing that an earlier one should have found.

        A list that shifts while it is read can hide a record, and the first time nothing is known to look for. What
        was updated since this sync began is no sign: it may have arrived meanwhile, and is asked for at the end.
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
                AND try_cast(payload->>'$.lastUpdatedAt' AS TIMESTAMPTZ) < $started_at""",
            {"listing": _reading(number), "started_at": sync.record.started_at},
        ).fetchall()
        return n_hidden == [(0,)]

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
                self.extraction.take(page, "since")
                came |= {(record.id, record.updated) for record in page.records}
            if came <= seen:
                return True
            seen |= came
        return False

    def look(self, remote_ids: Iterable[str], *, believes_absence: bool = True) -> None:
        """Ask for records by their own ids, several at a time."""
        self.extraction.take_looks(self._looks(remote_ids), believes_absence=believes_absence)

    def _looks(self, remote_ids: Iterable[str]) -> Iterator[Look]:
        pool = ThreadPoolExecutor(LOOKS_IN_FLIGHT, thread_name_prefix="join-look")
        try:
            yield from pool.map(self._look_at, remote_ids)
        finally:
            # an error, or Ctrl-C, does not wait for looks that wait for the rate limit
            pool.shutdown(wait=False, cancel_futures=True)

    def _look_at(self, remote_id: str) -> Look:
        try:
            body, fetched_at = self.client.get(self.feed.record_path(remote_id))
        except NotFoundError:
            return remote_id, None, self.client.clock.latest()
        return remote_id, body, fetched_at

    def _list(self, listing: str, params: dict[str, str]) -> None:
        """One listing of a whole reading; one that was read before is not read again, one that was begun goes on."""
        name, spool = self.feed.name, self.extraction.spool
        if spool.is_done(name, listing):
            return
        # the last page that was kept may have been kept in part, and the list may have shifted by now
        first = max(1, spool.last_page(name, listing) - 1)
        for page in self.client.pages(self.feed.path, {**self.feed.params, **params}, first=first):
            self.extraction.take(page, listing)
        spool.mark(name, listing)


def _reading(number: int) -> str:
    """What a reading of the whole list is called in raw."""
    return f"all-{number}"
