"""Requests: what a caller asks to be created, checked before anything goes over the wire.

Belongs here: the fields of a request and what is wrong with them, each fault with its field's name. Not here: the bytes
of attachments (documents), the job (jobs), which of JOIN's words a source is written as (written_source). A
message never repeats a value, because values are people's.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, LiteralString, Self, get_args

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from join_pipeline.errors import InputError

DocumentType = Literal[
    "CV", "COVER_LETTER", "PORTFOLIO", "CERTIFICATES", "REFERENCES", "TRANSCRIPT", "WORK_SAMPLES", "OTHER"
]
MAX_TEXT: Final = 255
MAX_URL: Final = 8192
MAX_EMAIL: Final = 254
MAX_LOCAL_PART: Final = 64
# marks that reverse the direction of reading, so that "cv_fdp.exe" reads as "cv_exe.pdf"
BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LABEL: Final = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_ATOM: Final = re.compile(r"[^\s@.,:;<>()\[\]\\\"\x00-\x1f\x7f]+")
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_PHONE: Final = re.compile(r"\+[0-9][0-9 ()/.-]{3,40}")


def is_email(text: str) -> bool:
    """Whether a text has the form of an e-mail address."""
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


def _is_printable(text: str) -> bool:
    return all(letter.isprintable() for letter in text if letter not in BIDI)


def _has_no_control(text: str) -> bool:
    # people's names have blanks that do not break, and joiners that do not show
    return not any(unicodedata.category(letter) == "Cc" for letter in text)


def _is_file_name(text: str) -> bool:
    return text.strip(". ") != "" and not any(letter in BIDI or letter in "/\\" for letter in text)


def _is_media_type(text: str) -> bool:
    return _MEDIA_TYPE.fullmatch(text.partition(";")[0].strip()) is not None


def _is_phone_number(text: str) -> bool:
    return _PHONE.fullmatch(text) is not None


def _check(is_right: Callable[[str], bool], fault: LiteralString) -> AfterValidator:
    """A check of a text, with the fault that its error states."""

    def check(text: str) -> str:
        if not is_right(text):
            raise PydanticCustomError("fault", fault)
        return text

    return AfterValidator(check)


CONTROL: Final = "has control characters"
Text = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_TEXT),
    _check(_has_no_control, CONTROL),
]
Url = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_URL),
    _check(_is_printable, CONTROL),
]
Base64 = Annotated[str, StringConstraints(strict=True, min_length=0)]
Email = Annotated[Text, _check(is_email, "is no e-mail address")]
PhoneNumber = Annotated[Text, _check(_is_phone_number, "JOIN takes numbers that begin with + and the country's code")]
FileName = Annotated[Text, _check(_is_file_name, "must be a file name, without folders and marks that turn it round")]
MediaType = Annotated[Text, _check(_is_media_type, "is no media type; an example is application/pdf")]


class Part(BaseModel):
    """A JSON object of a request. A field whose value is null counts as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    not_taken: ClassVar[frozenset[str]] = frozenset()
    """Fields of Kombo's unified schema that JOIN has no place for. They are accepted, and a warning names them."""

    _not_written: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _given(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(raw, Mapping):
            raise PydanticCustomError("fault", "must be an object")
        absent = {key for key, value in raw.items() if value is None and key in cls.model_fields}
        part = handler({key: value for key, value in raw.items() if key not in cls.not_taken | absent})
        part._not_written = tuple(key for key, value in raw.items() if key in cls.not_taken and value is not None)
        return part


class Person(Part):
    """Who applies."""

    not_taken = frozenset(
        {
            "additional_email_addresses",
            "additional_phone_numbers",
            "availability_date",
            "company",
            "gender",
            "location",
            "salary_expectations",
            "social_links",
            "title",
        }
    )

    first_name: Text
    last_name: Text
    email_address: Email
    phone_number: PhoneNumber | None = None


class Application(Part):
    """What the person applies to."""

    not_taken = frozenset({"stage_id"})

    job_id: Text


class Attachment(Part):
    """A file to go along: its bytes in base64, or the URL that it is downloaded from."""

    name: FileName
    type: Annotated[DocumentType, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]
    data: Base64 | None = None
    data_url: Url | None = None
    content_type: MediaType | None = None

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if (self.data is None) == (self.data_url is None):
            raise PydanticCustomError("fault", "needs exactly one of data and data_url")
        return self


class GivenSource(Part):
    """Where the application comes from, in the caller's words."""

    name: Text | None = None
    unified_key: Text | None = None
    id: Text | None = None


class ApplicationRequest(Part):
    """An application to be created, with its candidate."""

    not_taken = frozenset({"stage_id", "sourced_by", "gdpr_consent", "remote_fields", "screening_question_answers"})

    candidate: Person
    application: Application
    attachments: tuple[Attachment, ...] = ()
    source: GivenSource | None = None

    @property
    def not_written(self) -> tuple[str, ...]:
        """Names of the fields that were given and that JOIN has no place for."""
        return (
            *self._not_written,
            *(f"candidate.{name}" for name in self.candidate._not_written),
            *(f"application.{name}" for name in self.application._not_written),
        )

    def canonical(self) -> str:
        """The text that a request is recognised by. Its digest is in the journal, so the text must never change."""
        parts = {
            "candidate": self.candidate.model_dump(),
            "job_id": self.application.job_id,
            "attachments": [attachment.model_dump() for attachment in self.attachments],
            "source": self.source and self.source.model_dump(),
            "not_written": self.not_written,
        }
        return msgspec.json.encode(parts).decode()


PARTS: Final[dict[str, type[Part]]] = {
    "": ApplicationRequest,
    "candidate": Person,
    "application": Application,
    "attachments": Attachment,
    "source": GivenSource,
}
"""The parts by the names that a request gives them. The request as a whole has no name."""
FAULTS: Final = {
    "missing": "is missing",
    "string_type": "must be a text",
    "string_unicode": "is no text",
    "string_too_short": "must be a text that is not empty",
    "string_too_long": "is longer than {max_length} characters",
    "literal_error": f"must be one of {', '.join(get_args(DocumentType))}",
    "tuple_type": "must be a list",
}
"""What a message says, by pydantic's type of error. An error of type `fault` has its message already."""
UNKNOWN_FIELD: Final = ("extra_forbidden", "invalid_key")


def read_request(raw: Mapping[str, Any]) -> ApplicationRequest:
    """The request in a JSON object. `InputError` names the first field that is wrong."""
    try:
        return ApplicationRequest.model_validate(raw)
    except ValidationError as error:
        # an unknown field comes first: where a name is misspelt, the right field is missing, too
        first = min(error.errors(include_input=False), key=lambda fault: fault["type"] not in UNKNOWN_FIELD)
        raise _input_error(first) from None


def _input_error(fault: ErrorDetails) -> InputError:
    *where, last = fault["loc"] or ("",)
    if fault["type"] in UNKNOWN_FIELD:
        known = ", ".join(sorted(PARTS[str(where[0]) if where else ""].model_fields))
        # a key that can't be a field's name may be a value
        return InputError(_field(*where, last) if str(last).isidentifier() else _field(*where), f"known is: {known}")
    message = FAULTS.get(fault["type"])
    return InputError(_field(*where, last), message.format_map(fault.get("ctx", {})) if message else fault["msg"])


def _field(*where: int | str) -> str:
    """A place in a request, as in `attachments[0].name`."""
    text = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in where)
    return text.removeprefix(".") or "request"
