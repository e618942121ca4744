"""Kombo's webhooks: whether one is Kombo's, and whether it is about new data. Pure.

The signature is over the raw bytes: it is checked before anything is parsed, and in constant time.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from join_pipeline.sources.kombo.options import KomboOptions

SIGNATURE_HEADER: Final = "X-Kombo-Signature"
ABOUT_DATA: Final = frozenset({"data-changed", "sync-finished"})


@dataclass(frozen=True, slots=True)
class KomboWebhooks:
    """Webhooks as Kombo sends them, signed with the secret that the options have."""

    options: KomboOptions

    def check(self) -> None:
        self.options.webhook_secret()

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        return is_signed(self.options.webhook_secret(), body, headers.get(SIGNATURE_HEADER, ""))

    def is_about_data(self, body: bytes) -> bool:
        return is_about_data(body)


class _Typed(msgspec.Struct):
    type: str


_DECODER: Final = msgspec.json.Decoder(_Typed)


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether whoever sent this knows the secret."""
    expected = signature_of(secret, body).encode()
    return hmac.compare_digest(expected, signature.strip().rstrip("=").encode(errors="replace"))


def signature_of(secret: str, body: bytes) -> str:
    """The signature of a body, without padding."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_about_data(body: bytes) -> bool:
    """Whether a webhook says that there may be something new to read. What is none says nothing."""
    try:
        return _DECODER.decode(body).type in ABOUT_DATA
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
