"""Kombo's records as types. A record that has not exactly these types is read field by field, and what is odd counted.

Only its id must be readable, and whether it is deleted. Kombo sets the other fields to null 14 days after a record's
deletion, and fields that the connector does not cover are always null. Keys without a field are ignored, because
Kombo's schema grows.
"""

from datetime import datetime
from typing import Any, ClassVar

from join_pipeline.http.contracts import Due, Part, Whole


class Nested(Part, kw_only=True):
    """A record that another record shows."""

    id: str
    remote_id: str | None = None


class NamedRecord(Nested, kw_only=True):
    """A stage, a tag or a job that another record shows."""

    name: str | None = None


class JobStage(NamedRecord, kw_only=True):
    index: Whole | None = None


class Question(Nested, kw_only=True):
    title: str | None = None
    description: str | None = None
    format: dict[str, Any] | None = None
    required: bool | None = None
    precondition_question_id: str | None = None
    precondition_options: list[str] | None = None


class JobRole(Part, kw_only=True):
    """A role in one job: Kombo's word from a closed list, or only JOIN's label."""

    bare: ClassVar[str | None] = "remote_label"
    remote_label: str | None = None
    unified_type: str | None = None


class PersonRecord(Nested, kw_only=True):
    first_name: str | None = None
    last_name: str | None = None


class Member(PersonRecord, kw_only=True):
    email: str | None = None
    hiring_team_roles: list[str] | None = None
    job_roles: list[JobRole] | None = None


class Phone(Part, kw_only=True):
    bare: ClassVar[str | None] = "phone_number"
    phone_number: str | None = None
    type: str | None = None


class Email(Part, kw_only=True):
    bare: ClassVar[str | None] = "email_address"
    email_address: str | None = None
    type: str | None = None


class Place(Part, kw_only=True):
    bare: ClassVar[str | None] = "raw"
    city: str | None = None
    country: str | None = None
    raw: str | None = None
    state: str | None = None
    street_1: str | None = None
    street_2: str | None = None
    zip_code: str | None = None


class TrimmedCandidate(PersonRecord, kw_only=True):
    source: str | None = None
    phone_numbers: list[Phone] | None = None
    email_addresses: list[Email] | None = None


class RecordPayload(Part, kw_only=True):
    """One record of a list. An unreadable instant of its deletion leaves open whether it is there."""

    identity: ClassVar[frozenset[str]] = frozenset({"id", "remote_deleted_at"})

    id: str
    remote_id: str | None
    changed_at: Due[datetime]
    remote_deleted_at: datetime | None
    remote_data: dict[str, Any] | None = None


class UserPayload(RecordPayload, kw_only=True):
    first_name: str | None
    last_name: str | None
    email: str | None


class NamedPayload(RecordPayload, kw_only=True):
    """A tag or a stage. Only a stage has `global_index`."""

    name: str | None
    global_index: Whole | None = None


class CandidatePayload(RecordPayload, kw_only=True):
    first_name: str | None
    last_name: str | None
    source: str | None
    phone_numbers: list[Phone] | None
    email_addresses: list[Email] | None
    location: Place | None
    remote_created_at: datetime | None
    tags: Due[list[NamedRecord]]


class ApplicationPayload(RecordPayload, kw_only=True):
    outcome: str | None
    current_stage_id: str | None
    job_id: str | None
    candidate_id: str | None
    remote_created_at: datetime | None
    remote_updated_at: datetime | None
    candidate: TrimmedCandidate | None
    current_stage: NamedRecord | None
    job: NamedRecord | None


class JobPayload(RecordPayload, kw_only=True):
    name: str | None
    description: str | None
    employment_type: str | None
    status: str | None
    visibility: str | None
    category: str | None
    post_url: str | None
    experience_level: str | None
    salary_amount: float | None
    salary_amount_from: float | None
    salary_amount_to: float | None
    salary_currency: str | None
    salary_period: str | None
    location: Place | None
    custom_fields: dict[str, Any] | None
    integration_fields: list[dict[str, Any]] | None = None
    opened_at: datetime | None
    remote_created_at: datetime | None
    remote_updated_at: datetime | None
    contact_id: str | None
    stages: Due[list[JobStage]]
    screening_questions: Due[list[Question]]
    hiring_team: Due[list[Member]]
