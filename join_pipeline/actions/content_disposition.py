"""The file name in a Content-Disposition header, however a server writes it.

Belongs here: the header's grammar, as RFC 6266, 5987, 2231 and 2047 have it, and what servers send instead. Not here:
making the name safe (file_names).
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final
from urllib.parse import unquote_to_bytes

# a parameter: its name, then a quoted text, whose quotes may be escaped, or whatever comes before the next semicolon
_PARAMETER: Final = re.compile(r';\s*([^=;"\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"[^;]*|([^;]*))', re.DOTALL)
_PART: Final = re.compile(r"filename\*([0-9]{1,3})(\*?)")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_OLD: Final = "windows-1252"  # what is called Latin-1 in practice
_EXTENDED: Final = re.compile(r"([^']*)'[^']*'(.*)", re.DOTALL)


def file_name(header: bytes) -> str | None:
    """The name of the file. `filename*` wins, wherever it stands; a name that can't be read counts as none."""
    given: dict[str, str] = {}
    kind, mark, parameters = _text(header).partition(";")
    for found in _PARAMETER.finditer(f";{kind}{mark}{parameters}" if "=" in kind else f";{parameters}"):
        quoted, plain = found[2], found[3]
        value = re.sub(r'\\(["\\])', r"\1", quoted) if quoted is not None else (plain or "").strip().removeprefix('"')
        given.setdefault(found[1].lower(), value)
    return _extended(given.get("filename*", "")) or _continued(given) or _plain(given.get("filename", "")) or None


def _text(raw: bytes) -> str:
    """The text of bytes that are UTF-8, or else of one of the old encodings."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(_OLD, "replace")


def _extended(value: str) -> str:
    """The text of `charset'language'percent-encoded`, and of what leaves out the beginning."""
    parts = _EXTENDED.fullmatch(value)
    charset, text = (parts[1], parts[2]) if parts else ("", value)
    raw = unquote_to_bytes(text)
    try:
        return raw.decode(_OLD if charset.lower() in {"iso-8859-1", "latin1"} else charset or "utf-8").strip()
    except (UnicodeDecodeError, LookupError, ValueError):
        return _text(raw).strip()


def _continued(given: dict[str, str]) -> str:
    """The text of `filename*0`, `filename*1*` and so on, in their order."""
    parts = {int(found[1]): (given[name], found[2]) for name in given if (found := _PART.fullmatch(name))}
    if not parts:
        return ""
    first, is_encoded = parts.get(0, ("", ""))
    beginning = _EXTENDED.fullmatch(first) if is_encoded else None
    whole = ""
    for number in range(len(parts)):
        text, encoded = parts.get(number, ("", ""))
        if number == 0 and beginning:
            text = beginning[2]
        whole += text if encoded else text.replace("%", "%25")
    return _extended(f"{beginning[1] if beginning else ''}''{whole}")


def _plain(value: str) -> str:
    """The text of `filename`: as it is, or as an encoded word or in percent signs, which servers write there, too."""
    if value.startswith("=?"):
        try:
            words = decode_header(value)
            return "".join(_worded(word, charset) for word, charset in words).strip()
        except (HeaderParseError, ValueError):
            return value.strip()
    if _PERCENT.search(value):
        try:
            return unquote_to_bytes(value).decode().strip()
        except UnicodeDecodeError:
            return value.strip()
    return value.strip()


def _worded(word: bytes | str, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    try:
        return word.decode(charset or "ascii")
    except (UnicodeDecodeError, LookupError):
        return _text(word)
