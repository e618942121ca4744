"""Kombo's tables, made from JOIN's payloads as Kombo's syncs last listed them.

Belongs here: links between records, and values that depend on several. Not here: the syncs (replica), one payload's
fields (mapping), the form on the wire (records).
"""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np

from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.kombo import mapping
from join_pipeline.sandbox.kombo.config import MODELS, KomboConfig
from join_pipeline.sandbox.kombo.ids import KomboIds
from join_pipeline.sandbox.kombo.tables import Table
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.world import World

TAGS: Final = "ats_join_candidates_tags"
STAGES: Final = "ats_join_jobs_application_stages"
QUESTIONS: Final = "ats_join_jobs_screening_questions"
TEAM: Final = "ats_join_jobs_users"
APPLICATIONS: Final = "ats_applications"  # those of a candidate


class Account:
    """One company as Kombo has read it so far. `settings` are those of the sync that reads."""

    def __init__(self, world: World, ids: KomboIds, settings: KomboConfig) -> None:
        self._world = world
        self._ids = ids
        self.settings = settings
        self.changes: set[str] = set()  # what changed since somebody cleared it, by the names of webhooks
        self.tables = {model: Table(model, partial(ids.of, model), self.changes) for model in MODELS}
        self.applications: dict[int, dict[str, Any]] = {}  # payloads
        self._jobs: dict[int, dict[str, Any]] = {}
        self._by_candidate: dict[int, set[int]] = {}
        self._job_stages: dict[int, dict[int, int]] = {}  # indices by stage: every one that was ever seen
        self._job_questions: dict[int, dict[str, dict[str, Any]]] = {}
        self._stages: dict[int, dict[str, Any]] = {}
        self._tags: dict[int, tuple[str, ...]] = {}  # by candidate
        self._carried: dict[int, tuple[str, ...]] = {}  # those of candidates who are there
        self._carriers: Counter[str] = Counter()
        self._is_team_read = self._is_pipeline_read = False  # since the last time that something followed from it

    def read(self, state: State, applications: set[int], jobs: set[int], at: int) -> None:
        """Take what is listed of these, and bring the tables in line."""
        touched = self._read_jobs(state, jobs) | self._read_applications(state, applications)
        self._settle(applications, touched, at)

    def _read_jobs(self, state: State, jobs: Iterable[int]) -> set[int]:
        """Listed jobs; those that were read or are gone."""
        for job in jobs:
            self._is_team_read = self._is_pipeline_read = True
            if not state.has_job(job):
                self._jobs.pop(job, None)
                continue
            payload = self._world.postings.payload(state, job, with_description=True)
            self._jobs[job] = payload
            for index, asked in enumerate(payload.get("questions", [])):
                self._asks(job, index, asked)
        return set(jobs)

    def _read_applications(self, state: State, applications: Iterable[int]) -> set[int]:
        """Listed applications; the jobs whose stages or questions they may add to."""
        listed = []
        for application in applications:
            before = self.applications.pop(application, None)
            if before is not None:
                self._by_candidate[before["candidate"]["id"]].discard(application)
            if state.has_application(application) and not self._is_left_out(application):
                listed.append(application)
        jobs = set()
        for body in self._world.payloads.applications(state, np.array(listed, np.int64)):
            payload = msgspec.json.decode(body)
            application, person, stage = payload["id"] - 1, payload["candidate"], payload["currentStage"]
            self.applications[application] = payload
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
        return self.settings.only_created and not (written is not None and written.is_through_kombo)

    def _asks(self, job: int, index: int, asked: dict[str, Any]) -> None:
        """A job's question. What its form says stands before what an answer says."""
        question = mapping.question(asked, self._ids) | {"index": index}
        known = self._job_questions.setdefault(job, {})
        if "name" in asked or question["id"] not in known:
            known[question["id"]] = question

    def _settle(self, applications: set[int], jobs: set[int], at: int) -> None:
        """Bring the tables in line with what was read."""
        off = self.settings.models_off
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
        more.setdefault("compares_payload", self.settings.has_remote_data)
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
            fields = mapping.job(payload, self._ids)
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
        has_times = self.settings.has_application_times
        for application in applications:
            payload = self.applications.get(application)
            if payload is None:
                self.tables["applications"].remove(application + 1, at)
            else:
                fields = mapping.application(payload, self._ids, has_times=has_times)
                self._put("applications", application + 1, fields, at, payload=payload)

    def _settle_candidates(self, applications: Iterable[int], at: int) -> None:
        for key in {self._candidate_of(application) for application in applications}:
            owned = self._by_candidate.get(key)
            if not owned:
                self.tables["candidates"].remove(key, at)
                continue
            payloads = [self.applications[application] for application in owned]
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
