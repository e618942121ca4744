"""Requests: what a caller asks to be created, checked before anything goes over the wire.

Belongs here: the fields of a request and what is wrong with them, each fault with its field's name. Not here: the bytes
of attachments (documents), the job (jobs), how a source is written (sources). A message never repeats a value: values
are people's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from join_pipeline.errors import InputError

JOIN_DOCUMENT_TYPES: Final = (
    "CV",
    "COVER_LETTER",
    "PORTFOLIO",
    "CERTIFICATES",
    "REFERENCES",
    "TRANSCRIPT",
    "WORK_SAMPLES",
    "OTHER",
)
TAKEN: Final = {
    "": {"candidate", "application", "attachments", "source"},
    "candidate": {"first_name", "last_name", "email_address", "phone_number"},
    "application": {"job_id"},
    "attachments": {"name", "type", "data", "data_url", "content_type"},
    "source": {"name", "unified_key", "id"},
}
"""By part of the request, its fields."""
NOT_WRITTEN: Final = {
    "": {"stage_id", "sourced_by", "gdpr_consent", "remote_fields", "screening_question_answers"},
    "candidate": {
        "additional_email_addresses",
        "additional_phone_numbers",
        "availability_date",
        "company",
        "gender",
        "location",
        "salary_expectations",
        "social_links",
        "title",
    },
    "application": {"stage_id"},
}
"""Fields of Kombo's unified schema that JOIN takes nowhere: accepted, and told in a warning."""
MAX_NAME: Final = 255
MAX_EMAIL: Final = 254
MAX_LOCAL_PART: Final = 64
# what turns the reading direction of a file name round, so that "cv_fdp.exe" reads as "cv_exe.pdf"
BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LABEL: Final = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_ATOM: Final = re.compile(r"[^\s@.,:;<>()\[\]\\\"\x00-\x1f\x7f]+")
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_PHONE: Final = re.compile(r"\+[0-9][0-9 ()/.-]{3,40}")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who applies."""

    first_name: str
    last_name: str
    email_address: str
    phone_number: str | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file to go along: its bytes in base64, or where they are to be had."""

    name: str
    type: str
    data: str | None = None
    data_url: str | None = None
    content_type: str | None = None


class GivenSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the application comes from, in the caller's words."""

    name: str | None = None
    unified_key: str | None = None
    id: str | None = None


class ApplicationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An application to be created, with its candidate. `not_written` names fields that JOIN has no place for."""

    candidate: Person
    job_id: str
    attachments: tuple[Attachment, ...] = ()
    source: GivenSource | None = None
    not_written: tuple[str, ...] = ()


def read_request(raw: Mapping[str, Any]) -> ApplicationRequest:
    """The request in a JSON object. `InputError` names the first field that is wrong."""
    given = _object(raw, "request")
    not_written = [*_unknown(given, "", "")]
    person = _object(given.get("candidate"), "candidate")
    application = _object(given.get("application"), "application")
    not_written += [*_unknown(person, "candidate", "candidate."), *_unknown(application, "application", "application.")]
    attachments = given.get("attachments")
    if attachments is not None and not isinstance(attachments, list | tuple):
        raise InputError("attachments", "must be a list")
    source = given.get("source")
    return ApplicationRequest(
        candidate=_person(person),
        job_id=_text(application, "job_id", "application."),
        attachments=tuple(_attachment(item, f"attachments[{n}]") for n, item in enumerate(attachments or ())),
        source=None if source is None else _source(_object(source, "source")),
        not_written=tuple(not_written),
    )


def is_email(text: str) -> bool:
    """Whether it is an address that a mail can be sent to, as far as its form tells."""
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    return bool(
        at
        and len(text) <= MAX_EMAIL
        and len(local) <= MAX_LOCAL_PART
        and all(_ATOM.fullmatch(atom) for atom in local.split("."))
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def _person(raw: Mapping[str, Any]) -> Person:
    email = _text(raw, "email_address", "candidate.")
    if not is_email(email):
        raise InputError("candidate.email_address", "is no e-mail address")
    phone = _optional(raw, "phone_number", "candidate.")
    if phone is not None and not _PHONE.fullmatch(phone):
        raise InputError("candidate.phone_number", "JOIN takes numbers that begin with + and the country's code")
    return Person(
        first_name=_text(raw, "first_name", "candidate."),
        last_name=_text(raw, "last_name", "candidate."),
        email_address=email,
        phone_number=phone,
    )


def _attachment(raw: Any, where: str) -> Attachment:
    given = _object(raw, where)
    list(_unknown(given, "attachments", f"{where}."))
    kind = _text(given, "type", f"{where}.")
    if kind not in JOIN_DOCUMENT_TYPES:
        raise InputError(f"{where}.type", f"must be one of {', '.join(JOIN_DOCUMENT_TYPES)}")
    name = _text(given, "name", f"{where}.")
    if any(letter in BIDI or letter in "/\\" for letter in name) or name.strip(". ") == "":
        raise InputError(f"{where}.name", "must be a file name, without folders and marks that turn it round")
    media_type = _optional(given, "content_type", f"{where}.")
    if media_type is not None and not _MEDIA_TYPE.fullmatch(media_type.partition(";")[0].strip()):
        raise InputError(f"{where}.content_type", "is no media type; an example is application/pdf")
    data, url = given.get("data"), _optional(given, "data_url", f"{where}.")
    if (data is None) == (url is None):
        raise InputError(where, "needs exactly one of data and data_url")
    if data is not None and not isinstance(data, str):
        raise InputError(f"{where}.data", "must be base64 text")
    return Attachment(name=name, type=kind, data=data, data_url=url, content_type=media_type)


def _source(raw: Mapping[str, Any]) -> GivenSource:
    list(_unknown(raw, "source", "source."))
    return GivenSource(**{key: _optional(raw, key, "source.") for key in ("name", "unified_key", "id")})


def _unknown(raw: Mapping[str, Any], part: str, where: str) -> Iterator[str]:
    """Fields that JOIN has no place for. One that no schema has is refused: it may be a misspelt one."""
    for key, value in raw.items():
        if key in TAKEN[part]:
            continue
        if key not in NOT_WRITTEN.get(part, ()):
            known = ", ".join(sorted(TAKEN[part]))
            raise InputError(f"{where}{key}" if str(key).isidentifier() else where or "request", f"known is: {known}")
        if value is not None:
            yield f"{where}{key}"


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(field, "is missing" if value is None else "must be an object")
    return value


def _text(raw: Mapping[str, Any], key: str, where: str) -> str:
    value = _optional(raw, key, where)
    if value is None:
        raise InputError(f"{where}{key}", "is missing")
    return value


def _optional(raw: Mapping[str, Any], key: str, where: str) -> str | None:
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}{key}", "must be a text that is not empty")
    text = value.strip()
    if len(text) > (MAX_NAME if key != "data_url" else 8192):
        raise InputError(f"{where}{key}", f"is longer than {MAX_NAME} characters")
    if not all(letter.isprintable() for letter in text if letter not in BIDI):
        raise InputError(f"{where}{key}", "has control characters")
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        raise InputError(f"{where}{key}", "is no text") from None
    return text
