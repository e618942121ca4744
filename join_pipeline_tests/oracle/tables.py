"""The tables of models that a first full sync must produce, of a world that does not change.

Columns are those of the specification but `changed_at`, which is the sync's start. Cells are plain Python: UTC
datetimes, lists, dicts (also where the pipeline stores JSON text), None where there is nothing.

Shared records are taken from their newest parent: lists of parents are sorted by (lastUpdatedAt, id), so that the last
one to write a dict's key is the parent that counts.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pandas as pd

from join_pipeline_tests.oracle import words
from join_pipeline_tests.oracle.identifiers import unified_id
from join_pipeline_tests.oracle.questions import Asked, answer_format, asked_questions
from join_pipeline_tests.oracle.values import (
    country_place,
    email,
    employment_type,
    instant,
    integration_field,
    office_place,
    team_role,
    text_id,
    unsigned,
)
from join_pipeline_tests.oracle.world import Payload, World

Row = dict[str, Any]
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def expected_tables(world: World, integration_id: str) -> dict[str, pd.DataFrame]:
    """Table by model name, each with a row per record and object columns."""
    account = _Account(world, integration_id)
    tables = {
        "users": account.users(),
        "jobs": account.jobs(),
        "candidates": account.candidates(),
        "application_stages": account.application_stages(),
        "applications": account.applications(),
        "screening_questions": account.screening_questions(),
        "tags": account.tags(),
        "candidate_tags": account.candidate_tags(),
        "job_application_stages": account.job_application_stages(),
        "job_screening_questions": account.job_screening_questions(),
        "job_hiring_team": account.job_hiring_team(),
    }
    return {model: _frame(model, rows, integration_id) for model, rows in tables.items()}


# Own columns per model, so that an empty table has them too.
_COLUMNS = {
    "users": "first_name last_name email",
    "jobs": "name description employment_type status visibility category post_url experience_level salary_amount"
    " salary_amount_from salary_amount_to salary_currency salary_period location custom_fields integration_fields"
    " opened_at remote_created_at remote_updated_at contact_id remote_data",
    "candidates": "first_name last_name source phone_numbers email_addresses location remote_created_at remote_data",
    "application_stages": "name global_index remote_data",
    "applications": "outcome current_stage_id job_id candidate_id remote_created_at remote_updated_at source"
    " is_premium_source state qualified consent_status integration_external_id remote_data",
    "screening_questions": "title description format format_type",
    "tags": "name",
    "candidate_tags": "candidate_id tag_id",
    "job_application_stages": "job_id stage_id index",
    "job_screening_questions": "job_id question_id index required precondition_question_id precondition_options",
    "job_hiring_team": "job_id user_id roles",
}


def _frame(model: str, rows: Mapping[str, Row], integration_id: str) -> pd.DataFrame:
    """Rows by remote id, with the common columns before their own."""
    own = _COLUMNS[model].split()
    for remote_id, row in rows.items():
        if unknown := row.keys() - set(own):
            raise KeyError(f"{model} {remote_id}: {sorted(unknown)}")
    records = [
        [unified_id(integration_id, model, remote_id), remote_id, None, *(row.get(name) for name in own)]
        for remote_id, row in rows.items()
    ]
    return pd.DataFrame(records, columns=["id", "remote_id", "remote_deleted_at", *own], dtype=object)


def _age(payload: Payload) -> tuple[datetime, int]:
    return instant(payload.get("lastUpdatedAt")) or _EARLIEST, payload["id"]


def _birth(payload: Payload) -> tuple[datetime, int]:
    created_at = instant(payload.get("createdAt"))
    return created_at or datetime.max.replace(tzinfo=UTC), payload["id"]


class _Account:
    """A world's parents in the order in which they count, and one method per table: rows by remote id."""

    def __init__(self, world: World, integration_id: str) -> None:
        self.world = world
        self.integration_id = integration_id
        self.job_payloads = sorted(world.jobs, key=_age)
        self.application_payloads = sorted(world.applications, key=_age)

    def ref(self, model: str, remote_id: str | None) -> str | None:
        """Id of the record that is meant, if any."""
        return None if remote_id is None else unified_id(self.integration_id, model, remote_id)

    # Users and jobs

    def users(self) -> dict[str, Row]:
        rows = {}
        for job in self.job_payloads:
            # a job's contact says it better than its hiring team
            for address, name, _ in reversed(list(_team(job))):
                first, *rest = (name or "").strip().split(maxsplit=1) or [None]
                rows[address] = {"email": address, "first_name": first, "last_name": rest[0] if rest else None}
        return rows

    def jobs(self) -> dict[str, Row]:
        lost = {str(job_id): {} for job_id in self.world.lost_jobs}
        return lost | {str(job["id"]): self._job(job) for job in self.job_payloads}

    def _job(self, job: Payload) -> Row:
        status = job.get("status")
        salary = job.get("salary") or {}
        ends = [end for end in (salary.get("from"), salary.get("to")) if end is not None]
        description = job.get("description")
        return {
            "name": job.get("title"),
            "description": description and description.replace("\\n", "\n"),
            "employment_type": employment_type(_entry(self.world.employment_types, job.get("employmentTypeId"))),
            "status": words.JOB_STATUS.get(status, status),
            "visibility": None if status is None else "PUBLIC" if status == "ONLINE" else "UNLISTED",
            "category": _name(self._sub_categories, job.get("categoryId")),
            "experience_level": _name(self.world.seniority_levels, job.get("seniorityId")),
            "salary_amount": ends[0] if ends and ends[0] == ends[-1] else None,
            "salary_amount_from": salary.get("from"),
            "salary_amount_to": salary.get("to"),
            "salary_currency": salary.get("currency"),
            "salary_period": words.SALARY_PERIOD.get(salary.get("frequency"), salary.get("frequency")),
            "location": office_place(job.get("office")),
            "custom_fields": {key: job.get(key) for key in words.CUSTOM_FIELDS},
            "integration_fields": [
                integration_field(key, value) for key, value in job.items() if key not in words.TAKEN_JOB_KEYS
            ],
            "opened_at": None if status == "DRAFT" else instant(job.get("createdAt")),
            "remote_created_at": instant(job.get("createdAt")),
            "remote_updated_at": instant(job.get("lastUpdatedAt")),
            "contact_id": self.ref("users", _contact_address(job)),
            "remote_data": {"/jobs/{id}": unsigned(job)},
        }

    @cached_property
    def _sub_categories(self) -> tuple[Payload, ...]:
        return tuple(sub for category in self.world.categories for sub in category.get("subCategories") or ())

    def job_hiring_team(self) -> dict[str, Row]:
        roles: dict[tuple[str, str], set[str]] = {}
        for job in self.job_payloads:
            for address, _, role in _team(job):
                roles.setdefault((str(job["id"]), address), set()).add(role)
        return {
            f"{job_id}/{address}": {
                "job_id": self.ref("jobs", job_id),
                "user_id": self.ref("users", address),
                "roles": sorted(held),
            }
            for (job_id, address), held in roles.items()
        }

    # Candidates and their tags

    def candidates(self) -> dict[str, Row]:
        oldest = {
            candidate_id: application
            for application in sorted(self.application_payloads, key=_birth, reverse=True)
            if (candidate_id := text_id(application.get("candidate"))) is not None
        }
        rows = {}
        for application in self.application_payloads:
            candidate = application.get("candidate")
            if (candidate_id := text_id(candidate)) is None:
                continue
            first = oldest[candidate_id]
            phone, address = candidate.get("phoneNumber"), email(candidate.get("email"))
            rows[candidate_id] = {
                "first_name": candidate.get("firstName"),
                "last_name": candidate.get("lastName"),
                "source": (first.get("source") or {}).get("product"),
                "phone_numbers": [] if phone is None else [{"phone_number": phone, "type": None}],
                "email_addresses": [] if address is None else [{"email_address": address, "type": None}],
                "location": country_place(candidate.get("country")),
                "remote_created_at": instant(first.get("createdAt")),
                "remote_data": {"/applications/{id}": {"candidate": unsigned(candidate)}},
            }
        return rows

    @cached_property
    def _tags(self) -> dict[str, list[str]]:
        """Tag texts by candidate: the whole list of the newest application that says anything about tags."""
        return {
            str(candidate["id"]): candidate["tags"] or []
            for application in self.application_payloads
            if text_id(candidate := application.get("candidate")) is not None and "tags" in candidate
        }

    def tags(self) -> dict[str, Row]:
        return {tag: {"name": tag} for tags in self._tags.values() for tag in tags}

    def candidate_tags(self) -> dict[str, Row]:
        return {
            f"{candidate_id}/{tag}": {
                "candidate_id": self.ref("candidates", candidate_id),
                "tag_id": self.ref("tags", tag),
            }
            for candidate_id, tags in self._tags.items()
            for tag in tags
        }

    # Applications and stages

    def applications(self) -> dict[str, Row]:
        return {str(application["id"]): self._application(application) for application in self.application_payloads}

    def _application(self, application: Payload) -> Row:
        state = application.get("state")
        if state is None:
            state = application.get("hiringState")
        source = application.get("source") or {}
        return {
            "outcome": words.OUTCOME.get(state),
            "current_stage_id": self.ref("application_stages", text_id(application.get("currentStage"))),
            "job_id": self.ref("jobs", text_id(application.get("job"))),
            "candidate_id": self.ref("candidates", text_id(application.get("candidate"))),
            "remote_created_at": instant(application.get("createdAt")),
            "remote_updated_at": instant(application.get("lastUpdatedAt")),
            "source": source.get("product"),
            "is_premium_source": source.get("isPremium"),
            "state": state,
            "qualified": application.get("qualified"),
            "consent_status": (application.get("consent") or {}).get("consentStatus"),
            "integration_external_id": application.get("integrationExternalId"),
            "remote_data": {"/applications/{id}": unsigned(application)},
        }

    def application_stages(self) -> dict[str, Row]:
        highest: dict[str, int] = {}
        for (_, stage_id), index in self._stage_index.items():
            if index is not None:
                highest[stage_id] = max(index, highest.get(stage_id, index))
        return {
            stage_id: {
                "name": stage.get("name"),
                "global_index": highest.get(stage_id),
                "remote_data": {"/applications/{id}": {"currentStage": unsigned(stage)}},
            }
            for application in self.application_payloads
            if (stage_id := text_id(stage := application.get("currentStage"))) is not None
        }

    @cached_property
    def _stage_index(self) -> dict[tuple[str, str], int | None]:
        """Index by (job, stage), as the newest application there shows it."""
        return {
            (job_id, stage_id): application["currentStage"].get("index")
            for application in self.application_payloads
            if (job_id := text_id(application.get("job"))) is not None
            and (stage_id := text_id(application.get("currentStage"))) is not None
        }

    def job_application_stages(self) -> dict[str, Row]:
        return {
            f"{job_id}/{stage_id}": {
                "job_id": self.ref("jobs", job_id),
                "stage_id": self.ref("application_stages", stage_id),
                "index": index,
            }
            for (job_id, stage_id), index in self._stage_index.items()
        }

    # Screening questions

    @cached_property
    def _asked(self) -> list[tuple[str | None, Asked]]:
        return list(asked_questions(self.application_payloads, self.job_payloads))

    def screening_questions(self) -> dict[str, Row]:
        return {
            asked.key: {
                "title": asked.title,
                "format": answer_format(asked, self.ref),
                "format_type": asked.format_type,
            }
            for _, asked in self._asked
        }

    def job_screening_questions(self) -> dict[str, Row]:
        return {
            f"{job_id}/{asked.key}": {
                "job_id": self.ref("jobs", job_id),
                "question_id": self.ref("screening_questions", asked.key),
                "index": asked.index,
                "required": asked.entry.get("required") if asked.is_job_form else None,
            }
            for job_id, asked in self._asked
            if job_id is not None
        }


def _contact_address(job: Payload) -> str | None:
    return ((job.get("contact") or {}).get("email") or "").lower() or None


def _team(job: Payload) -> Iterator[tuple[str, str | None, str]]:
    """(address, name, role) of the contact and of every member of the hiring team that JOIN shows with an address."""
    contact = _contact_address(job)
    if contact is not None:
        yield contact, job["contact"].get("name"), "HIRING_MANAGER"
    for member in job.get("hiringTeam") or ():
        person = member["hiringTeamMember"]
        if person.get("email"):
            yield person["email"].lower(), person.get("name"), team_role(member["jobRole"])


def _entry(entries: tuple[Payload, ...], key: int | None) -> Payload | None:
    return next((entry for entry in entries if entry["id"] == key), None)


def _name(entries: tuple[Payload, ...], key: int | None) -> str | None:
    entry = _entry(entries, key)
    return None if entry is None else entry.get("name")
