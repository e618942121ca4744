"""What is in the body of an answer, before anybody asks what it means: JSON or not, a list's records, a message.

Belongs here: telling bodies apart, and what of an error may be shown. Not here: what a record means (payloads).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

MAX_MESSAGE: Final = 200
# an escaped backslash and a whole pair are matched to be left alone; what is captured is half a pair
_SURROGATES: Final = re.compile(rb"\\\\|\\u[dD][89aAbB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)")


class _Keyed(msgspec.Struct, rename="camel"):
    id: int | str
    last_updated_at: Any = None


_KEYED: Final = msgspec.json.Decoder(_Keyed)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came; JOIN's own id and lastUpdatedAt are None where they can't be read."""

    id: str | None
    updated: str | None
    payload: bytes


def as_json(body: bytes) -> bytes | None:
    """The body, if it is JSON.

    Half a surrogate pair, which JavaScript leaves where it cuts a text inside an emoji, is JSON and yet no text: it
    becomes U+FFFD, so that one such title does not make a whole list unreadable.
    """
    if _is_json(body):
        return body
    mended = _SURROGATES.sub(lambda match: match[0] if match[1] is None else rb"\ufffd", body)
    return mended if _is_json(mended) else None


def records_of(body: bytes) -> list[Record] | None:
    """The records of a list, or None where the JSON is no list."""
    try:
        return [_record(bytes(raw)) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except msgspec.DecodeError:
        return None


def message_of(body: bytes, token: str) -> str | None:
    """What JOIN says went wrong, short; nothing where it holds the token or what looks like a person's data."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(answer, dict):
        return None
    error = answer.get("error")
    text = (error.get("message") if isinstance(error, dict) else None) or answer.get("message")
    if not isinstance(text, str) or "@" in text or token in text:
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"“{' '.join(printable.split())[:MAX_MESSAGE]}”"


def _record(payload: bytes) -> Record:
    try:
        keyed = _KEYED.decode(payload)
    except msgspec.DecodeError:
        return Record(None, None, payload)
    updated = keyed.last_updated_at
    return Record(str(keyed.id), updated if isinstance(updated, str) else None, payload)


def _is_json(body: bytes) -> bool:
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
