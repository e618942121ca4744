"""The company at an instant: which records exist, their stage and last update.

Belongs here: replaying the timeline up to an instant and finding records in it. Not here: payloads (payloads).
"""

import numpy as np

from join_pipeline.sandbox.company import Company
from join_pipeline.sandbox.draws import Ints
from join_pipeline.sandbox.jobs import ARCHIVED, DISCARDED, DRAFTED, REPRICED, RETITLED
from join_pipeline.sandbox.journeys import ABSENT, DELETED
from join_pipeline.sandbox.overlay import Written, WrittenApplication

UNBORN = 255  # status of a job that is not there yet


class State:
    """The state at `now`. `version` changes whenever anything changes that a reader can see."""

    def __init__(self, company: Company, written: Written, *, announces_changes: bool = True) -> None:
        self.company = company
        self.written = written
        self._announces = announces_changes
        self.version = 0
        self._reset()

    def _reset(self) -> None:
        n, n_jobs = self.company.n_applications, len(self.company.jobs)
        self.now = -1
        self._cursor = self._job_cursor = 0
        self.code = np.full(n, ABSENT, np.uint8)
        self.updated = np.zeros(n, np.int64)
        self.changes = np.zeros(n, np.int64)  # how many so far: with the job's title, all that a payload depends on
        self.live = np.zeros(0, np.int32)  # by order of creation
        self.job_status = np.full(n_jobs, UNBORN, np.uint8)
        self.job_updated = np.zeros(n_jobs, np.int64)
        self.job_created = np.zeros(n_jobs, np.int64)
        self.job_titles = np.zeros(n_jobs, np.int64)
        self.job_prices = np.zeros(n_jobs, np.int64)
        self.touch()

    def touch(self) -> None:
        """Clear the caches after a write."""
        self.version += 1
        self._listings: dict[tuple[frozenset[int] | None, int | None], Ints] = {}
        self._job_listings: dict[tuple[int, ...], Ints] = {}

    def move(self, now: int) -> None:
        """Go to an instant: forward by the changes between, backward by a replay from the beginning."""
        if now < self.now:
            self._reset()
        if now == self.now:
            return
        is_written_seen = any(self.now < at <= now for w in self.written.applications for at in (w.created, w.gone))
        self.now = now
        log, jobs = self.company.log, self.company.jobs
        end = int(np.searchsorted(log.at, now, side="right"))
        job_end = int(np.searchsorted(jobs.event_at, now, side="right"))
        if end > self._cursor:
            self._move_applications(end)
        if job_end > self._job_cursor:
            self._move_jobs(job_end)
        if end > self._cursor or job_end > self._job_cursor or is_written_seen:
            self.touch()
        self._cursor, self._job_cursor = end, job_end

    def _move_applications(self, end: int) -> None:
        changes = self.company.log.take(slice(self._cursor, end))
        np.add.at(self.changes, changes.application, 1)
        moves = changes.before != changes.after
        is_new = changes.before == ABSENT
        announced = np.ones(len(changes), np.bool_) if self._announces else ~moves | is_new
        # the log is in order of time, and numpy keeps the last of several assignments to one place
        self.updated[changes.application[announced]] = changes.at[announced]
        moved, after = changes.application[moves], changes.after[moves]
        self.code[moved] = after
        self.live = np.concatenate([self.live, changes.application[is_new]])
        if (after & DELETED).any():
            self.live = self.live[self.code[self.live] & DELETED == 0]

    def _move_jobs(self, end: int) -> None:
        rows = slice(self._job_cursor, end)
        at, job, kind = (getattr(self.company.jobs, f"event_{name}")[rows] for name in ("at", "job", "kind"))
        is_status = (kind <= ARCHIVED) | (kind == DISCARDED)
        is_new = np.zeros(len(job), np.bool_)
        unborn = np.flatnonzero(self.job_status[job] == UNBORN)
        is_new[unborn[np.unique(job[unborn], return_index=True)[1]]] = True
        self.job_created[job[is_new]] = at[is_new]
        self.job_status[job[is_status]] = kind[is_status]
        self.job_updated[job] = at
        np.add.at(self.job_titles, job[kind == RETITLED], 1)
        np.add.at(self.job_prices, job[kind == REPRICED], 1)

    def has_job(self, job: int) -> bool:
        return 0 <= job < len(self.job_status) and self.job_status[job] not in (UNBORN, DISCARDED)

    def job_listing(self, statuses: tuple[int, ...]) -> Ints:
        """Jobs with one of these statuses, oldest first."""
        if statuses not in self._job_listings:
            self._job_listings[statuses] = np.flatnonzero(np.isin(self.job_status, statuses))
        return self._job_listings[statuses]

    def has_application(self, application: int) -> bool:
        written = self.written.application(application)
        if written is not None:
            return written.is_live(self.now)
        return 0 <= application < len(self.code) and not self.code[application] & DELETED

    def listing(self, jobs: frozenset[int] | None = None, since: int | None = None) -> Ints:
        """Applications by order of creation, oldest first; of these jobs, updated at or after `since`."""
        key = (jobs, since)
        if key not in self._listings:
            if len(self._listings) > 64:
                self._listings.clear()
            self._listings[key] = self._find(jobs, since)
        return self._listings[key]

    def _find(self, jobs: frozenset[int] | None, since: int | None) -> Ints:
        rows: Ints = self.live
        if since is not None:
            first = int(np.searchsorted(self.company.log.at, since))
            if self._cursor - first < len(rows) // 8:  # few changes since then: look at those alone
                is_changed = np.zeros(len(self.code), np.bool_)
                is_changed[self.company.log.application[first : self._cursor]] = True
                rows = np.flatnonzero(is_changed)
                rows = rows[self.code[rows] & DELETED == 0]
            rows = rows[self.updated[rows] >= since]
        if jobs is not None:
            rows = rows[np.isin(self.company.arrivals.job[rows], list(jobs))]
        written = [
            application
            for application in self.written.live(self.now)
            if (jobs is None or application.job in jobs)
            and (since is None or self.written_updated(application) >= since)
        ]
        if written:
            written.sort(key=lambda application: application.created)
            places = np.searchsorted(self.company.arrivals.created[rows], [w.created for w in written], side="right")
            rows = np.insert(rows, places, [w.application for w in written])
        return rows

    def written_changes(self, application: WrittenApplication) -> int:
        """How often the application has changed so far, with its documents and its candidate."""
        people = self.company.people
        person = sum(application.created < people.at[row] <= self.now for row in people.rows(application.candidate))
        return int(person) + sum(at <= self.now for at in application.revised)

    def written_updated(self, application: WrittenApplication) -> int:
        people = self.company.people
        changes = (int(people.at[row]) for row in people.rows(application.candidate) if people.at[row] <= self.now)
        return max([application.created, *changes, *(at for at in application.revised if at <= self.now)])

    def has_candidate(self, candidate: int) -> bool:
        """Whether any application of this candidate exists."""
        if self.written.by_candidate(candidate, self.now):
            return True
        return bool((self.company.arrivals.candidate[self.live] == candidate).any())


VISIBLE_STATUSES = tuple(range(DRAFTED, ARCHIVED + 1))
