"""The bodies of JOIN's responses: the records of a list, the message of an error.

Belongs here: reading bodies. Not here: what a record means (payloads), which error a status is (refusals).
"""

from typing import Any, Final

import msgspec

from join_pipeline.http.bodies import shown
from join_pipeline.http.pages import Record


class _Keyed(msgspec.Struct, rename="camel"):
    id: int | str
    last_updated_at: Any = None


_KEYED: Final = msgspec.json.Decoder(_Keyed)


def records_of(body: bytes) -> list[Record] | None:
    """The records of a list; None if the JSON is not a list."""
    try:
        return [_record(bytes(raw)) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except msgspec.DecodeError:
        return None


def message_of(body: bytes, token: str) -> str | None:
    """The message of JOIN's error response, if it may be shown."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(answer, dict):
        return None
    error = answer.get("error")
    return shown((error.get("message") if isinstance(error, dict) else None) or answer.get("message"), (token,))


def _record(payload: bytes) -> Record:
    try:
        keyed = _KEYED.decode(payload)
    except msgspec.DecodeError:
        return Record(None, None, payload)
    updated = keyed.last_updated_at
    return Record(str(keyed.id), updated if isinstance(updated, str) else None, payload)
