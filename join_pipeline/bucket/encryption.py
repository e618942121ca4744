"""Encryption of the files in a bucket by a key of the user's own: AES-256-GCM in chunks, so that memory is bounded.

    JPL1 | salt (16 bytes) | chunk, tag | chunk, tag | …

The salt makes a key of its own for each file. A chunk's nonce is its number, with a mark on the last one. The header
and the file's path are authenticated with each: so no chunk can be cut off, moved, or taken from another file.
Belongs here: the format, and whether a key is the right one. Not here: where the key comes from (settings).
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from join_pipeline.bucket.store import MISSING
from join_pipeline.errors import DamagedError, SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"JPL1"
SALT_BYTES: Final = 16
CHUNK: Final = 2**20
TAG_BYTES: Final = 16
_CHECK: Final = b"join-pipeline lake key"


@dataclass(frozen=True, slots=True)
class Cipher:
    """Encrypts and decrypts by one key."""

    secret: bytes = field(repr=False)

    @property
    def check(self) -> str:
        """What tells in the bucket whether a key is this one. It tells nothing of the key."""
        return hmac.new(hashlib.sha256(self.secret).digest(), _CHECK, hashlib.sha256).hexdigest()[:32]

    def encrypted(self, chunks: Iterable[bytes], path: str) -> Iterator[bytes]:
        """The encrypted file of this path below the connection's folder."""
        salt = secrets.token_bytes(SALT_BYTES)
        header = MAGIC + salt
        aead, about = self._aead(salt), header + path.encode()
        yield header
        for number, (chunk, is_last) in enumerate(_cut(chunks, CHUNK)):
            yield aead.encrypt(_nonce(number, is_last=is_last), chunk, about)

    def decrypted(self, chunks: Iterable[bytes], path: str) -> Iterator[bytes]:
        """The content. Raises `DamagedError` if the object is not what was put, and then gives no more of it."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  an extra

        rest = iter(chunks)
        head = b""
        while len(head) < len(MAGIC) + SALT_BYTES and (chunk := next(rest, None)) is not None:
            head += chunk
        header, begun = head[: len(MAGIC) + SALT_BYTES], head[len(MAGIC) + SALT_BYTES :]
        if len(header) < len(MAGIC) + SALT_BYTES or not header.startswith(MAGIC):
            raise DamagedError(f"{path} in the bucket is not encrypted as it should be. Restore it.")
        aead, about = self._aead(header[len(MAGIC) :]), header + path.encode()
        for number, (chunk, is_last) in enumerate(_cut(_chain(begun, rest), CHUNK + TAG_BYTES)):
            try:
                yield aead.decrypt(_nonce(number, is_last=is_last), chunk, about)
            except InvalidTag:
                raise DamagedError(f"{path} in the bucket was changed since it was put. Restore it.") from None

    def _aead(self, salt: bytes) -> "AESGCM":
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  an extra
            from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415
        except ImportError:
            raise SettingsError(MISSING) from None
        return AESGCM(HKDF(SHA256(), 32, salt, b"join-pipeline lake file").derive(self.secret))


def cipher_for(secret: str | None, known: str) -> Cipher | None:
    """The cipher of a key, if there is one. `known` is what the bucket tells of its key; empty if nothing is encrypted.

    Raises `SettingsError` if the bucket's key is another one.
    """
    cipher = None if secret is None else Cipher(secret.encode())
    if known and cipher is None:
        raise SettingsError(
            "The lake in the bucket is encrypted, and JOIN_PIPELINE_LAKE_KEY is not set. Set it. Without the key "
            "nobody can read the lake."
        )
    if known and cipher is not None and not hmac.compare_digest(cipher.check, known):
        raise SettingsError(
            "JOIN_PIPELINE_LAKE_KEY is not the key that the lake in the bucket is encrypted by. Set it to that one. "
            "Nothing was changed."
        )
    return cipher


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _cut(chunks: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of this size, each with whether it is the last. The last one is shorter, or empty if there is nothing."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
