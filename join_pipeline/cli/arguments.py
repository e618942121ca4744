"""Parsers of option values that several commands share: pairs, files, JSON.

Belongs here: parsing and its errors, which name the option. Not here: the options of one command.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from join_pipeline.csv_files import decoded
from join_pipeline.errors import SettingsError


def pair(option: str, text: str, mark: str = "=") -> tuple[str, str]:
    """Split `name=value` at the first mark. Raises `SettingsError` if there is no mark or no name."""
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise SettingsError(f"{option} needs the form name{mark}value.")
    return name.strip(), value.strip()


def file_content(option: str, path: str) -> bytes:
    """Read the file that an option names. Raises `SettingsError` if it can't be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{option}: {path} can't be read ({error.strerror}).") from None


def text_content(option: str, path: str) -> str:
    """The text of the file that an option names, or of standard input for `-`. Raises `SettingsError` if it is none."""
    content = sys.stdin.buffer.read() if path == "-" else file_content(option, path)
    return decoded(content, f"{option}: {'standard input' if path == '-' else path}")


def json_value(option: str, text: str | bytes) -> Any:
    """Decode the JSON text of an option. Raises `SettingsError` if it is not JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SettingsError(f"{option} is not JSON.") from None
