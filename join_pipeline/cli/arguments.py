"""Parsers of option values that several commands share: pairs, files, JSON.

Belongs here: parsing and its errors, which name the option. Not here: the options of one command.
"""

import codecs
import stat
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.errors import SettingsError, foreign

MOST_BYTES: Final = 200_000_000
# the mark of UTF-32 begins with the mark of UTF-16
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def pair(option: str, text: str, mark: str = "=") -> tuple[str, str]:
    """Split `name=value` at the first mark. Raises `SettingsError` if there is no mark or no name."""
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise SettingsError(f"{option} needs the form name{mark}value.")
    return name.strip(), value.strip()


def file_content(option: str, path: str) -> bytes:
    """Read the file that an option names. Raises `SettingsError` if it can't be read or is no plain file."""
    try:
        file = Path(path).expanduser()
        # reading a pipe or a device could wait for ever
        if not stat.S_ISREG(file.stat().st_mode):
            raise SettingsError(f"{option}: {path} is no plain file.")
        if file.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{option}: {path} is larger than {MOST_BYTES // 10**6} MB.")
        return file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingsError(f"{option}: {path} can't be read ({foreign(error)}).") from None


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


def text_of(option: str, content: bytes) -> str:
    """The text of a file or of standard input: UTF-8, or UTF-16 and UTF-32 that show it. Raises `SettingsError`.

    Another encoding is not guessed, because a wrong guess gives other names.
    """
    marked = next((name for mark, name in MARKS if content.startswith(mark)), None)
    # the first character of a text is below 256: without a mark, the place of its zero byte shows UTF-16
    unmarked = {b"\0": "utf-16-be"}.get(content[:1], "utf-16-le" if content[1:2] == b"\0" else "utf-8")
    try:
        return content.decode(marked or unmarked)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(f"{option}, line {line}: is not UTF-8. Save the file as UTF-8.") from None


def json_value(option: str, text: str | bytes) -> Any:
    """Decode the JSON text of an option. Raises `SettingsError` if it is not JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise SettingsError(f"{option} is not JSON.") from None
