"""Kombo's webhooks: whether one is Kombo's, and whether it tells of new data. Pure.

The signature is over the raw bytes: it is checked before anything is parsed, and in constant time.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final

import msgspec

SIGNATURE_HEADER: Final = "X-Kombo-Signature"
TELL_OF_DATA: Final = frozenset({"data-changed", "sync-finished"})


class _Typed(msgspec.Struct):
    type: str


_DECODER: Final = msgspec.json.Decoder(_Typed)


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether whoever sent this knows the secret."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    expected = urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(expected, signature.strip().rstrip("=").encode(errors="replace"))


def tells_of_data(body: bytes) -> bool:
    """Whether a webhook says that there may be something new to read. What is none says nothing."""
    try:
        return _DECODER.decode(body).type in TELL_OF_DATA
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
