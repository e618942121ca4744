"""The path of a published file's write-ahead log, while a process still has an older file open for writing.

Such a process writes its log to this path at any time, and readers of the new file would replay it. DuckDB can't write
to a dangling link, and a reader does not take it for a log. But a copy that follows links fails on one, so it is there
only as long as it is needed: while the file is replaced, and until nobody has an older file open for writing.
Belongs here: the link, and who writes to which file. Not here: publishing (publish).
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from join_pipeline.lake.files import aside_of, remove_asides

# no file can exist here
NOWHERE: Final = "published-files-take-no-writes/none"
HELD: Final = "held"


def log_of(database: Path) -> Path:
    """The path of a database's log."""
    return database.with_name(f"{database.name}.wal")


def take_log_name(target: Path) -> None:
    """Put a dangling link at the path of the log. On a file system without links, the path is only cleared."""
    log = log_of(target)
    remove_asides(log)
    aside = aside_of(log)
    try:
        aside.symlink_to(NOWHERE)
        aside.replace(log)
    except OSError:
        log.unlink(missing_ok=True)


def keep_until_free(target: Path) -> bool:
    """Give the file that is about to be replaced a second name, by which its writers can be asked for.

    False on a file system without second names: then the link has to stay.
    """
    if not target.exists():
        return True
    held = _folder(target) / f"{target.name}-{target.stat().st_ino}"
    try:
        held.parent.mkdir(mode=0o700, exist_ok=True)
        held.unlink(missing_ok=True)
        held.hardlink_to(target)
    except OSError:
        return False
    return True


def give_log_name_back(target: Path) -> None:
    """Forget the older files that nobody has open for writing. If there is none left, remove the dangling link."""
    is_written = False
    for held in _held(target):
        if _is_written(held):
            is_written = True
        else:
            held.unlink(missing_ok=True)
    if not is_written and log_of(target).is_symlink():
        log_of(target).unlink()
    with contextlib.suppress(OSError):  # it is not empty, or not there
        _folder(target).rmdir()


def _folder(target: Path) -> Path:
    """Beside the folder that readers look at and that is copied."""
    return target.parent.parent / HELD


def _held(target: Path) -> Iterator[Path]:
    yield from sorted(_folder(target).glob(f"{target.name}-*"))


def _is_written(path: Path) -> bool:
    """Whether a process has the file open for writing. DuckDB locks it then."""
    with path.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
