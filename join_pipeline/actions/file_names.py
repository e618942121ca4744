"""File names that somebody else chose, made safe: a file never leaves its folder, on any system.

Belongs here: safe names, and writing a new file under one. Not here: what the file holds (media_types).
"""

import os
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from join_pipeline.actions.request import BIDI
from join_pipeline.errors import LakeError
from join_pipeline.lake.files import make_folder

MAX_BYTES: Final = 120  # room for a number, and for a path on Windows
_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
_RESERVED: Final = frozenset(
    {
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    }
)


def safe_name(name: str, default: str = "file") -> str:
    """A safe name for one file in one folder, as close to the given name as possible."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = "".join("_" if letter in _FORBIDDEN else letter for letter in text if _is_kept(letter))
    text = " ".join(text.split()).strip(". ")
    stem, dot, end = text.rpartition(".")
    if not dot or len(end.encode()) > 16:
        stem, end = text, ""
    if stem.partition(".")[0].strip().lower() in _RESERVED:
        stem = f"_{stem}"
    end = f".{end}" if end else ""
    while len((stem + end).encode()) > MAX_BYTES:
        stem = stem[:-1]
    stem = stem.strip(". ")
    return (stem + end) if stem else f"{default}{end}"


def _is_kept(letter: str) -> bool:
    # Cc: NUL and other controls, Cs: half a surrogate pair, Co and Cn: their look is undefined
    return letter not in BIDI and unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@contextmanager
def new_file(folder: Path, name: str) -> Iterator[tuple[IO[bytes], list[Path]]]:
    """A new file in `folder` to write to. On success its path is in the list.

    The bytes go to a temporary file, which gets its name once it is whole. A link with that name is never followed.
    """
    make_folder(folder)
    aside = folder / f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    placed: list[Path] = []
    try:
        with os.fdopen(os.open(aside, flags, 0o600), "wb") as file:
            yield file, placed
            file.flush()
            os.fsync(file.fileno())
        placed.append(_place(aside, folder, safe_name(name)))
    except OSError as error:
        raise LakeError(f"Nothing could be saved in {folder} ({error.strerror}). Check the folder.") from None
    finally:
        aside.unlink(missing_ok=True)


def _place(aside: Path, folder: Path, name: str) -> Path:
    """Give the file its name, or the next free one: `cv.pdf`, `cv-2.pdf`, …"""
    stem, dot, end = name.rpartition(".")
    if not dot:
        stem, end = name, ""
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{dot}{end}")
        try:
            _name(aside, path)
        except FileExistsError:
            number += 1
        else:
            return path


def _name(aside: Path, path: Path) -> None:
    """Give the file a name that nothing has. Raises `FileExistsError`."""
    try:
        os.link(aside, path, follow_symlinks=False)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # a file system without hard links, such as exFAT or SMB: the name is taken first, then our own empty file
        # replaced; whatever else was wrong comes up again here
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            aside.replace(path)
        except BaseException:  # Ctrl-C too must not leave the empty file under the name
            path.unlink(missing_ok=True)
            raise
