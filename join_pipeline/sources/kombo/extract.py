"""Extracting from Kombo: every list, whole or from its watermark on, with second looks and the guard.

Belongs here: one sync's requests. Not here: sending (client), the guard's rule (sync.plan), what records mean for the
models (reconcile).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from join_pipeline.errors import (
    ModelOffError,
    NoAnswerError,
    NotFoundError,
    RateLimited,
    RefusedError,
    TransientError,
)
from join_pipeline.http.pages import Page
from join_pipeline.sources.feed import Feed
from join_pipeline.sources.kombo.client import KomboClient
from join_pipeline.sources.kombo.feeds import SINCE
from join_pipeline.sync.extract import MOST_UNANSWERED, Extraction, FeedExtraction, Look
from join_pipeline.sync.plan import Plan

IDS_A_LOOK: Final = 100
# a record that DuckDB can't read as JSON reports nothing
_IS_GONE: Final = "nullif(try(payload->>'$.remote_deleted_at'), '') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class KomboExtraction:
    """One sync's extraction from an integration."""

    client: KomboClient
    sync: Extraction

    def run(self, plan: Plan) -> None:
        """Extract all feeds. Each has its own list, because a change of a stage, job or tag changes no application."""
        feeds = self.client.names.feeds
        for feed in feeds:
            extraction = self.sync.of(feed)
            since = plan.since.get(feed.name)
            try:
                self._list(feed, extraction, since)
            except ModelOffError as error:
                self._keep_what_is_known(extraction, error)
            else:
                extraction.record.is_whole = True
                if since is None:
                    self._judge_absence(feed, extraction)
                else:
                    self._judge_deletion(feed, extraction)
            extraction.finish()
        self.sync.end(self.client.clock.latest(), feeds)

    def _list(self, feed: Feed, extraction: FeedExtraction, since: datetime | None) -> None:
        """Read a list, whole or its changes since `since`. A resumed sync skips a list that it has read to its end."""
        listing = "all" if since is None else "since"
        if extraction.spool.is_done(feed.name, listing):
            return
        params = {} if since is None else {SINCE: since.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}
        for page in self.client.listed(feed, params):
            extraction.take(page, listing)
        extraction.spool.mark(feed.name, listing)

    def _judge_absence(self, feed: Feed, extraction: FeedExtraction) -> None:
        """After a whole list: look up known records that the list shows neither as live nor as deleted."""
        known, rows = extraction.known, extraction.rows
        n_live = self.sync.count(f"SELECT DISTINCT record_id FROM {rows} WHERE NOT {_IS_GONE}")
        n_missing = self.sync.count(f"{known} EXCEPT SELECT record_id FROM {rows} WHERE NOT {_IS_GONE}")
        unlisted = sorted(self.sync.ids(f"{known} EXCEPT SELECT record_id FROM {rows}"))
        is_guarded = extraction.is_guarded(n_missing, n_live)
        looked = extraction.second_looks(None if is_guarded else unlisted)
        unsure: set[str] = set()
        extraction.take_looks(self._looks(feed, looked, unsure))
        extraction.put_off(unsure)

    def _judge_deletion(self, feed: Feed, extraction: FeedExtraction) -> None:
        """After a list of changes: let the guard judge its deletions, and look up unread records.

        If a model is switched off at Kombo, all of its records look deleted.
        """
        gone = f"SELECT record_id FROM {extraction.rows} WHERE {_IS_GONE}"
        n_gone = self.sync.count(f"{extraction.known} INTERSECT {gone}")
        extraction.is_guarded(n_gone, max(1, extraction.record.records - n_gone))
        extraction.take_looks(self._looks(feed, extraction.unread_before(), set()), believes_absence=False)
        extraction.forget_pending()

    def _keep_what_is_known(self, extraction: FeedExtraction, error: ModelOffError) -> None:
        """Handle a model that is switched off at Kombo: keep its known records, unless the user accepts their loss."""
        known = sorted(self.sync.ids(extraction.known))
        extraction.record.is_whole = False
        if known and extraction.feed.name in self.sync.accept_loss:
            at = self.client.clock.latest()
            extraction.take_looks((record_id, None, at) for record_id in known)
            # once the model is on again, its list is read whole: its records may not have changed meanwhile
            extraction.record.listed_since = None
        elif known:
            extraction.object_to(f"{len(known)} records are known. {error}")

    def _looks(self, feed: Feed, ids: Sequence[str], unsure: set[str]) -> Iterator[Look]:
        """Look up records by their ids, up to 100 in one request.

        A record without an id in a response may be any of those that the response lacks. They are added to `unsure`.
        """
        for first in range(0, len(ids), IDS_A_LOOK):
            asked = ids[first : first + IDS_A_LOOK]
            left = set(asked)
            is_nameless = False
            for page in self._pages_of(feed, asked, unsure):
                for record in page.records:
                    is_nameless = is_nameless or record.id is None
                    if record.id in left:
                        left.discard(record.id)
                        yield record.id, record.payload, page.fetched_at
            if is_nameless:
                unsure |= left
            for record_id in sorted(left - unsure):
                yield record_id, None, self.client.clock.latest()

    def _pages_of(self, feed: Feed, ids: Sequence[str], unsure: set[str]) -> list[Page]:
        """The pages with these records.

        One id that Kombo does not know may make it answer 404 to all of them, one that it does not take 400, and one
        that it fails at 500. Then they are asked for in tenths, down to one by one. A 404 to one id says that it is not
        there. Any other answer to it says nothing, and it is added to `unsure`: what is known of it stays.
        """
        try:
            return list(self.client.listed(feed, self.client.names.asked(ids, feed)))
        except (NoAnswerError, RateLimited):
            raise
        except (NotFoundError, RefusedError, TransientError) as error:
            if len(ids) > 1:
                size = max(1, len(ids) // 10)
                parts = [ids[first : first + size] for first in range(0, len(ids), size)]
                return [page for part in parts for page in self._pages_of(feed, part, unsure)]
            if not isinstance(error, NotFoundError):
                unsure |= set(ids)
            if isinstance(error, TransientError) and len(unsure) > MOST_UNANSWERED:
                raise
            return []
