"""Erased: who was erased here by command, so that a sync does not bring them back from the source.

Belongs here: the list, its key, and which people a payload names. Not here: erasing (people, lake.erasing).

    <data>/<connection>/people/
      erased.json        for each erasure HMACs of the people's ids, and nothing else about them
      erased.key         0600; the key of these HMACs. No other key makes them, so none that is changed breaks the list

A list without its key can't be used, so both belong into the backup. Who has both can try out whether an id is in the
list, and learns nothing else.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.errors import LakeError, foreign
from join_pipeline.lake.files import create_whole, write_whole

FOLDER: Final = "people"
LIST: Final = "erased.json"
KEY: Final = "erased.key"
PROOF: Final = "the key of this list"
Mark = tuple[str, str, str]
"""An id of a person: its model, its column (`id` or `remote_id`), and its value."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Where a payload names a person: at `path`, by the column `key` of `model`."""

    model: str
    key: str
    path: tuple[str, ...]

    def of(self, payload: Any) -> str | None:
        """The id that a decoded payload has there."""
        for step in self.path:
            payload = payload.get(step) if isinstance(payload, dict) else None
        is_id = isinstance(payload, str | int | float) and not isinstance(payload, bool)
        if not is_id or payload == "":
            return None
        return str(int(payload)) if isinstance(payload, float) and payload.is_integer() else str(payload)


def named_in(text: str | None, namings: Iterable[Naming]) -> Iterator[Mark]:
    """The people whom a payload names. One that is no JSON names nobody."""
    try:
        payload = msgspec.json.decode(text or "null")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    for naming in namings:
        if (value := naming.of(payload)) is not None:
            yield naming.model, naming.key, value


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure: the number of its receipt, when, and the HMACs of the people's ids."""

    number: str
    at: datetime
    marks: list[str]


class _Document(msgspec.Struct, kw_only=True):
    proof: str
    entries: list[Entry] = []


@dataclass(frozen=True, slots=True)
class ErasedList:
    """The list of one connection. `home` is the connection's folder."""

    home: Path
    secret: bytes = field(repr=False)
    entries: tuple[Entry, ...] = ()
    _marks: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._marks)

    def mark(self, one: Mark) -> str:
        """The HMAC of an id."""
        return hmac.new(self.secret, "\n".join(one).encode(errors="replace"), hashlib.sha256).hexdigest()[:32]

    def holds(self, ids: Iterable[Mark]) -> bool:
        """Whether one of these ids was erased."""
        return bool(self._marks) and any(self.mark(one) in self._marks for one in ids)

    def holds_record(
        self, feed: str, key: str, record_id: str | None, text: str | None, of: Collection[Naming]
    ) -> bool:
        """Whether a record of a feed is of somebody who was erased."""
        if not (self._marks and of):
            return False
        own = [(feed, key, record_id)] if record_id is not None else []
        return self.holds(own) or self.holds(named_in(text, of))

    def add(self, number: str, ids: Iterable[Mark]) -> "ErasedList":
        """The list with one more erasure, which is on the disk when this returns. The same number is added once."""
        others = [entry for entry in self.entries if entry.number != number]
        entry = Entry(number=number, at=datetime.now(UTC), marks=sorted({self.mark(one) for one in ids}))
        return self._written([*others, entry])

    def remove(self, numbers: Collection[str]) -> int:
        """Take the erasures with these numbers off the list. Returns how many there were."""
        kept = [one for one in self.entries if one.number not in numbers]
        self._written(kept)
        return len(self.entries) - len(kept)

    def _written(self, entries: list[Entry]) -> "ErasedList":
        document = _Document(proof=self.mark(("", "", PROOF)), entries=entries)
        write_whole(self.home / FOLDER / LIST, msgspec.json.format(msgspec.json.encode(document), indent=1))
        return _list(self.home, self.secret, entries)


def erased_list(home: Path, *, create: bool = False) -> ErasedList:
    """The list of a connection. Without `create` nothing is written, and a connection without a list has an empty one.

    Raises `LakeError` if the list can't be read or its key is missing: a sync would bring erased people back.
    """
    path, key = home / FOLDER / LIST, home / FOLDER / KEY
    try:
        if create and not path.exists():
            create_whole(key, secrets.token_hex(32).encode())
        if not (path.exists() or create):
            return ErasedList(home, b"")
        secret = key.read_bytes().strip()
        if not path.exists():
            return ErasedList(home, secret)
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise LakeError(
            f"The list of erased people can't be used ({foreign(error)}). Restore {path} and {key} from the backup: "
            "without them a sync would bring erased people back."
        ) from None
    found = _list(home, secret, document.entries)
    if not hmac.compare_digest(found.mark(("", "", PROOF)), document.proof):
        raise LakeError(f"{key} is not the key of {path}. Restore both from the same backup.")
    return found


def _list(home: Path, secret: bytes, entries: list[Entry]) -> ErasedList:
    return ErasedList(home, secret, tuple(entries), frozenset(mark for entry in entries for mark in entry.marks))
