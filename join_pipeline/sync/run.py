"""One sync, from the plan to the commit.

Belongs here: the order of things and what the record says of them. Not here: each thing itself.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Final

import duckdb
import msgspec
import pyarrow.parquet as pq

from join_pipeline.errors import ContractError, NotFoundError, RefusedError
from join_pipeline.join_api.client import JoinClient, Page
from join_pipeline.join_api.feeds import APPLICATIONS, JOBS, REFERENCES, Feed
from join_pipeline.join_api.payloads import Reference, decode
from join_pipeline.lake.files import appearing, locked
from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.query import files_literal, scratch
from join_pipeline.lake.raw import RawWriter, read_raw
from join_pipeline.lake.record import Files, SyncRecord, sync_id_of
from join_pipeline.mapping import MAPPING_VERSION
from join_pipeline.mapping.job import References, reference_names
from join_pipeline.models import MODELS
from join_pipeline.settings import Settings
from join_pipeline.sync.extract import Extraction, Progress, no_progress
from join_pipeline.sync.fold import fold
from join_pipeline.sync.plan import OVERLAP, AskedMode, Plan, guard_objects, plan
from join_pipeline.sync.seen import Seen
from join_pipeline.sync.versions import Writing, load_known, write_versions

TICK: Final = timedelta(milliseconds=1)


def run_sync(
    settings: Settings,
    mode: AskedMode = "auto",
    *,
    accept_loss: Collection[str] = (),
    progress: Progress = no_progress,
) -> SyncRecord:
    """Bring the lake up to what JOIN lists now; the committed record.

    Raises a `PipelineError` if it can't: then nothing is committed, and the lake is as it was.
    """
    token = settings.token()
    with (
        locked(settings.home),
        JoinClient(
            settings.join_api_url,
            token,
            in_flight=settings.pages_in_flight,
            timeout_seconds=settings.timeout_seconds,
            max_wait_seconds=settings.max_wait_seconds,
        ) as client,
    ):
        # the first answer proves the token and tells the server's time, before anything is made on disk
        asked_at = time.monotonic()
        references = [(feed, _reference(client, feed)) for feed in REFERENCES]
        started_at = client.clock.when_asked(asked_at)
        lake = open_lake(settings.lake, settings.integration_id, create=True)
        records = lake.records()
        previous = records[-1] if records else None
        if previous is not None:
            started_at = max(started_at, previous.started_at + TICK)
        last_full = next((record for record in reversed(records) if record.mode == "full"), None)
        planned = plan(mode, previous, last_full, started_at)
        record = SyncRecord(
            sync_id=sync_id_of(started_at),
            previous=previous.sync_id if previous else None,
            mode=planned.mode,
            reason=planned.reason,
            started_at=started_at,
            finished_at=started_at,
            # never earlier than it was: a server whose clock was set back has shown what it has shown
            as_of=max(started_at, previous.as_of) if previous else started_at,
            clock_skew_seconds=round(client.clock.skew.total_seconds(), 1),
            mapping_version=MAPPING_VERSION,
            package_version=version("join-pipeline"),
            files=_files_in_force(previous),
        )
        with scratch(settings.builds, settings.memory_limit) as con:
            load_known(con, lake.path, record.files)
            run = _Run(settings, lake, client, record, previous, planned, accept_loss, progress, con)
            run.extract(references)
            run.fold()
        lake.commit(record)
        lake.remove_unlisted(previous, record)
        return record


@dataclass(slots=True)
class _Run:
    """What the steps of one sync share. Its record fills as it goes."""

    settings: Settings
    lake: Lake
    client: JoinClient
    record: SyncRecord
    previous: SyncRecord | None
    planned: Plan
    accept_loss: Collection[str]
    progress: Progress
    con: duckdb.DuckDBPyConnection

    def extract(self, references: list[tuple[Feed, Page | None]]) -> None:
        """Everything from JOIN to raw. Applications before jobs: the jobs that they name must be known."""
        for feed, page in references:
            if page is not None:
                self._extraction(feed).take_whole(page)
        applications = self._extraction(APPLICATIONS)
        if self.planned.since is not None:
            applications.read_since(self.planned.since)
        else:
            # a list that shifts while it is read can hide a record: the first time nothing is known to look for
            for _ in range(1 if self.previous else 2):
                applications.read_whole()
            missing = self._missing(applications)
            self._look(applications, missing)
            applications.read_since(self.record.started_at)
        applications.finish()
        jobs = self._extraction(JOBS)
        jobs.read_whole()
        jobs.writer.flush()
        self._look(jobs, self._missing(jobs), self._named_jobs(applications, jobs))
        jobs.finish()
        self.record.as_of = max(self.record.as_of, self.client.clock.latest())

    def fold(self) -> None:
        """From raw to new versions."""
        self.con.execute("SET VARIABLE started_at = ?::TIMESTAMPTZ", [self.record.started_at])
        seen = Seen(self.con, self.lake.ids, self._references())
        for feed in (APPLICATIONS, JOBS):
            seen.take(feed.name, read_raw(self._raw_of_this_sync(feed)))
        self._write_quarantine(seen)
        fold(self.con, self.lake.path, self.record.files)
        self.record.n_unannounced = self._unannounced()
        is_new_mapping = self.previous is not None and self.previous.mapping_version != MAPPING_VERSION
        writing = Writing(self.lake.path, self.record, is_new_mapping)
        for name, model in MODELS.items():
            self.record.models[name] = write_versions(self.con, model, writing)
        for figures in self.record.feeds.values():
            figures.listed_since = self.record.started_at if figures.is_whole else figures.listed_since
        self.record.unknown = dict(sorted(seen.unknown.items()))
        self.record.n_requests = self.client.n_requests
        self.record.n_retries = self.client.n_retries
        self.record.finished_at = max(self.client.clock.earliest(), self.record.started_at)

    def _extraction(self, feed: Feed) -> Extraction:
        writer = RawWriter(
            self.lake.path, feed.name, self.record.sync_id, self.record.files.raw.setdefault(feed.name, [])
        )
        extraction = Extraction(self.client, feed, writer, self.progress)
        before = self.previous.feeds.get(feed.name) if self.previous else None
        extraction.record.listed_since = before.listed_since if before else None
        self.record.feeds[feed.name] = extraction.record
        return extraction

    def _missing(self, extraction: Extraction) -> list[str]:
        """Known live records that the listing lacks; none, and a verdict, where the guard objects."""
        extraction.writer.flush()
        feed = extraction.feed.name
        known = f"SELECT remote_id FROM known_{feed} WHERE remote_deleted_at IS NULL"
        listed = f"SELECT record_id FROM read_parquet({files_literal(self._raw_of_this_sync(extraction.feed))})"
        if not extraction.record.records:
            listed = "SELECT NULL::VARCHAR WHERE false"
        missing = [row[0] for row in self.con.execute(f"{known} EXCEPT {listed} ORDER BY ALL").fetchall()]
        n_known = self.con.execute(f"SELECT count(*) FROM ({known})").fetchall()[0][0]
        objection = guard_objects(feed, n_known, len(missing), extraction.record.records, self.accept_loss)
        if objection is None:
            return missing
        self.record.verdict = "guarded"
        extraction.record.is_whole = False
        self.record.objections.append(objection)
        return []

    def _look(self, extraction: Extraction, missing: list[str], named: list[str] | None = None) -> None:
        """A second look at what is missing: what was put off last time first, the rest is put off again."""
        put_off = set(self.previous.pending.get(extraction.feed.name, ())) if self.previous else set()
        ordered = sorted(missing, key=lambda remote_id: (remote_id not in put_off, remote_id))
        limit = self.settings.max_second_looks
        if ordered[limit:]:
            self.record.pending[extraction.feed.name] = ordered[limit:]
        extraction.look(sorted({*ordered[:limit], *(named or [])}))

    def _named_jobs(self, applications: Extraction, jobs: Extraction) -> list[str]:
        """Jobs that applications of this sync name and the job lists lack."""
        if not applications.writer.files or not applications.record.records:
            return []
        named = files_literal(self._raw_of_this_sync(APPLICATIONS))
        listed = "SELECT NULL::VARCHAR WHERE false"
        if jobs.record.records:
            listed = f"SELECT record_id FROM read_parquet({files_literal(self._raw_of_this_sync(JOBS))})"
        rows = self.con.execute(
            f"""SELECT DISTINCT try(payload->>'$.job.id') AS job FROM read_parquet({named})
            WHERE payload IS NOT NULL AND job IS NOT NULL EXCEPT {listed}"""
        ).fetchall()
        return [row[0] for row in rows]

    def _references(self) -> References:
        """Names of the reference lists, the last known ones where a list failed to load."""
        names: dict[str, dict[int, str]] = {}
        for feed in REFERENCES:
            rows = []
            for raw in read_raw(self.lake.listed(self.record.files.raw.get(feed.name, [])[-1:])):
                try:
                    rows.append(decode(Reference, raw.payload or ""))
                except ContractError:
                    self.record.feeds[feed.name].quarantined += 1
            names[feed.name] = reference_names(rows)
        return References(**names, post_url_template=self.settings.post_url_template)

    def _raw_of_this_sync(self, feed: Feed) -> list[str]:
        part = f"/{self.record.sync_id}/"
        return self.lake.listed([path for path in self.record.files.raw.get(feed.name, []) if part in path])

    def _write_quarantine(self, seen: Seen) -> None:
        for feed, rows in seen.quarantined.items():
            path = f"quarantine/{feed}/{self.record.sync_id}.parquet"
            with appearing(self.lake.path / path) as aside:
                pq.write_table(seen.quarantine_table(feed), aside, compression="zstd")
            self.record.files.quarantine.setdefault(feed, []).append(path)
            self.record.feeds[feed].quarantined += len(rows)

    def _unannounced(self) -> int:
        """Changes that only a full listing could show: lastUpdatedAt stayed, or lies before the last watermark."""
        before = self.previous.feeds[APPLICATIONS.name].listed_since if self.previous else None
        if self.record.mode != "full" or before is None:
            return 0
        return int(
            self.con.execute(
                """SELECT count(*) FROM now_applications AS n JOIN known_applications AS k ON k.id = n.id
                WHERE k.remote_deleted_at IS NULL AND k.payload_hash <> n.payload_hash
                    AND (n.remote_updated_at <= k.remote_updated_at OR n.remote_updated_at < ?)""",
                [before - OVERLAP],
            ).fetchall()[0][0]
        )


def _files_in_force(previous: SyncRecord | None) -> Files:
    """The files of the last sync, to be added to: copied, so that the last record stays as it is."""
    return msgspec.convert(msgspec.to_builtins(previous.files), Files) if previous else Files()


def _reference(client: JoinClient, feed: Feed) -> Page | None:
    """A reference list; None where JOIN does not offer it: then the last known names hold."""
    try:
        return client.whole(feed.path, feed.params)
    except (NotFoundError, RefusedError, ContractError):
        return None
