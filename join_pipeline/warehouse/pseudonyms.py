"""Pseudonyms of applications, candidates, users and tags: an HMAC with a key that never lies in the data folder.

Somebody who guesses the source's id, or a tag's text, can compute our id, but not the pseudonym without the key. If the
key is lost, readers get new pseudonyms, and nothing else is lost.
Belongs here: the pseudonym and its key. Not here: storing pseudonyms (load).
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from join_pipeline.errors import LakeError, SettingsError
from join_pipeline.lake.files import create_whole, write_whole
from join_pipeline.models.ids import base58
from join_pipeline.settings import Settings

MODELS: Final = ("applications", "candidates", "users", "tags")
LENGTH: Final = 26
DIGEST_BYTES: Final = 19  # 58 ** 26 > 256 ** 19


def pseudonym(key: bytes, model: str, record_id: str) -> str:
    """The pseudonym: 26 characters of base58, from the first 19 bytes of HMAC-SHA256 over the model and our id."""
    digest = hmac.new(key, f"{model}\n{record_id}".encode(), hashlib.sha256).digest()
    return base58(digest[:DIGEST_BYTES], LENGTH)


def pseudonym_key(settings: Settings) -> bytes:
    """The key from the environment, else from its file."""
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    return key_from_file(settings.pseudonym_key_file)


def creation_key(settings: Settings) -> bytes:
    """The key of the journal of creations: that of the pseudonyms before they were rotated for the first time."""
    path = settings.creation_key_file
    return key_from_file(path) if path.exists() else pseudonym_key(settings)


def rotate(settings: Settings) -> None:
    """Put a new key in the place of the key in its file. The old one stays only as that of the journal of creations.

    Raises `SettingsError` if the key is in the environment.
    """
    if settings.pseudonym_key is not None:
        raise SettingsError(
            "JOIN_PIPELINE_PSEUDONYM_KEY has the key, so only you can change it. Keep the old one in "
            f"{settings.creation_key_file} (mode 0600), so that creations stay exactly-once."
        )
    path = settings.pseudonym_key_file
    create_whole(
        settings.creation_key_file, key_from_file(path)
    )  # first: with another key, a creation could be sent twice
    write_whole(path, secrets.token_hex(32).encode())


def key_from_file(path: Path) -> bytes:
    """The key in this file. The first use creates it with mode 0600, and all processes use the same one.

    Raises `SettingsError` if others can read the file or the key is too short, `LakeError` if it can't be read.
    """
    try:
        if not path.exists():
            create_whole(path, secrets.token_hex(32).encode())
        if path.stat().st_mode & 0o077 and os.name == "posix":
            raise SettingsError(f"{path} can be read by others. Run: chmod 600 {path}")
        key = path.read_bytes().strip()
    except OSError as error:
        raise LakeError(
            f"The pseudonym key {path} can't be read ({error.strerror}). Correct that, then run it again."
        ) from None
    if len(key) < 16:
        raise SettingsError(f"{path} holds no key. A key has at least 16 characters. Delete the file to get a new one.")
    return key
