"""The bodies of JOIN's responses: the records of a list, the message of an error.

Belongs here: reading bodies. Not here: what a record means (payloads), which error a status is (refusals).
"""

from typing import Any, Final

import msgspec

from join_pipeline.http.bodies import shown
from join_pipeline.http.pages import Record
from join_pipeline.http.unpacking import UNREADABLE


class _Keyed(msgspec.Struct, rename="camel"):
    id: int | str
    last_updated_at: Any = None


class _Complaint(msgspec.Struct):
    error: Any
    id: None = None  # a record has one


_KEYED: Final = msgspec.json.Decoder(_Keyed)


def records_of(body: bytes) -> list[Record] | None:
    """The records of a list; None if the JSON is not a list."""
    try:
        return [_record(bytes(raw)) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except UNREADABLE:
        return None


def object_of(body: bytes, remote_id: str) -> bytes | None:
    """The body, if it is an object that is not another record than `remote_id`; else None."""
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return None
    found = _record(body).id
    return body if found is None or found == remote_id else None


def is_complaint(body: bytes) -> bool:
    """Whether JSON is JOIN's error response, whatever its status."""
    try:
        return bool(msgspec.json.decode(body, type=_Complaint).error)
    except UNREADABLE:
        return False


def message_of(body: bytes, token: str) -> str | None:
    """The message of JOIN's error response, if it may be shown."""
    try:
        answer = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    if not isinstance(answer, dict):
        return None
    error = answer.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    return shown(said or answer.get("message") or error, (token,))


def _record(payload: bytes) -> Record:
    try:
        keyed = _KEYED.decode(payload)
    except UNREADABLE:
        return Record(None, None, payload)
    updated = keyed.last_updated_at
    return Record(str(keyed.id), updated if isinstance(updated, str) else None, payload)
