"""Extracting from JOIN: the order of feeds, and which records get a second look.

Belongs here: one sync's requests, from the first page to the last look. Not here: one feed's listings (listing), the
guard (sync.extract), what the payloads mean for the models (reconcile).
"""

from collections.abc import Collection
from dataclasses import dataclass

from join_pipeline.http.pages import Page
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import APPLICATIONS, FEEDS, JOBS, JoinFeed
from join_pipeline.sources.join.listing import Listing
from join_pipeline.sources.join.references import still_named
from join_pipeline.sync.extract import Extraction
from join_pipeline.sync.plan import Plan


@dataclass(frozen=True, slots=True)
class JoinExtraction:
    """One sync's extraction from a JOIN account."""

    client: JoinClient
    sync: Extraction

    def run(self, plan: Plan, references: list[tuple[JoinFeed, Page | None]]) -> None:
        """Extract all feeds. Applications come before jobs, because the sync must look up the jobs that they name."""
        for feed, page in references:
            extraction = self.sync.of(feed)
            if page is not None:
                extraction.take_whole(page, still_named(self.sync.in_force(feed.name), page))
        applications = self._listing(APPLICATIONS)
        since = plan.since.get(APPLICATIONS.name)
        if since is not None:
            applications.extraction.record.is_whole = applications.read_since(since)
            unread = applications.extraction.unread_before()
            applications.look(unread, believes_absence=False)  # the listing shows changed records only
            applications.extraction.forget_pending()
        else:
            applications.read_whole()
            self._look_at_missing(applications)
            applications.read_since(self.sync.spool.state.watermark)
        applications.extraction.finish()
        jobs = self._listing(JOBS)
        # a full sync reads each list, so that nothing stays unknown for long; the first one is followed by another
        jobs.read_whole(is_sparing=since is not None or self.sync.previous is None)
        self._look_at_missing(jobs, self._named_jobs(applications, jobs))
        jobs.extraction.finish()
        self.sync.end(self.client.clock.latest(), FEEDS)

    def _listing(self, feed: JoinFeed) -> Listing:
        return Listing(self.client, feed, self.sync.of(feed))

    def _look_at_missing(self, listing: Listing, named: Collection[str] = ()) -> None:
        listing.look(listing.extraction.second_looks(listing.extraction.missing(), named))

    def _named_jobs(self, applications: Listing, jobs: Listing) -> set[str]:
        """The ids of jobs that this sync's applications name and the job lists lack. What is no number is no id."""
        return self.sync.ids(
            f"""SELECT DISTINCT try(payload->>'$.job.id') AS job FROM {applications.extraction.rows}
            WHERE payload IS NOT NULL AND regexp_full_match(job, '[0-9]+') EXCEPT {jobs.extraction.listed}"""
        )
