"""Kombo's copy of the account: what its syncs have seen so far, sync by sync.

A pure function of the company, the clock, what was written and what was switched: going back begins anew. A sync reads
what JOIN's listings show at its instant, all at once, and gives that instant to whatever it finds changed.
Belongs here: which records a sync reads and what follows from several of them. Not here: what a payload says (mapping),
how a record is sent (records).
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np

from join_pipeline.sandbox.instants import DAY, HOUR, from_datetime, iso
from join_pipeline.sandbox.kombo import mapping
from join_pipeline.sandbox.kombo.config import MODELS, KomboConfig
from join_pipeline.sandbox.kombo.ids import KomboIds
from join_pipeline.sandbox.kombo.tables import Table
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.world import World

_REGULAR, _FORCED, _CREATED = range(3)
TAGS: Final = "ats_join_candidates_tags"
STAGES: Final = "ats_join_jobs_application_stages"
QUESTIONS: Final = "ats_join_jobs_screening_questions"
TEAM: Final = "ats_join_jobs_users"
APPLICATIONS: Final = "ats_applications"  # those of a candidate


class Replica:
    """The tables of one integration. `look` is the only way to them: it brings them to the clock first."""

    def __init__(self, world: World) -> None:
        self._world = world
        config = world.config.kombo
        self.ids = KomboIds(config.integration_id)
        self.connected = from_datetime(world.config.now) - int(config.connected_days * DAY)
        self._period = int(config.sync_hours * HOUR)
        self._switched: list[tuple[int, KomboConfig]] = [(self.connected, config)]
        self._forced: list[int] = []
        self._reset()

    def _reset(self) -> None:
        world = self._world
        self._state = State(world.company, world.written, announces_changes=world.config.announces_changes)
        self._now = self.connected - 1
        self.synced: int | None = None  # the last sync
        self.changes: set[str] = set()  # what the last sync found changed
        self._in_force: KomboConfig | None = None
        self._payloads: dict[int, dict[str, Any]] = {}  # of applications, as JOIN listed them last
        self._jobs: dict[int, dict[str, Any]] = {}
        self._by_candidate: dict[int, set[int]] = {}
        self._job_stages: dict[int, dict[int, int]] = {}  # indices by stage: every one that was ever seen
        self._job_questions: dict[int, dict[str, dict[str, Any]]] = {}
        self._stages: dict[int, dict[str, Any]] = {}
        self._tags: dict[int, tuple[str, ...]] = {}  # by candidate
        self._carried: dict[int, tuple[str, ...]] = {}  # those of candidates who are there
        self._carriers: Counter[str] = Counter()
        self._is_team_read = self._is_pipeline_read = False  # since the last time that something followed from it
        self.tables = {model: Table(model, partial(self.ids.of, model), self.changes) for model in MODELS}

    @property
    def settings(self) -> KomboConfig:
        return self._switched[-1][1]

    def switch(self, settings: KomboConfig, now: int) -> None:
        """Settings that hold from the next sync on."""
        self._switched.append((now, settings))
        self._switched.sort(key=lambda entry: entry[0])

    def look(self, now: int) -> dict[str, Table]:
        """The tables as of an instant."""
        if now < self._now:
            self._reset()
        for at, kind, application in self._due(now):
            if kind == _CREATED:
                self._take_in(application, at)
            else:
                self._sync(at)
        self._now = now
        return self.tables

    def force(self, now: int) -> bool:
        """Sync at once; False if one of this very instant had been asked for."""
        self.look(now)
        is_new = now not in self._forced
        if is_new:
            insort(self._forced, now)
        self._sync(now)
        return is_new

    def created(self, application: int, now: int) -> None:
        """An application was created through Kombo: it is known at once."""
        self.look(now)
        self._take_in(application, now)

    def _due(self, now: int) -> list[tuple[int, int, int]]:
        """What happens up to an instant and was not gone through yet, in order of time."""
        after = self._now
        first = self.connected + ((after - self.connected) // self._period + 1) * self._period
        due = [(at, _REGULAR, -1) for at in range(first, now + 1, self._period)]
        due += [(at, _FORCED, -1) for at in self._forced if after < at <= now]
        due += [
            (written.created, _CREATED, written.application)
            for written in self._world.written.applications
            if written.is_through_kombo and after < written.created <= now
        ]
        return sorted(due)

    # One sync

    def _sync(self, at: int) -> None:
        settings = self._switched[max(0, bisect_right(self._switched, at, key=lambda entry: entry[0]) - 1)][1]
        # with other settings, whatever is known is looked at again
        since = self.synced if settings == self._in_force else None
        self._in_force = settings
        self.changes.clear()
        self._state.move(at)
        applications = self._changed_applications(since)
        jobs = self._read_jobs(self._changed_jobs(since)) | self._read_applications(applications)
        self._settle(applications, jobs, at)
        for table in self.tables.values():
            table.null(at - int(settings.null_days * DAY), at)
        self.synced = at

    def _take_in(self, application: int, at: int) -> None:
        """One application with its candidate, between syncs."""
        if self._in_force is None:
            return
        self._state.move(at)
        self._settle({application}, self._read_applications({application}), at)

    def _changed_applications(self, since: int | None) -> set[int]:
        state = self._state
        if since is None:
            return set(state.listing().tolist()) | set(self._payloads)
        log = self._world.company.log
        window = slice(int(np.searchsorted(log.at, since)), int(np.searchsorted(log.at, state.now, side="right")))
        written = [one for one in self._world.written.applications if one.created <= state.now]
        return set(log.application[window].tolist()) | {
            one.application for one in written if state.written_updated(one) >= since or since <= one.gone <= state.now
        }

    def _changed_jobs(self, since: int | None) -> set[int]:
        jobs = self._world.company.jobs
        first = 0 if since is None else int(np.searchsorted(jobs.event_at, since))
        return set(jobs.event_job[first : int(np.searchsorted(jobs.event_at, self._state.now, side="right"))].tolist())

    def _read_jobs(self, jobs: Iterable[int]) -> set[int]:
        """Listed jobs; those that were read or are gone."""
        for job in jobs:
            self._is_team_read = self._is_pipeline_read = True
            if not self._state.has_job(job):
                self._jobs.pop(job, None)
                continue
            payload = self._world.postings.payload(self._state, job, with_description=True)
            self._jobs[job] = payload
            for index, asked in enumerate(payload.get("questions", [])):
                self._asks(job, index, asked)
        return set(jobs)

    def _read_applications(self, applications: Iterable[int]) -> set[int]:
        """Listed applications; the jobs whose stages or questions they may add to."""
        listed = []
        for application in applications:
            before = self._payloads.pop(application, None)
            if before is not None:
                self._by_candidate[before["candidate"]["id"]].discard(application)
            if self._state.has_application(application) and not self._is_left_out(application):
                listed.append(application)
        jobs = set()
        for body in self._world.payloads.applications(self._state, np.array(listed, np.int64)):
            payload = msgspec.json.decode(body)
            application, person, stage = payload["id"] - 1, payload["candidate"], payload["currentStage"]
            self._payloads[application] = payload
            self._by_candidate.setdefault(person["id"], set()).add(application)
            self._tags[person["id"]] = tuple(person["tags"] or ())
            self._stages[stage["id"]] = stage
            job = payload["job"]["id"] - 1
            pipeline = self._job_stages.setdefault(job, {})
            if pipeline.get(stage["id"]) != stage["index"]:
                pipeline[stage["id"]] = stage["index"]
                self._is_pipeline_read = True
            for index, asked in enumerate(payload["screeningQuestions"]):
                self._asks(job, index, asked)
            jobs.add(job)
        return jobs

    def _is_left_out(self, application: int) -> bool:
        written = self._world.written.application(application)
        settings = self._in_force or self.settings
        return settings.only_created and not (written is not None and written.is_through_kombo)

    def _asks(self, job: int, index: int, asked: dict[str, Any]) -> None:
        """A job's question. What its form says stands before what an answer says."""
        question = mapping.question(asked, self.ids) | {"index": index}
        known = self._job_questions.setdefault(job, {})
        if "name" in asked or question["id"] not in known:
            known[question["id"]] = question

    # What follows from it

    def _settle(self, applications: set[int], jobs: set[int], at: int) -> None:
        """Bring the tables in line with what was read."""
        off = (self._in_force or self.settings).models_off
        for model, settle in (
            ("users", self._settle_users),
            ("jobs", lambda at: self._settle_jobs(jobs, at)),
            ("applications", lambda at: self._settle_applications(applications, at)),
            ("candidates", lambda at: self._settle_candidates(applications, at)),
            ("application_stages", self._settle_stages),
            ("tags", lambda at: self._settle_tags(applications, at)),
        ):
            if off.get(model) == "deleted":
                self.tables[model].keep((), at)
            else:
                settle(at)

    def _put(self, model: str, key: int | str, fields: dict[str, Any], at: int, **more: Any) -> None:
        more.setdefault("compares_payload", (self._in_force or self.settings).has_remote_data)
        self.tables[model].put(key, fields, at, **more)

    def _settle_users(self, at: int) -> None:
        if not self._is_team_read:
            return
        self._is_team_read = False
        people: dict[str, dict[str, Any]] = {}
        for job in sorted(self._jobs.values(), key=lambda job: (job["lastUpdatedAt"], job["id"])):
            people |= {address: mapping.user(person) for address, (person, _) in mapping.team(job).items()}
        for address, fields in people.items():
            self._put("users", address, fields, at)
        self.tables["users"].keep(people, at)

    def _settle_jobs(self, jobs: Iterable[int], at: int) -> None:
        table = self.tables["jobs"]
        for job in jobs:
            payload = self._jobs.get(job)
            if payload is None:
                table.remove(job + 1, at)
                continue
            fields = mapping.job(payload, self.ids)
            before = table.entries.get(job + 1)
            known = before.fields if before else None
            opened = known["opened_at"] if known else fields["remote_created_at"]
            if payload["status"] == "DRAFT":
                opened = known["opened_at"] if known else None
            elif opened is None:
                opened = iso(at)
            links = {
                STAGES: dict(self._job_stages.get(job, {})),
                QUESTIONS: list(self._job_questions.get(job, {}).values()),
                TEAM: {address: roles for address, (_, roles) in mapping.team(payload).items()},
            }
            self._put("jobs", job + 1, fields | {"opened_at": opened}, at, links=links, payload=payload)

    def _settle_applications(self, applications: Iterable[int], at: int) -> None:
        has_times = (self._in_force or self.settings).has_application_times
        for application in applications:
            payload = self._payloads.get(application)
            if payload is None:
                self.tables["applications"].remove(application + 1, at)
            else:
                fields = mapping.application(payload, self.ids, has_times=has_times)
                self._put("applications", application + 1, fields, at, payload=payload)

    def _settle_candidates(self, applications: Iterable[int], at: int) -> None:
        for key in {self._candidate_of(application) for application in applications}:
            owned = self._by_candidate.get(key)
            if not owned:
                self.tables["candidates"].remove(key, at)
                continue
            payloads = [self._payloads[application] for application in owned]
            person = mapping.newest(payloads)["candidate"]
            links = {TAGS: self._tags[key], APPLICATIONS: frozenset(application + 1 for application in owned)}
            self._put("candidates", key, mapping.candidate(payloads), at, links=links, payload=person)

    def _candidate_of(self, application: int) -> int:
        written = self._world.written.application(application)
        if written is not None:
            return written.candidate + 1
        return int(self._world.company.arrivals.candidate[application]) + 1

    def _settle_stages(self, at: int) -> None:
        if not self._is_pipeline_read:
            return
        self._is_pipeline_read = False
        indices: dict[int, int] = {}
        for job in self._jobs:
            for stage, index in self._job_stages.get(job, {}).items():
                indices[stage] = max(index, indices.get(stage, index))
        for stage, index in indices.items():
            shown = self._stages[stage]
            fields = {"name": shown["name"], "global_index": index}
            # the index in the payload is that of whichever job showed the stage last
            self._put("application_stages", stage, fields, at, payload=shown, compares_payload=False)
        self.tables["application_stages"].keep(indices, at)

    def _settle_tags(self, applications: Iterable[int], at: int) -> None:
        for key in {self._candidate_of(application) for application in applications}:
            self._carriers.subtract(self._carried.get(key, ()))
            self._carried[key] = self._tags[key] if self._by_candidate.get(key) else ()
            self._carriers.update(self._carried[key])
        carried = {tag for tag, n in self._carriers.items() if n}
        for tag in carried:
            self._put("tags", tag, {"name": tag}, at)
        self.tables["tags"].keep(carried, at)
