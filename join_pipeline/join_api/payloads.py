"""JOIN's payloads, typed: closed where a wrong value would falsify history, open everywhere else.

A field without a default must be there (some may be null): without it the record breaks the contract and is set aside.
Enums are plain text: an unknown word passes and is counted. Keys that no field names are kept and counted as extras.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from join_pipeline.errors import ContractError

# outside of these an instant stands for something else: year 1 for none, year 9999 for never
MIN_INSTANT: Final = datetime(1900, 1, 1, tzinfo=UTC)
MAX_INSTANT: Final = datetime(9000, 1, 1, tzinfo=UTC)
PayloadT = TypeVar("PayloadT", bound="Payload")
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What an Arrow column holds: JSON's own numbers have no end."""


class Payload(msgspec.Struct, rename="camel", kw_only=True):
    """A JSON object of JOIN."""


class StagePayload(Payload):
    id: Whole
    name: str
    index: Whole | None = None


class JobReference(Payload):
    id: Whole
    title: str | None = None
    external_id: str | None = None


class Country(Payload):
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
    product: str | None = None
    is_premium: bool | None = None


class ScreeningAnswer(Payload):
    """A question with its answer, as an application shows it. The answer stays in the raw payload."""

    question: str
    type: str | None = None


class Consent(Payload):
    consent_status: str | None = None


class ApplicationPayload(Payload):
    """One application, as listed and as read by its id."""

    id: Whole
    created_at: datetime
    last_updated_at: datetime
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
    """A question of a job's form: known from the write side, read where JOIN shows it."""

    name: str
    type: str | None = None
    options: list[Any] | None = None
    required: bool | None = None


class TeamMember(Payload):
    """A seat in the hiring team: known from the write side, read where JOIN shows it."""

    hiring_team_member: Contact | None = None
    job_role: str | None = None


class JobPayload(Payload):
    """One job, as listed with `content=true` and as read by its id."""

    id: Whole
    title: str
    status: str
    created_at: datetime
    last_updated_at: datetime
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
    """A row of a reference list; a category has sub-categories, and those are what jobs name."""

    id: int
    name: str | None = None
    sub_categories: list["Reference"] | None = None


_DECODERS: dict[type[Payload], msgspec.json.Decoder[Any]] = {}


def decode(kind: type[PayloadT], text: str | bytes) -> PayloadT:
    """The payload as `kind`, its instants in UTC. Raises `ContractError` that names the field, never its value."""
    decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    try:
        payload: PayloadT = decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ContractError("not JSON") from None
    for name, value in _instants(payload):
        try:
            instant = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:  # 9999-12-31T23:59:59-01:00 is in a year that Python has not
            instant = datetime.max.replace(tzinfo=UTC)
        if not MIN_INSTANT <= instant <= MAX_INSTANT:
            raise ContractError(f"Instant out of range - at `$.{key_of(kind, name)}`")
        setattr(payload, name, instant)
    return payload


def _instants(payload: Payload) -> Iterator[tuple[str, datetime]]:
    for name in payload.__struct_fields__:
        value = getattr(payload, name)
        if isinstance(value, datetime):
            yield name, value


def key_of(kind: type[Payload], name: str) -> str:
    """JOIN's key for a field."""
    return kind.__struct_encode_fields__[kind.__struct_fields__.index(name)]


def extras(kind: type[Payload], payload: dict[str, Any]) -> list[str]:
    """Keys of `payload` that `kind` does not name."""
    known = set(kind.__struct_encode_fields__)
    return [key for key in payload if key not in known]
