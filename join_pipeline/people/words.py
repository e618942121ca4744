"""Words: what a user gives to tell who is meant, and how an address or a name may be written elsewhere.

Belongs here: reading a line as it was typed or pasted, when two addresses are one, the forms of a text in files. Not
here: whom they lead to (person), looking for them (search).
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from join_pipeline.csv_files import name_key
from join_pipeline.lake.erased import Naming

_REMOTE: Final = re.compile(r"(candidate|application|user)s?\s*[:=#]?\s*[#\"']?([^\s\"'#]+)[\"']?", re.IGNORECASE)
_REMOTE_MARKED: Final = re.compile(r"(candidate|application|user)s?\s*[:=#]", re.IGNORECASE)
_IN_ANGLES: Final = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_AROUND: Final = " \t\"'<>()[],;"
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_INVISIBLE: Final = frozenset({"Cf", "Cc"})


def words_of(lines: Iterable[str]) -> tuple[str, ...]:
    """What lines name, without what came along when they were pasted: names, angles, `mailto:`, unseen characters.

    An id of the source is `candidate:`, `application:` or `user:` and the id, in whatever case it was given.
    """
    return tuple(dict.fromkeys(word for line in lines for word in _words(line)))


def _words(line: str) -> Iterator[str]:
    text = "".join(letter for letter in line if letter == "\t" or unicodedata.category(letter) not in _INVISIBLE)
    text = " ".join(text.split())
    if found := _IN_ANGLES.findall(text):
        yield from found
        return
    parts = re.split(r"[,;]\s*", text)
    # a list of addresses on one line, and never a name with a comma in it
    for part in parts if all("@" in one or not one.strip() for one in parts) else (text,):
        word = part.strip(_AROUND)
        word = word[len("mailto:") :].partition("?")[0] if word.lower().startswith("mailto:") else word
        word = word.rstrip(".") if "@" in word else word
        if word:
            yield _remote(word)


def _remote(word: str) -> str:
    found = _REMOTE.fullmatch(word)
    is_id = found and (_REMOTE_MARKED.match(word) or found[2].isdecimal())
    return f"{found[1].lower()}:{found[2]}" if found and is_id else word


def address_key(address: str) -> str:
    """The form in which addresses are compared: case, composition, and how a domain is spelled do not count."""
    if address.isascii() and "xn--" not in address.lower():
        return address.strip().lower()
    local, at, domain = address.rpartition("@")
    return name_key(f"{local}{at}{_spelled(domain)}")


def forms(text: str) -> frozenset[str]:
    """The forms of a text that are looked for in files, folded: composed or not, its domain spelled, as JSON has it."""
    local, at, domain = text.rpartition("@")
    written = {text, *((f"{local}{at}{one}" for one in (_spelled(domain), _punycode(domain))) if at else ())}
    written |= {
        way for one in written for way in (unicodedata.normalize("NFC", one), unicodedata.normalize("NFD", one))
    }
    return frozenset(one.casefold() for one in written | {json.dumps(one, ensure_ascii=False)[1:-1] for one in written})


def unescaped(folded: str) -> str:
    """A folded text with its letters in place of the escapes by which JSON may write them."""
    if "\\u" not in folded:
        return folded
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), folded)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace").casefold()  # a pair is one letter


def own_addresses(payload: str | None, namings: Iterable[Naming]) -> Iterator[tuple[Naming, str, str]]:
    """Each candidate whom a payload names, with each of their addresses: those in the part that is about them.

    What else the payload says, as an answer that names somebody's address, is not about whose address that is.
    """
    try:
        decoded = msgspec.json.decode(payload or "null")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    for naming in namings:
        value = naming.of(decoded)
        if naming.model != "candidates" or value is None:
            continue
        part = decoded
        for step in naming.path[:-1]:
            part = part[step]
        for address in _under_email(part):
            yield naming, value, address


def addresses_in(remote_data: str | None) -> Iterator[str]:
    """The addresses in a candidate's own payload, however deep its path is."""
    try:
        parts = [msgspec.json.decode(remote_data or "null")]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            yield from _under_email(part)
            parts += [value for value in part.values() if isinstance(value, dict)]


def _under_email(part: dict[str, Any]) -> Iterator[str]:
    for key, value in part.items():
        if "email" in key.lower():
            for one in value if isinstance(value, list) else (value,):
                for text in one.values() if isinstance(one, dict) else (one,):
                    if isinstance(text, str) and "@" in text:
                        yield from words_of([text])


def _spelled(domain: str) -> str:
    """A domain in its own letters."""
    try:
        return domain.encode("ascii").decode("idna") if "xn--" in domain.lower() else domain
    except UnicodeError:
        return domain


def _punycode(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return domain
