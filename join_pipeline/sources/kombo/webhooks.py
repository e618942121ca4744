"""Kombo's webhooks: whether Kombo signed one, and whether it reports new data of our integration.

The functions are pure. The signature covers the raw bytes. It is checked in constant time, before anything is parsed.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from join_pipeline.sources.kombo.options import KomboOptions

SIGNATURE_HEADER: Final = "X-Kombo-Signature"
TYPES: Final = ("data-changed", "sync-finished")
"""The types of webhooks that report new data."""


@dataclass(frozen=True, slots=True)
class KomboWebhooks:
    """Checks Kombo's webhooks with the secret in the options."""

    options: KomboOptions

    def check(self) -> None:
        self.options.webhook_secret()

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        return is_signed(self.options.webhook_secret(), body, headers.get(SIGNATURE_HEADER, ""))

    def is_about_data(self, body: bytes) -> bool:
        return is_about_data(body, self.options.lake_seed)


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether the signature is the body's signature with this secret."""
    expected = signature_of(secret, body).encode()
    return hmac.compare_digest(expected, signature.strip().rstrip("=").encode(errors="replace"))


def signature_of(secret: str, body: bytes) -> str:
    """The signature of a body: HMAC-SHA256 in URL-safe base64, without padding."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_about_data(body: bytes, integration_id: str | None) -> bool:
    """Whether a webhook reports that this integration may have new data. False if the body is not a webhook.

    All integrations of an environment at Kombo share one webhook and its secret. A webhook that names no integration
    may be of this one.
    """
    try:
        # odd characters and large numbers in a field that is not read here must not hide a change
        webhook = json.loads(body.decode("utf-8-sig", errors="replace"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    if not isinstance(webhook, dict) or webhook.get("type") not in TYPES:
        return False
    data = webhook.get("data")
    named = data.get("integration_id") if isinstance(data, dict) else None
    return integration_id is None or named is None or named == integration_id
