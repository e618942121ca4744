"""Signed URLs: a query that opens a file until it expires.

One signature serves every URL of its hour. A reader has to cope with queries that change and go stale, not with
cryptography.
"""

from hashlib import blake2b

from join_pipeline.sandbox.instants import SECOND


class Signer:
    """Signatures live one to two `seconds` from when they are given."""

    def __init__(self, seed: int, seconds: float) -> None:
        self._key = f"sandbox {seed}".encode()
        self._window = max(int(seconds * SECOND), 1)

    def _signature(self, expires: str, nonce: str) -> str:
        return blake2b(f"{expires}/{nonce}".encode(), key=self._key, digest_size=16).hexdigest()

    def query(self, now: int, nonce: str = "") -> bytes:
        expires = str((now // self._window + 2) * self._window)
        told = f"&nonce={nonce}" if nonce else ""
        return f"expires={expires}{told}&signature={self._signature(expires, nonce)}".encode()

    def opens(self, expires: str, nonce: str, signature: str, now: int) -> bool:
        is_instant = expires.isascii() and expires.isdigit()
        return is_instant and now <= int(expires) and signature == self._signature(expires, nonce)
