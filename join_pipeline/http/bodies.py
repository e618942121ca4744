"""What is in the body of an answer, before anybody asks what it means: JSON or not, and what of it may be shown."""

import re
from typing import Final

import msgspec

MAX_MESSAGE: Final = 200
# an escaped backslash and a whole pair are matched to be left alone; what is captured is half a pair
_SURROGATES: Final = re.compile(rb"\\\\|\\u[dD][89aAbB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)")


def as_json(body: bytes) -> bytes | None:
    """The body, if it is JSON.

    Half a surrogate pair, which JavaScript leaves where it cuts a text inside an emoji, is JSON and yet no text: it
    becomes U+FFFD, so that one such title does not make a whole list unreadable.
    """
    if _is_json(body):
        return body
    mended = _SURROGATES.sub(lambda match: match[0] if match[1] is None else rb"\ufffd", body)
    return mended if _is_json(mended) else None


def shown(text: object, secrets: tuple[str, ...]) -> str | None:
    """What an API says went wrong, short; nothing where it holds a secret or what looks like a person's data."""
    if not isinstance(text, str) or "@" in text or any(secret in text for secret in secrets):
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"“{' '.join(printable.split())[:MAX_MESSAGE]}”"


def _is_json(body: bytes) -> bool:
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
