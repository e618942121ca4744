"""JOIN's payloads as types. A payload that has not exactly these types is read field by field, and what is odd counted.

A field without a default is due, and null where its type says so. Only the fields in `identity` must be readable.
Enums are plain text, so an unknown word is kept and counted. Keys without a field are kept and counted as extras.
"""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from join_pipeline.http.contracts import Due, Part, Whole


class Payload(Part, rename="camel", kw_only=True):
    """A JSON object of JOIN."""


class StagePayload(Payload):
    id: Whole
    name: Due[str]
    index: Whole | None = None


class JobReference(Payload):
    id: Whole
    title: str | None = None
    external_id: str | None = None


class Country(Payload):
    bare: ClassVar[str | None] = "name"
    name: str | None = None
    iso3166: str | None = None


class CandidatePayload(Payload):
    id: Whole
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    country: Country | None = None
    tags: list[str] | msgspec.UnsetType | None = msgspec.UNSET


class Source(Payload):
    bare: ClassVar[str | None] = "product"
    product: str | None = None
    is_premium: bool | None = None


class ScreeningAnswer(Payload):
    """A question of an application. Its answer stays in the raw payload."""

    identity: ClassVar[frozenset[str]] = frozenset({"question"})
    question: str
    type: str | None = None


class Consent(Payload):
    bare: ClassVar[str | None] = "consent_status"
    consent_status: str | None = None


class ApplicationPayload(Payload):
    """One application. The list and the request by id return the same type."""

    either: ClassVar[tuple[str, ...]] = ("state", "hiring_state")

    id: Whole
    created_at: Due[datetime]
    last_updated_at: Due[datetime]
    current_stage: StagePayload | None
    job: JobReference | None
    candidate: CandidatePayload | None
    state: str | msgspec.UnsetType | None = msgspec.UNSET
    hiring_state: str | msgspec.UnsetType | None = msgspec.UNSET
    source: Source | None = None
    screening_questions: list[ScreeningAnswer] | None = None
    qualified: str | None = None
    consent: Consent | None = None
    integration_external_id: str | None = None

    def __post_init__(self) -> None:
        if self.state is msgspec.UNSET and self.hiring_state is msgspec.UNSET:
            raise ValueError("neither `state` nor `hiringState` is there")

    @property
    def state_word(self) -> str | None:
        return self.state if isinstance(self.state, str) else self.hiring_state or None


class Office(Payload):
    bare: ClassVar[str | None] = "name"
    name: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country_iso: str | None = None


class Salary(Payload):
    from_: float | None = msgspec.field(name="from", default=None)
    to: float | None = None
    currency: str | None = None
    frequency: str | None = None


class Contact(Payload):
    name: str | None = None
    email: str | None = None


class JobQuestion(Payload):
    """A question of a job's form. Source: JOIN's requests for creating jobs; it may not be in every response."""

    identity: ClassVar[frozenset[str]] = frozenset({"name"})
    name: str
    type: str | None = None
    options: list[Any] | None = None
    required: bool | None = None


class TeamMember(Payload):
    """A member of the hiring team. Source: JOIN's requests for creating jobs; it may not be in every response."""

    hiring_team_member: Contact | None = None
    job_role: str | None = None


class JobPayload(Payload):
    """One job. The list with `content=true` and the request by id return the same type."""

    id: Whole
    title: Due[str]
    status: Due[str]
    created_at: Due[datetime]
    last_updated_at: Due[datetime]
    description: str | None = None
    external_id: str | None = None
    language: str | None = None
    workplace_type: str | None = None
    remote_type: str | None = None
    remote: bool | None = None
    category_id: int | None = None
    employment_type_id: int | None = None
    seniority_id: int | None = None
    office: Office | None = None
    salary: Salary | None = None
    contact: Contact | None = None
    questions: list[JobQuestion] | None = None
    hiring_team: list[TeamMember] | None = None


class Reference(Payload):
    """A row of a reference list. A category has sub-categories, and a job's category is one of these."""

    id: int
    name: str | None = None
    sub_categories: list["Reference"] | None = None
