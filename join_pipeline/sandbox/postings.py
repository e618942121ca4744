"""The details of a job at an instant: title, pipeline, office, salary, contact, questions."""

from functools import lru_cache
from typing import Any, Final

import msgspec

from join_pipeline.sandbox.company import Company
from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.draws import Draw
from join_pipeline.sandbox.identities import contact
from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.jobs import ARCHIVED, STATUS_OF
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.vocabulary.forms import QUESTIONS, UNKNOWN_TYPES, Question
from join_pipeline.sandbox.vocabulary.work import (
    DESCRIPTIONS,
    EMPLOYMENT_TYPES,
    FAMILIES,
    FIRST_STAGE,
    HIRED_STAGE,
    HOSTILE_TITLE,
    OFFER_STAGE,
    OFFICES,
    SENIORITY_LEVELS,
    TEAM_ROLES,
    TITLE_SUFFIXES,
    WORKPLACES,
)

_STAGE_NAMES: Final = tuple(
    dict.fromkeys([FIRST_STAGE, *(s for f in FAMILIES for s in f.stages), OFFER_STAGE, HIRED_STAGE])
)
_OWN_STAGES_FROM: Final = 1_000
_OFFICE_KEYS: Final = ("id", "name", "streetName", "streetNumber", "postalCode", "city", "countryIso", "isDefault")
_HOSTILE_JOB: Final = 0
_UNKNOWN_QUESTION_EVERY: Final = 37


class Stage(msgspec.Struct, frozen=True):
    """A stage as one job shows it; also its payload."""

    id: int
    name: str
    index: int


def offices() -> list[dict[str, Any]]:
    return [dict(zip(_OFFICE_KEYS, office, strict=True)) for office in OFFICES]


class Postings:
    """Draws the details of jobs. Details that can't change are drawn once."""

    def __init__(self, company: Company, config: SandboxConfig) -> None:
        self._company = company
        self._config = config
        self._offices = offices()
        names = dict.fromkeys((*_STAGE_NAMES, *config.first_stages))
        self._stage_ids = {name: number for number, name in enumerate(names, 101)}
        self._n_contacts = max(3, len(company.jobs) // 12)
        self.pipeline = lru_cache(maxsize=20_000)(self._pipeline)
        self.questions = lru_cache(maxsize=20_000)(self._questions)
        self.title = lru_cache(maxsize=20_000)(self._title)
        self.reference = lru_cache(maxsize=20_000)(self._reference)
        self.external_id = lru_cache(maxsize=20_000)(self._external_id)

    def _pipeline(self, job: int) -> tuple[Stage, ...]:
        """Screening, custom stages in the family's order, Offer, Hired. Most jobs share their stages' ids."""
        draw = Draw(self._company.seed, "pipeline", job)
        custom = list(FAMILIES[self._company.jobs.family[job]].stages)
        while len(custom) > self._company.jobs.n_custom[job]:
            custom.pop(draw.below(len(custom)))
        has_own = draw.chance(12)
        first = self._config.first_stages[job % len(self._config.first_stages)]
        names = (first, *custom, OFFER_STAGE, HIRED_STAGE)
        return tuple(
            Stage(_OWN_STAGES_FROM + 8 * job + index if has_own else self._stage_ids[name], name, index)
            for index, name in enumerate(names)
        )

    def _questions(self, job: int) -> tuple[tuple[Question, bool], ...]:
        """The job's form: questions, and whether they must be answered."""
        draw = Draw(self._company.seed, "form", job)
        asked = QUESTIONS[FAMILIES[self._company.jobs.family[job]].language]
        pool = [question for question in asked if question.type not in UNKNOWN_TYPES]
        chosen = [pool.pop(draw.below(len(pool))) for _ in range(draw.below(6))]
        if job % _UNKNOWN_QUESTION_EVERY == 3:
            chosen += [question for question in asked if question.type in UNKNOWN_TYPES]
        return tuple((question, draw.chance(60)) for question in chosen)

    def _title(self, job: int, n_changes: int) -> str:
        family = FAMILIES[self._company.jobs.family[job]]
        draw = Draw(self._company.seed, "title", job)
        title = HOSTILE_TITLE if job == _HOSTILE_JOB else draw.pick(family.titles)
        return title + draw.pick(TITLE_SUFFIXES[family.language]) if n_changes else title

    def _external_id(self, job: int) -> str | None:
        return f"REQ-{job + 1:05d}" if Draw(self._company.seed, "external", job).chance(45) else None

    def _reference(self, job: int, n_changes: int) -> dict[str, Any]:
        """The `job` of an application payload."""
        return {"id": job + 1, "title": self.title(job, n_changes), "externalId": self.external_id(job)}

    def by_external_id(self, external_id: str) -> int | None:
        """The job of that id; ids carry the job's number."""
        number = external_id.removeprefix("REQ-")
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= len(self._company.jobs)):
            return None
        job = int(number) - 1
        return job if self.external_id(job) == external_id else None

    def salary(self, job: int, n_changes: int) -> dict[str, Any] | None:
        draw = Draw(self._company.seed, "salary", job)
        usual = FAMILIES[self._company.jobs.family[job]].salary
        if usual is None or draw.chance(25):
            return None
        low, high, currency, frequency = usual
        factor = (85 + draw.below(40) + 4 * n_changes) / 100
        step = 500 if low > 10_000 else 50 if low > 1_000 else 0.5
        pay_from, pay_to = (round(amount * factor / step) * step for amount in (low, high))
        kind = draw.below(10)
        return {
            "from": pay_from if kind else None,
            "to": pay_from if kind == 1 else pay_to,
            "currency": currency,
            "frequency": frequency,
            "isShownOnJobAd": draw.chance(60),
        }

    def _contact(self, draw: Draw) -> dict[str, Any] | None:
        if draw.chance(5):
            return None
        person = contact(self._company.seed, draw.below(draw.below(self._n_contacts) + 1))
        if person["email"] and draw.chance(12):  # the same person, typed by somebody else
            return {**person, "email": person["email"].title()}
        return person

    def payload(self, state: State, job: int, *, with_description: bool) -> dict[str, Any]:
        """A Job as JOIN answers it."""
        family = FAMILIES[self._company.jobs.family[job]]
        draw = Draw(self._company.seed, "job", job)
        title = self.title(job, int(state.job_titles[job]))
        office = draw.pick((*self._offices, None))
        workplace, remote = draw.pick(WORKPLACES)
        person = self._contact(draw)
        payload = {
            "id": job + 1,
            "title": title,
            "status": STATUS_OF[min(int(state.job_status[job]), ARCHIVED)],
            "externalId": self.external_id(job),
            "createdAt": iso(int(state.job_created[job]), has_milliseconds=self._config.has_milliseconds),
            "lastUpdatedAt": iso(int(state.job_updated[job]), has_milliseconds=self._config.has_milliseconds),
            "language": family.language,
            "workplaceType": workplace,
            "remoteType": remote,
            "remote": remote is not None,
            "categoryId": family.category_id,
            "employmentTypeId": draw.pick(EMPLOYMENT_TYPES)[0] if draw.chance(40) else 1,
            "seniorityId": draw.pick(SENIORITY_LEVELS)[0] if draw.chance(75) else None,
            "office": office,
            "salary": self.salary(job, int(state.job_prices[job])),
            "contact": person,
        }
        if self._config.shows_questions:
            payload["questions"] = [
                {"name": question.name, "type": question.type, "required": required}
                | ({"options": list(question.options)} if question.options else {})
                for question, required in self.questions(job)
            ]
        if self._config.shows_hiring_team:
            payload["hiringTeam"] = self._team(Draw(self._company.seed, "team", job))
        if with_description:
            place = (office and office["city"]) or "Zürich"
            name = person["name"] if person else "HR"
            payload["description"] = DESCRIPTIONS[family.language].format(city=place, title=title, contact=name)
        return payload

    def _team(self, draw: Draw) -> list[dict[str, Any]]:
        members = {draw.below(self._n_contacts): draw.pick(TEAM_ROLES) for _ in range(1 + draw.below(4))}
        return [
            {"hiringTeamMember": contact(self._company.seed, index), "jobRole": role} for index, role in members.items()
        ]
