"""The bodies of Kombo's responses: the records of a list, an integration, an error.

Belongs here: Kombo's envelope. Not here: what a record means (payloads), which error a code is (refusals).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from join_pipeline.http.pages import Record, keys_of
from join_pipeline.http.tolerant import UNREAD_JSON, parse, split


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list. `next` is the cursor of the next page; None on the last one."""

    records: list[Record]
    next: str | None


class Part(msgspec.Struct):
    """A model or an action of an integration, and whether it is available."""

    id: str
    is_available: bool = True


class Integration(msgspec.Struct):
    """The condition of an integration."""

    status: str
    setup_status: str
    read_models: list[Part] = []


class Refusal(msgspec.Struct):
    """The content of an error envelope."""

    code: str | None = None
    title: str | None = None
    message: str | None = None


class _Results(msgspec.Struct):
    results: list[msgspec.Raw]
    next: Annotated[str, msgspec.Meta(min_length=1)] | None  # an empty cursor would be the first page's


class _List(msgspec.Struct):
    data: _Results


class _Details(msgspec.Struct):
    data: Integration


class _Error(msgspec.Struct):
    error: Refusal


class _Envelope(msgspec.Struct):
    status: Any = None
    error: Any = None
    data: Any = None

    @property
    def is_error(self) -> bool:
        return self.data is None and (self.status == "error" or bool(self.error))


class _Keyed(msgspec.Struct, rename={"updated": "changed_at"}):
    id: str
    updated: Any = None


_LIST: Final[msgspec.json.Decoder[_List]] = msgspec.json.Decoder(_List)
_DETAILS: Final[msgspec.json.Decoder[_Details]] = msgspec.json.Decoder(_Details)
_ENVELOPE: Final[msgspec.json.Decoder[_Envelope]] = msgspec.json.Decoder(_Envelope)
_ERROR: Final[msgspec.json.Decoder[_Error]] = msgspec.json.Decoder(_Error)
_KEYED: Final[msgspec.json.Decoder[_Keyed]] = msgspec.json.Decoder(_Keyed)


def list_of(body: bytes) -> Listed | None:
    """A page of a list; None if the JSON is not one."""
    try:
        found = _LIST.decode(body).data
    except UNREAD_JSON:
        return _listed_in_parts(body)
    return Listed([_record(bytes(raw)) for raw in found.results], found.next)


def _listed_in_parts(body: bytes) -> Listed | None:
    """A page with a record that the strict reader refuses."""
    whole = split(body)
    data = split(whole["data"]) if isinstance(whole, dict) and "data" in whole else None
    if not isinstance(data, dict) or not {"results", "next"} <= data.keys():
        return None
    results, following = split(data["results"]), parse(data["next"])
    if not isinstance(results, list) or not isinstance(following, str | None) or following == "":
        return None
    return Listed([_record(result.encode()) for result in results], following)


def integration_of(body: bytes) -> Integration | None:
    """An integration; None if the JSON is not one."""
    try:
        return _DETAILS.decode(body).data
    except UNREAD_JSON:
        return None


def is_refusal(body: bytes) -> bool:
    """Whether JSON is an error in its envelope, whatever its status."""
    try:
        return _ENVELOPE.decode(body).is_error
    except UNREAD_JSON:
        return False


def refusal_of(body: bytes) -> Refusal:
    """The error in the envelope. All of its fields are None if the body is not an envelope."""
    try:
        return _ERROR.decode(body).error
    except UNREAD_JSON:
        return Refusal()


def _record(payload: bytes) -> Record:
    return Record(*keys_of(payload, _KEYED, "changed_at"), payload)
