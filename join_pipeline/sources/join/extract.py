"""Reading JOIN: which feeds in which order, until when, and who gets a second look.

Belongs here: one sync's requests, from the first page to the last look. Not here: one feed's listings (listing), what
the guard says (sync), what the payloads mean for the models (fold).
"""

from collections.abc import Collection
from dataclasses import dataclass

from join_pipeline.http.pages import Page
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import APPLICATIONS, FEEDS, JOBS, JoinFeed
from join_pipeline.sources.join.listing import Listing
from join_pipeline.sources.join.references import still_named
from join_pipeline.sync.plan import Plan
from join_pipeline.sync.reading import Reading


@dataclass(frozen=True, slots=True)
class JoinReading:
    """One sync's reading of a JOIN account."""

    client: JoinClient
    reading: Reading

    def read(self, plan: Plan, references: list[tuple[JoinFeed, Page | None]]) -> None:
        """Everything. Applications before jobs: the jobs that they name must be known."""
        reading = self.reading
        for feed, page in references:
            extraction = reading.extraction(feed)
            if page is not None:
                extraction.take_whole(page, still_named(reading.in_force(feed.name), page))
        applications = self._listing(APPLICATIONS)
        since = plan.since.get(APPLICATIONS.name)
        if since is not None:
            applications.extraction.record.is_whole = applications.read_since(since)
            unread = reading.unread_before(applications.extraction)
            applications.look(unread, believes_absence=False)  # the listing does not show them again
            reading.forget_pending(applications.extraction)
        else:
            if reading.previous is None:
                applications.read_whole(self._shows_what_was_there)
            else:
                applications.read_whole()
            self._look_at_missing(applications)
            applications.read_since(reading.record.started_at)
        applications.extraction.finish()
        jobs = self._listing(JOBS)
        jobs.read_whole()
        self._look_at_missing(jobs, self._named_jobs())
        jobs.extraction.finish()
        reading.end(self.client.clock.latest(), FEEDS)

    def _listing(self, feed: JoinFeed) -> Listing:
        return Listing(self.client, feed, self.reading.extraction(feed))

    def _look_at_missing(self, listing: Listing, named: Collection[str] = ()) -> None:
        missing = self.reading.missing(listing.extraction)
        listing.look(self.reading.second_looks(listing.extraction, missing, named))

    def _shows_what_was_there(self, listing: str) -> bool:
        """Whether a second or later reading found nothing that the ones before it should have found.

        A list that shifts while it is read can hide a record, and the first time nothing is known to look for. What
        was updated since this sync began is no sign: it may have arrived meanwhile, and is asked for at the end.
        """
        if listing == "all-1":
            return False
        rows = self.reading.con.execute(
            f"""WITH came AS (FROM {self.reading.rows(APPLICATIONS)}),
            unseen AS (
                SELECT record_id FROM came WHERE listing = $listing
                EXCEPT SELECT record_id FROM came WHERE listing <> $listing
            )
            SELECT count(*) FROM came
            WHERE listing = $listing AND record_id IN (FROM unseen)
                AND try_cast(payload->>'$.lastUpdatedAt' AS TIMESTAMPTZ) < $started_at""",
            {"listing": listing, "started_at": self.reading.record.started_at},
        ).fetchall()
        return rows == [(0,)]

    def _named_jobs(self) -> set[str]:
        """Jobs that applications of this sync name and the job lists lack."""
        came, listed = self.reading.rows(APPLICATIONS), self.reading.listed(JOBS)
        return self.reading.ids(
            f"""SELECT DISTINCT try(payload->>'$.job.id') AS job FROM {came}
            WHERE payload IS NOT NULL AND job IS NOT NULL EXCEPT {listed}"""
        )
