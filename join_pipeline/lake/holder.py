"""Who holds a connection's lock, for a message.

The number that lies in the lock file can be that of a process that has ended: one that it started holds the lock on, or
the disk was full when the present one came. Belongs here: asking the system. Not here: the lock (files).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def holder_of(descriptor: int) -> str:
    """The process that holds the lock of this open file, in words."""
    written = _number(os.pread(descriptor, 20, 0).decode("ascii", "replace"))
    found = [*_listed(descriptor), *([written] if written else [])]
    alive = next((number for number in found if _is_alive(number)), None) or next(_openers(descriptor), None)
    if alive:
        return f"process {alive}"
    if written:
        return f"not process {written}, which has ended, but one that it started or one of another machine"
    return "a process that this user can't see"


def _listed(descriptor: int) -> Iterator[int]:
    """The processes that Linux lists as having locked the file."""
    status = os.fstat(descriptor)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text("ascii", "replace").splitlines():
            words = line.split()
            if "FLOCK" in words and device in words:
                number = _number(words[words.index(device) - 1])
                if number:
                    yield number


def _openers(descriptor: int) -> Iterator[int]:
    """Other processes that have the file open, as far as this user may see them. Linux only."""
    status = os.fstat(descriptor)
    for folder in Path("/proc").glob("[0-9]*/fd"):
        number = int(folder.parent.name)
        with suppress(OSError):
            if number != os.getpid() and any(_is_same(opened, status) for opened in folder.iterdir()):
                yield number


def _is_same(opened: Path, status: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(opened.stat(), status)
    return False


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() and int(text) > 0 else None


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
