"""The bodies of JOIN's responses: the records of a list, the message of an error.

Belongs here: reading bodies. Not here: what a record means (payloads), which error a status is (refusals).
"""

from typing import Any, Final

import msgspec

from join_pipeline.http.bodies import shown
from join_pipeline.http.lenient import whole_text
from join_pipeline.http.pages import Record, keys_of
from join_pipeline.http.tolerant import UNREAD_JSON, split


class _Keyed(msgspec.Struct, rename={"updated": "lastUpdatedAt"}):
    id: int | str
    updated: Any = None


class _Complaint(msgspec.Struct):
    error: Any
    id: None = None  # a record has one


_KEYED: Final = msgspec.json.Decoder(_Keyed)


def records_of(body: bytes) -> list[Record] | None:
    """The records of a list; None if the JSON is not a list."""
    try:
        return [_record(bytes(raw)) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except UNREAD_JSON:
        parts = split(body)
    return [_record(part.encode()) for part in parts] if isinstance(parts, list) else None


def object_of(body: bytes, remote_id: str) -> bytes | None:
    """The body, if it is an object that is not another record than `remote_id`; else None."""
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNREAD_JSON:
        if not isinstance(split(body), dict):
            return None
    found = _record(body).id
    return body if found is None or found == remote_id else None


def is_complaint(body: bytes) -> bool:
    """Whether JSON is JOIN's error response, whatever its status."""
    try:
        return bool(msgspec.json.decode(body, type=_Complaint).error)
    except UNREAD_JSON:
        return False


def message_of(body: bytes, token: str) -> str | None:
    """The message of JOIN's error response, if it may be shown."""
    try:
        answer = msgspec.json.decode(body)
    except UNREAD_JSON:
        return None
    if not isinstance(answer, dict):
        return None
    error = answer.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    return shown(said or answer.get("message") or error, (token,))


def _record(payload: bytes) -> Record:
    record_id, updated = keys_of(payload, _KEYED, "lastUpdatedAt")
    return Record(record_id and (whole_text(record_id) or record_id), updated, payload)
