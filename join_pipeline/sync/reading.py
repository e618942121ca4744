"""Reading an account: which feeds in which order, what the guard says, who gets a second look.

Belongs here: one sync's requests, from the first page to the last look. Not here: one feed's listings (extract), what
the payloads mean for the models (fold).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb

from join_pipeline.join_api.client import JoinClient, Page
from join_pipeline.join_api.feeds import APPLICATIONS, FEEDS, JOBS, Feed
from join_pipeline.lake.query import files_literal
from join_pipeline.lake.raw import Spool
from join_pipeline.lake.record import FeedRecord, SyncRecord
from join_pipeline.sync.extract import Extraction, Progress
from join_pipeline.sync.known import live_remote_ids
from join_pipeline.sync.plan import Plan, guard_objects
from join_pipeline.sync.references import RawOf, still_named

LOOKS_AGAIN: Final = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """One sync's reading. Needs `versions_*` in the scratch database; fills the spool and the record."""

    client: JoinClient
    con: duckdb.DuckDBPyConnection
    spool: Spool
    record: SyncRecord
    previous: SyncRecord | None
    max_second_looks: int
    accept_loss: Collection[str]
    progress: Progress

    def read(self, plan: Plan, references: list[tuple[Feed, Page | None]], known_of: RawOf) -> None:
        """Everything. Applications before jobs: the jobs that they name must be known.

        `known_of` gives the rows of a reference list that are in force.
        """
        for feed, page in references:
            extraction = self._extraction(feed)
            if page is not None:
                extraction.take_whole(page, still_named(known_of(feed.name), page))
        applications = self._extraction(APPLICATIONS)
        if plan.since is not None:
            applications.record.is_whole = applications.read_since(plan.since)
            self._look_again(applications)
            self._forget_pending(applications)
        else:
            if self.previous is None:
                applications.read_whole(self._shows_what_was_there)
            else:
                applications.read_whole()
            self._look(applications, self._missing(applications))
            applications.read_since(self.record.started_at)
        applications.finish()
        jobs = self._extraction(JOBS)
        jobs.read_whole()
        self._look(jobs, self._missing(jobs), self._named_jobs())
        jobs.finish()
        # what was read before a sync was resumed was timed by another process, whose bounds may have been wider
        self.record.as_of = max(self.record.as_of, self.client.clock.latest(), *self._fetched())

    def _shows_what_was_there(self, listing: str) -> bool:
        """Whether a second or later reading found nothing that the ones before it should have found.

        A list that shifts while it is read can hide a record, and the first time nothing is known to look for. What
        was updated since this sync began is no sign: it may have arrived meanwhile, and is asked for at the end.
        """
        self.spool.flush(APPLICATIONS.name)
        parts = self.spool.parts(APPLICATIONS.name)
        if listing == "all-1" or not parts:
            return listing != "all-1"
        rows = self.con.execute(
            f"""WITH came AS (FROM read_parquet({files_literal(parts)})),
            unseen AS (
                SELECT record_id FROM came WHERE listing = $listing
                EXCEPT SELECT record_id FROM came WHERE listing <> $listing
            )
            SELECT count(*) FROM came
            WHERE listing = $listing AND record_id IN (FROM unseen)
                AND try_cast(payload->>'$.lastUpdatedAt' AS TIMESTAMPTZ) < $started_at""",
            {"listing": listing, "started_at": self.record.started_at},
        ).fetchall()
        return rows == [(0,)]

    def _extraction(self, feed: Feed) -> Extraction:
        figures = self.spool.state.feeds.setdefault(feed.name, FeedRecord())
        before = self.previous.feeds.get(feed.name) if self.previous else None
        figures.listed_since = before.listed_since if before else None
        self.record.feeds[feed.name] = figures
        return Extraction(self.client, feed, self.spool, figures, self.progress)

    def _missing(self, extraction: Extraction) -> list[str] | None:
        """Known live records that the listing lacks; None, and a verdict, where the guard objects."""
        feed = extraction.feed.name
        rows = self.con.execute(f"{live_remote_ids(feed)} EXCEPT {self._listed(feed)} ORDER BY ALL").fetchall()
        missing = [row[0] for row in rows]
        n_known = self.con.execute(f"SELECT count(*) FROM ({live_remote_ids(feed)})").fetchall()[0][0]
        objection = guard_objects(feed, n_known, len(missing), extraction.record.records, self.accept_loss)
        if objection is None:
            return missing
        self.record.verdict = "guarded"
        self.record.objections.append(objection)
        extraction.record.is_whole = False
        return None

    def _look(self, extraction: Extraction, missing: list[str] | None, named: Collection[str] = ()) -> None:
        """A second look at what is missing: what was put off last time first, the rest is put off again.

        Where the guard objects nobody is looked at who could be lost by it, and what was put off stays so.
        """
        feed = extraction.feed.name
        if missing is None:
            extraction.look(sorted(set(named) - self._ids(live_remote_ids(feed))))
            return
        put_off = set(self.record.pending.pop(feed, ()))
        ordered = sorted(missing, key=lambda remote_id: (remote_id not in put_off, remote_id))
        looked = {*ordered[: self.max_second_looks], *named}
        if rest := [remote_id for remote_id in ordered if remote_id not in looked]:
            self.record.pending[feed] = rest
        extraction.look(sorted(looked))

    def _look_again(self, extraction: Extraction) -> None:
        """A look at records that broke the contract when they last came: the listing does not show them again."""
        feed = extraction.feed.name
        unread = self.previous.feeds[feed].unread if self.previous else []
        looked = sorted(set(unread) - self._ids(self._listed(feed)))
        # few, since some may stay broken for ever; the next full sync reads the rest
        extraction.look(looked[: min(LOOKS_AGAIN, self.max_second_looks)], believes_absence=False)

    def _forget_pending(self, extraction: Extraction) -> None:
        """What was put off and came meanwhile is no longer missing."""
        feed = extraction.feed.name
        put_off = self.record.pending.pop(feed, None)
        if put_off and (rest := sorted(set(put_off) - self._ids(self._listed(feed)))):
            self.record.pending[feed] = rest

    def _fetched(self) -> list[datetime]:
        """The latest fetch of each feed."""
        parts = [self.spool.parts(feed.name) for feed in FEEDS]
        latest = "SELECT max(fetched_at) FROM read_parquet({})"
        return [self.con.execute(latest.format(files_literal(paths))).fetchall()[0][0] for paths in parts if paths]

    def _ids(self, query: str) -> set[str]:
        return {row[0] for row in self.con.execute(query).fetchall()}

    def _named_jobs(self) -> set[str]:
        """Jobs that applications of this sync name and the job lists lack."""
        self.spool.flush(APPLICATIONS.name)
        parts = self.spool.parts(APPLICATIONS.name)
        if not parts:
            return set()
        return self._ids(
            f"""SELECT DISTINCT try(payload->>'$.job.id') AS job FROM read_parquet({files_literal(parts)})
            WHERE payload IS NOT NULL AND job IS NOT NULL EXCEPT {self._listed(JOBS.name)}"""
        )

    def _listed(self, feed: str) -> str:
        """SQL of the ids that came so far. A record that breaks the contract came too."""
        self.spool.flush(feed)
        parts = self.spool.parts(feed)
        if not parts:
            return "SELECT NULL::VARCHAR WHERE false"
        return f"SELECT record_id FROM read_parquet({files_literal(parts)}) WHERE status = 200"
