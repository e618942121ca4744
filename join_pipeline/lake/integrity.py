"""Integrity: the size and the digest of every file, taken before the commit and compared whenever a file is read.

Belongs here: taking and comparing them, a JSON document that carries its own digest. Not here: what to do about a
damaged file (damage).
"""

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

from join_pipeline.errors import DamagedError, foreign
from join_pipeline.lake.absent import present
from join_pipeline.lake.damage import damaged, kind_of, unreadable
from join_pipeline.lake.record import Files, LakeFile, LostFile

SEAL: Final = b',\n "digest": "'
SEAL_END: Final = b'"\n}'
DIFFERS: Final = "it differs from its digest"

_known: set[tuple[object, ...]] = set()
"""Files that were compared since a lake was opened last: a command compares a file once, unless somebody touched it."""


def forget_known() -> None:
    """Compare every file anew."""
    _known.clear()


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex. A file that lies in a bucket is brought. Raises `OSError`."""
    with present(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def note_digests(lake: Path, files: Files) -> None:
    """Note size and digest of each listed file that has none yet: files just written, and those of older formats.

    A file that is missing gets none; whoever reads it names it.
    """
    for group in files.groups().values():
        for listed in group.values():
            listed[:] = [_noted(lake, file) for file in listed]


def _noted(lake: Path, file: LakeFile) -> LakeFile:
    path = lake / file.path
    if file.digest is not None or not path.is_file():
        return file
    try:
        return msgspec.structs.replace(file, size=path.stat().st_size, digest=digest_of(path))
    except OSError as error:
        raise unreadable(path, error) from None


def fault_of(lake: Path, file: LakeFile, *, has_content: bool = True) -> str | None:
    """What is wrong with a listed file, as a predicate; None if nothing is. `has_content` compares its digest, too."""
    path = lake / file.path
    try:
        if not path.is_file():
            return "is no file" if path.exists() else "is listed by the newest sync but missing"
        found = path.stat()
        if file.size is not None and found.st_size != file.size:
            return f"has {found.st_size} bytes instead of {file.size}: it is damaged"
        return _content_fault(path, file.digest, found) if has_content and file.digest is not None else None
    except DamagedError:
        return "can't be brought from the bucket: it is lost or damaged there"
    except OSError as error:
        return f"can't be read ({foreign(error)})"


def _content_fault(path: Path, digest: str, found: os.stat_result) -> str | None:
    key = (str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, digest)
    if key not in _known:
        if digest_of(path) != digest:
            return "has other content than was written: it is damaged"
        _known.add(key)
    return None


def verified(lake: Path, file: LakeFile) -> Path:
    """The absolute path of a listed file whose content is as it was written. Raises `DamagedError`."""
    if fault := fault_of(lake, file):
        raise damaged(lake, file.path, fault)
    return lake / file.path


def drop_lost(lake: Path, files: Files, feeds: frozenset[str] = frozenset()) -> list[LostFile]:
    """Remove from the lists the dispensable files that are missing or damaged, and return them.

    Every file's size is compared; the digest too, of the files of `feeds`.
    """
    lost: list[LostFile] = []
    for group in files.groups().values():
        for name, listed in group.items():
            group[name] = sound(lake, listed, lost, has_content=name in feeds)
    return lost


def sound(lake: Path, listed: list[LakeFile], lost: list[LostFile], *, has_content: bool = True) -> list[LakeFile]:
    """The files that can be read, or that can't be done without. The others are added to `lost`."""
    kept = []
    for file in listed:
        fault = kind_of(file.path).is_dispensable and fault_of(lake, file, has_content=has_content)
        if fault:
            lost.append(LostFile(path=file.path, reason=fault))
        else:
            kept.append(file)
    return kept


def sealed(document: bytes) -> bytes:
    """A JSON object with its own digest as its last key."""
    body = document.rstrip().removesuffix(b"}").rstrip()
    return body + SEAL + hashlib.sha256(body).hexdigest().encode() + SEAL_END


def check_seal(path: Path, document: bytes, *, is_required: bool = False) -> None:
    """Raise `DamagedError` if a JSON object differs from the digest that it carries, or lacks one that it must have."""
    body, mark, rest = document.rpartition(SEAL)
    if not mark:
        if is_required:
            raise unreadable(path, DIFFERS)
        return
    if rest != hashlib.sha256(body).hexdigest().encode() + SEAL_END:
        raise unreadable(path, DIFFERS)
