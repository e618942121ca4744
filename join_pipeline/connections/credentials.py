"""Credentials: a connection's token in a file that only its owner can read.

Belongs here: the form of a token, storing and reading it. Not here: checking it at the source (connect), the path of
the file (settings).
"""

import os
import stat
from pathlib import Path

from join_pipeline.errors import LakeError, SettingsError
from join_pipeline.lake.files import write_whole


def checked_token(text: str, variable: str) -> str:
    """The token without surrounding blanks. Raises `SettingsError` with its variable, and never shows the token."""
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(f"{variable} has blanks or characters that no token has. Paste the raw token.")
    return token


def store_token(path: Path, token: str) -> None:
    """Store a checked token with mode 0600 in a folder of mode 0700."""
    write_whole(path, token.encode())


def stored_token(path: Path) -> str | None:
    """The stored token, or None. Raises `SettingsError` if others can read the file."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise SettingsError(f"{path} holds a token and can be read by others. Run: chmod 600 {path}")
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe or a device could wait for ever
            raise LakeError(f"{path} is no plain file. Remove it and run `join-pipeline connect` again.")
        return path.read_text("utf-8-sig").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        raise LakeError(f"The token in {path} can't be read. Run `join-pipeline connect` again.") from None
