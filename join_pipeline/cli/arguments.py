"""Parsers of option values that several commands share: pairs, files, JSON.

Belongs here: parsing and its errors, which name the option. Not here: the options of one command.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from join_pipeline import csv_files
from join_pipeline.csv_files import MOST_BYTES, decoded
from join_pipeline.errors import SettingsError, foreign


def pair(option: str, text: str, mark: str = "=") -> tuple[str, str]:
    """Split `name=value` at the first mark. Raises `SettingsError` if there is no mark or no name."""
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise SettingsError(f"{option} needs the form name{mark}value.")
    return name.strip(), value.strip()


def file_content(option: str, path: str) -> bytes:
    """Read the file that an option names. Raises `SettingsError` if it can't be read or is no plain file."""
    return csv_files.file_content(Path(path), f"{option}: {path}")


def input_content(option: str, *, is_line: bool = False) -> bytes:
    """Standard input, or one line of it, as bytes. Raises `SettingsError` if it can't be read."""
    source = getattr(sys.stdin, "buffer", None)
    try:
        if source is None:
            content = (sys.stdin.readline() if is_line else sys.stdin.read()).encode()
        else:
            content = source.readline(MOST_BYTES + 1) if is_line else source.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{option}: standard input can't be read ({foreign(error)}).") from None
    if len(content) > MOST_BYTES:
        raise SettingsError(f"{option}: standard input is larger than {MOST_BYTES // 10**6} MB.")
    return content


def text_content(option: str, path: str, *, is_line: bool = False) -> str:
    """The text of the file that an option names, or of standard input for `-`, or one line of it.

    Raises `SettingsError` if it is no text.
    """
    if path == "-":
        return decoded(input_content(option, is_line=is_line), f"{option}: standard input")
    return decoded(file_content(option, path), f"{option}: {path}")


def json_value(option: str, text: str | bytes) -> Any:
    """Decode the JSON text of an option. Raises `SettingsError` if it is not JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise SettingsError(f"{option} is not JSON.") from None
