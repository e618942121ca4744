"""The log of commits: one object for each, named by its number, and put only if no object has that name.

    log/000000000001.json, log/000000000002.json, …

The newest one says which files the lake has. Of two writers that follow on the same commit exactly one can put the next
number; so the number is the fence, too: who takes over from a writer that may be paused puts the next one itself, and
that writer's commit is refused for ever. Therefore no number is ever removed. Old ones are emptied.
Belongs here: slots, committing one, finding the newest. Not here: who may write (lease), the files (mirror).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from join_pipeline.bucket.store import Objects, TakenError, UnsureError
from join_pipeline.errors import DamagedError, LakeError
from join_pipeline.lake.integrity import check_seal, sealed

FORMAT: Final = 1
KEPT: Final = 2
"""So many of the newest slots keep their lists."""
TRIES: Final = 3
ROOMS: Final = ("lake", "people")
FILES: Final = ("erasures.jsonl", "reads.jsonl", "audit.log")
"""What is kept in the bucket of a connection's folder: these folders and files."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of the lake: the object that has its content, with the content's size and SHA-256 before encryption."""

    object: str
    size: int
    digest: str
    is_encrypted: bool = False


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A commit: every file by its path below the connection's folder. `writer` is a random word of who put it.

    A barrier repeats the files of the slot before it. `key` tells whether a key is the one that files are encrypted by.
    """

    format: int = FORMAT
    slot: int
    writer: str
    kind: Literal["commit", "barrier", "emptied"] = "commit"
    key: str = ""
    files: dict[str, Entry] = {}


NOTHING: Final = Slot(slot=0, writer="", kind="barrier")
"""Before the first slot."""


class OutrunError(LakeError):
    """Another writer has put this slot. What this one wrote is no part of the lake."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one connection."""

    objects: Objects

    def newest(self, hint: int = 0) -> Slot:
        """The newest slot; `NOTHING` before the first. `hint` is a number that was put once, or 0.

        Each number after it is asked for until one is not there. A list of the bucket is not believed, as it may lag.
        """
        found = self.read(hint) if hint else None
        if found is None:
            found, hint = NOTHING, self._listed()
            found = (self.read(hint) if hint else None) or NOTHING
        while (after := self.read(found.slot + 1)) is not None:
            found = after
        if found.kind == "emptied":
            raise DamagedError(f"The newest commit in the bucket, {name_of(found.slot)}, is empty. Restore the bucket.")
        return found

    def read(self, number: int) -> Slot | None:
        """One slot; None if there is none."""
        found = self.objects.get(name_of(number))
        if found is None:
            return None
        name = Path(name_of(number))
        check_seal(name, found.content, is_required=True)
        try:
            slot = msgspec.json.decode(found.content, type=Slot)
        except msgspec.MsgspecError:
            raise DamagedError(f"{name} in the bucket can't be read. Restore it, or upgrade join-pipeline.") from None
        if slot.format > FORMAT or slot.slot != number:
            raise LakeError(f"{name} in the bucket is of a newer release, or not of this place. Upgrade join-pipeline.")
        for inside in slot.files:
            if not is_mirrored(inside):  # who can write to the bucket must not write anywhere on this machine
                raise DamagedError(f"{name} in the bucket lists a file that no lake has. Restore it.")
        return slot

    def put(self, slot: Slot) -> None:
        """Put the next slot. Raises `OutrunError` if another writer has put it, `UnsureError` if nobody knows.

        An answer that was lost is found out by reading: the slot is ours if it has our word.
        """
        content = sealed(msgspec.json.encode(slot))
        for last in range(TRIES - 1, -1, -1):
            try:
                self.objects.create(name_of(slot.slot), content)
            except TakenError:
                there = self.read(slot.slot)
                if there is None or there.writer != slot.writer or there.kind != slot.kind:
                    raise OutrunError(f"Another machine has put {name_of(slot.slot)} in the bucket.") from None
            except UnsureError:
                if not last:
                    raise
                continue
            return

    def tidy(self, newest: int, emptied: int) -> int:
        """Empty the slots after `emptied` but for the newest ones. Returns the last one that is empty now."""
        end = max(emptied, newest - KEPT)
        for number in range(emptied + 1, end + 1):
            gone = Slot(slot=number, writer="", kind="emptied")
            self.objects.put(name_of(number), sealed(msgspec.json.encode(gone)))
        return end

    def _listed(self) -> int:
        """The highest number of a list: where to begin to ask, and no more."""
        numbers = [name.removeprefix("log/").removesuffix(".json") for name in self.objects.names("log/")]
        return max((int(number) for number in numbers if number.isdecimal()), default=0)


def name_of(number: int) -> str:
    """The name of a slot's object."""
    return f"log/{number:012d}.json"


def is_mirrored(inside: str) -> bool:
    """Whether a file of this path below the connection's folder is one that is kept in the bucket."""
    parts = inside.split("/")
    is_plain = all(part and not part.startswith(".") for part in parts) and "\0" not in inside
    return is_plain and (inside in FILES or (len(parts) > 1 and parts[0] in ROOMS))


def objects_of(files: Mapping[str, Entry]) -> set[str]:
    """The objects that hold these files."""
    return {entry.object for entry in files.values()}
