"""One feed of JOIN: which of its listings are read, when they are whole, where a resumed listing goes on.

Belongs here: choosing requests. Not here: sending (client), the order of feeds (extract), storing pages (sync).
"""

import re
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from join_pipeline.errors import AuthError, NoAnswerError, NotFoundError, RateLimited, RefusedError, SourceError
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import JoinFeed
from join_pipeline.sync.extract import MOST_UNANSWERED, FeedExtraction, Look

MAX_PASSES: Final = 10
PLAIN: Final = "all-1"
"""The name in raw of the plain list. Older releases read it several times in a first sync, and counted."""
LOOKS_IN_FLIGHT: Final = 8
_IS_ID: Final = re.compile(r"[\w-]+")
"""What may be a part of a path: an empty id would ask for the list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Reads one feed."""

    client: JoinClient
    feed: JoinFeed
    extraction: FeedExtraction

    def read_whole(self, *, is_sparing: bool = False) -> None:
        """Read the plain list, then the list of each status.

        If it `is_sparing`, it asks for no status that the plain list shows: a job of it proves that the plain list does
        not leave that status out. If the lists still lack a known record, it asks for the others, too.
        """
        self._list(PLAIN, {})
        shown = self._statuses() if is_sparing else set()
        self._per_status(status for status in self.feed.per_status if status not in shown)
        if shown and self._lacks_known:
            self._per_status(status for status in self.feed.per_status if status in shown)
        self.extraction.record.is_whole = True

    @property
    def _lacks_known(self) -> bool:
        """Whether the lists so far lack a known record."""
        return bool(self.extraction.sync.ids(f"{self.extraction.known} EXCEPT {self.extraction.listed}"))

    def _per_status(self, statuses: Iterable[str]) -> None:
        """Read the list of each of these statuses. One that JOIN does not offer, it rejects (422); it is skipped."""
        for status in statuses:
            try:
                self._list(f"status={status}", {"status": status})
            except RefusedError:
                continue

    def _statuses(self) -> Collection[str]:
        """The statuses of the records that the plain list showed."""
        return self.extraction.sync.ids(
            f"SELECT DISTINCT try(payload->>'$.status') FROM {self.extraction.rows} WHERE listing = '{PLAIN}'"
        )

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
        """Fetch records by their own ids, several at a time.

        If JOIN answers one of them with an error, or with something else, nobody knows whether it is there: what is
        known of it stays, and the next sync looks again. Raises that error if it is so for more than `MOST_UNANSWERED`.
        """
        unanswered: list[str] = []
        asked = (one for one in remote_ids if _IS_ID.fullmatch(one))
        self.extraction.take_looks(self._looks(asked, unanswered), believes_absence=believes_absence)
        if believes_absence and unanswered:
            self.extraction.put_off(self.extraction.sync.ids(self.extraction.known).intersection(unanswered))

    def _looks(self, remote_ids: Iterable[str], unanswered: list[str]) -> Iterator[Look]:
        pool = ThreadPoolExecutor(LOOKS_IN_FLIGHT, thread_name_prefix="join-look")
        try:
            for remote_id, found in pool.map(self._look_at, remote_ids):
                if not isinstance(found, SourceError):
                    yield remote_id, *found
                    continue
                unanswered.append(remote_id)
                if len(unanswered) > MOST_UNANSWERED:
                    raise found
        finally:
            # after an error or Ctrl-C, do not wait for looks that still wait for the rate limit
            pool.shutdown(wait=False, cancel_futures=True)

    def _look_at(self, remote_id: str) -> tuple[str, tuple[bytes | None, datetime] | SourceError]:
        try:
            return remote_id, self.client.record(self.feed.record_path(remote_id), remote_id)
        except NotFoundError:
            return remote_id, (None, self.client.clock.latest())
        except (AuthError, NoAnswerError, RateLimited):
            raise
        except SourceError as error:
            return remote_id, error

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
