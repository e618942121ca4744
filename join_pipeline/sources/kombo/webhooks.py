"""Kombo's webhooks: whether Kombo signed one, and whether it reports new data. The functions are pure.

The signature covers the raw bytes. It is checked in constant time, before anything is parsed.
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
    """Checks Kombo's webhooks with the secret in the options."""

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
    """Whether the signature is the body's signature with this secret."""
    expected = signature_of(secret, body).encode()
    return hmac.compare_digest(expected, signature.strip().rstrip("=").encode(errors="replace"))


def signature_of(secret: str, body: bytes) -> str:
    """The signature of a body: HMAC-SHA256 in URL-safe base64, without padding."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_about_data(body: bytes) -> bool:
    """Whether a webhook reports that there may be new data. False if the body is not a webhook."""
    try:
        return _DECODER.decode(body).type in ABOUT_DATA
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
