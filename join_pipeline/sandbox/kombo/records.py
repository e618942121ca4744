"""Records as Kombo sends them, with every key of its schema and the nesting of each endpoint.

A deleted record keeps its fields for a while. Then it keeps ids and instants only; every other key is null or empty.
Tests check the shapes with Kombo's official client.
"""

from collections.abc import Callable
from typing import Any, Final

from join_pipeline.sandbox.instants import NEVER, iso
from join_pipeline.sandbox.kombo import mapping
from join_pipeline.sandbox.kombo.account import APPLICATIONS, QUESTIONS, STAGES, TAGS, TEAM
from join_pipeline.sandbox.kombo.replica import Replica
from join_pipeline.sandbox.kombo.tables import Entry

Record = dict[str, Any]


def _blank(nulls: str, lists: str = "") -> Record:
    return dict.fromkeys(nulls.split()) | {key: [] for key in lists.split()}


# every key that is not an id or an instant of Kombo's, as it is where nothing is known
BLANK: Final = {
    "users": _blank("first_name last_name email status", "system_roles"),
    "jobs": _blank(
        "name job_code description confidential weekly_hours employment_type status visibility category department"
        " post_url experience_level remote_work_status salary_amount salary_amount_from salary_amount_to"
        " salary_currency salary_period location custom_fields integration_fields remote_url opened_at closed_at"
        " remote_created_at remote_updated_at contact_id",
        "stages screening_questions job_postings hiring_team",
    ),
    "candidates": _blank(
        "first_name last_name company title confidential source phone_numbers email_addresses social_media location"
        " custom_fields remote_url remote_created_at remote_updated_at",
        "applications tags",
    ),
    "application_stages": _blank("name status custom_fields global_index"),
    "applications": _blank(
        "outcome rejection_reason_name rejected_at current_stage_id job_id candidate_id custom_fields remote_url"
        " remote_created_at remote_updated_at screening_question_answers candidate current_stage job",
        "interviews offers",
    ),
    "tags": _blank("name"),
}
# what the connector has nothing for, although the record is there
EMPTY: Final[dict[str, Record]] = {
    "candidates": {"custom_fields": {}, "social_media": []},
    "application_stages": {"custom_fields": {}, "status": "ACTIVE"},
    "applications": {"custom_fields": {}},
}
_KEEPS_REMOTE_ID: Final = ("jobs", "candidates")  # there the schema knows no null
# where JOIN's payload came from, and under which key if it is a part of that
_PATHS: Final = {
    "jobs": ("/jobs/{id}", None),
    "applications": ("/applications/{id}", None),
    "candidates": ("/applications/{id}", "candidate"),
    "application_stages": ("/applications/{id}", "currentStage"),
}


class Records:
    """Makes records of one replica's entries."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._nested: dict[str, Callable[[Entry], Record]] = {
            "jobs": self._of_job,
            "candidates": self._of_candidate,
            "applications": self._of_application,
        }

    def record(self, model: str, entry: Entry) -> Record:
        """One record of a model's own endpoint."""
        shown: Record = {
            "id": entry.id,
            "remote_id": str(entry.key),
            "changed_at": iso(entry.changed),
            "remote_deleted_at": None if entry.deleted == NEVER else iso(entry.deleted),
        }
        if entry.fields is None:
            if model not in _KEEPS_REMOTE_ID:
                shown["remote_id"] = None
            return BLANK[model] | shown
        shown |= entry.fields
        if model in self._nested:
            shown |= self._nested[model](entry)
        if model in _PATHS and self._replica.settings.has_remote_data:
            path, part = _PATHS[model]
            shown["remote_data"] = {path: {part: entry.payload} if part else entry.payload}
        return BLANK[model] | EMPTY.get(model, {}) | shown

    def touched(self, model: str, entry: Entry) -> int:
        """When a record, or what is nested in it and counts, changed last: what `updated_after` compares."""
        tables = self._replica.tables
        instants = [entry.changed]
        if model in ("jobs", "candidates"):
            instants.append(entry.linked)
        if model == "candidates":
            instants += [tables["applications"].entries[key].changed for key in self._owned(entry)]
        if model == "applications" and (person := self._candidate_of(entry)) is not None:
            instants.append(person.changed)
        return max(instants)

    def id_of(self, model: str, remote_id: str) -> str:
        return self._replica.ids.of(model, remote_id)

    def jobs_of(self, candidate: Entry) -> set[str]:
        """Ids of the jobs that a candidate's applications are for."""
        known = self._replica.tables["applications"].entries
        return {fields["job_id"] for key in self._owned(candidate) if (fields := known[key].fields) is not None}

    def _owned(self, candidate: Entry) -> list[int]:
        known = self._replica.tables["applications"].entries
        return sorted(key for key in candidate.links.get(APPLICATIONS, ()) if key in known)

    def _candidate_of(self, application: Entry) -> Entry | None:
        if application.payload is None:
            return None
        return self._replica.tables["candidates"].entries.get(application.payload["candidate"]["id"])

    def _shown(self, model: str, key: int | str) -> Entry | None:
        """A record that another one names, unless it has lost its fields."""
        entry = self._replica.tables[model].entries.get(key)
        return entry if entry is not None and entry.fields is not None else None

    def _of_job(self, entry: Entry) -> Record:
        return {
            "stages": [
                self._stage(stage, index)
                for stage, index in sorted(entry.links[STAGES].items(), key=lambda link: link[1])
            ],
            "screening_questions": entry.links[QUESTIONS],
            "hiring_team": [self._member(address, roles) for address, roles in entry.links[TEAM].items()],
        }

    def _stage(self, stage: int, index: int) -> Record:
        entry = self._shown("application_stages", stage)
        return {
            "id": self._replica.ids.of("application_stages", stage),
            "remote_id": str(stage),
            "name": entry and entry.fields and entry.fields["name"],
            "status": "ACTIVE",
            "custom_fields": {},
            "index": index,
        }

    def _member(self, address: str, roles: list[str]) -> Record:
        entry = self._shown("users", address)
        unified = [mapping.unified_role(role) for role in roles]
        return {
            "id": self._replica.ids.of("users", address),
            "remote_id": address,
            **((entry and entry.fields) or dict.fromkeys(("first_name", "last_name", "email"))),
            "hiring_team_roles": [role for role in unified if role],
            "job_roles": [
                {"remote_id": role, "remote_label": role, "unified_type": ours, "scope": "JOB"}
                for role, ours in zip(roles, unified, strict=True)
            ],
        }

    def _of_application(self, entry: Entry) -> Record:
        payload = entry.payload
        person = self._candidate_of(entry)
        stage = payload["currentStage"]
        return {
            "candidate": self.trimmed_candidate(person) if person is not None and person.fields else None,
            "current_stage": self._stage(stage["id"], stage["index"]),
            "job": self._job(payload["job"]["id"]),
        }

    def trimmed_candidate(self, entry: Entry) -> Record:
        whole = self.record("candidates", entry)
        keys = "id remote_id first_name last_name source remote_url email_addresses phone_numbers social_media tags"
        return {key: whole[key] for key in keys.split()}

    def _job(self, key: int) -> Record | None:
        entry = self._shown("jobs", key)
        if entry is None or entry.fields is None:
            return None
        return {"id": entry.id, "remote_id": str(key), "name": entry.fields["name"]}

    def _of_candidate(self, entry: Entry) -> Record:
        known = self._replica.tables["applications"].entries
        applications = [known[key] for key in self._owned(entry)]
        return {
            "applications": [self._of_candidates(one) for one in applications if one.is_live],
            "tags": [
                {"id": self._replica.ids.of("tags", tag), "remote_id": tag, "name": tag} for tag in entry.links[TAGS]
            ],
        }

    def _of_candidates(self, entry: Entry) -> Record:
        """An application as its candidate shows it."""
        stage = entry.payload["currentStage"]
        keys = "outcome rejection_reason_name rejected_at remote_url remote_created_at remote_updated_at"
        return {
            "id": entry.id,
            "remote_id": str(entry.key),
            "changed_at": iso(entry.changed),
            **{key: (entry.fields or {}).get(key) for key in keys.split()},
            "current_stage": self._stage(stage["id"], stage["index"]),
            "job": self._job(entry.payload["job"]["id"]),
        }
