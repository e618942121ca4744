"""The body of a response: whether it is JSON, and which text of it a message may show.

Belongs here: what is the same for every API. Not here: what a body means (contracts, each API's own answers).
"""

import re
from typing import Final

import msgspec

from join_pipeline.errors import ContractError
from join_pipeline.http.tolerant import UNREAD_JSON, as_text, parse

MAX_MESSAGE: Final = 200
# the first two alternatives skip escaped backslashes and whole pairs; the group captures half a pair
_SURROGATES: Final = re.compile(rb"\\\\|\\u[dD][89aAbB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)")


def as_json(body: bytes) -> bytes | None:
    """The body if it is JSON, else None.

    Half a surrogate pair becomes U+FFFD. JavaScript leaves one when it cuts a text inside an emoji. It is valid JSON
    but no valid text, and one such title would make a whole list unreadable. So would a byte that is not UTF-8. Numbers
    out of range and deep nesting stay as they came.
    """
    if _is_json(body):
        return body
    mended = _SURROGATES.sub(lambda match: match[0] if match[1] is None else rb"\ufffd", as_text(body).encode())
    return mended if _is_json(mended) or _is_whole(mended) else None


def _is_whole(body: bytes) -> bool:
    """Whether the body is JSON from its beginning to its end, although the strict reader refuses a part of it."""
    try:
        parse(body)
    except ContractError:
        return False
    return True


def shown(text: object, secrets: tuple[str, ...]) -> str | None:
    """An API's error text, at most 200 characters; None if it has a secret or something like an e-mail address."""
    if not isinstance(text, str) or "@" in text or any(secret in text for secret in secrets):
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"“{' '.join(printable.split())[:MAX_MESSAGE]}”"


def _is_json(body: bytes) -> bool:
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREAD_JSON:
        return False
    return True
