"""How options are read that several commands share: pairs, files, JSON. A fault names the option."""

from pathlib import Path
from typing import Any

import msgspec

from join_pipeline.errors import SettingsError


def pair(option: str, text: str, mark: str = "=") -> tuple[str, str]:
    """`name=value`."""
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise SettingsError(f"{option} takes name{mark}value.")
    return name.strip(), value.strip()


def file_content(option: str, path: str) -> bytes:
    """What is in a file that an option names."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{option}: {path} can't be read ({error.strerror}).") from None


def json_value(option: str, text: str | bytes) -> Any:
    """What JSON text says."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SettingsError(f"{option} is not JSON.") from None
