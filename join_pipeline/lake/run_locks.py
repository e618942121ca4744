"""The lock of a Dagster run: its process holds it from before the first step until after the last one.

So a run that waits, or is between two steps, is told from one whose process was killed: a lock ends with its process.
Belongs here: holding such a lock, and looking at it. Not here: what is done about a run that lost it
(connections.lost_runs), the connection's lock (files).
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

RunLock = Literal["held", "free", "none"]
FOLDER: Final = "runs"


@contextlib.contextmanager
def run_lock(home: Path, run_id: str) -> Iterator[None]:
    """Hold the lock of a run. Several processes of one run may hold it. A disk that refuses it stops no run."""
    path = home / FOLDER / run_id
    descriptor = _opened(path)
    try:
        yield
    finally:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # another process of the run holds it, or the disk refuses
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            os.close(descriptor)


def _opened(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        for folder in (*reversed(path.parent.parents), path.parent):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor
    return None


def look_at(home: Path, run_id: str) -> RunLock:
    """Whether a process holds the run's lock; `none` if the run has not come so far, or has ended in order."""
    try:
        descriptor = os.open(home / FOLDER / run_id, os.O_RDWR)
    except OSError:
        return "none"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "held"
    except OSError:
        return "none"
    finally:
        os.close(descriptor)
    return "free"


def run_ids(home: Path) -> list[str]:
    """The runs that have a lock, held or free."""
    with contextlib.suppress(OSError):
        return sorted(path.name for path in (home / FOLDER).iterdir())
    return []


def runs_of(home: Path) -> list[str]:
    """The process ids of the runs that are alive."""
    found = []
    for run_id in run_ids(home):
        if look_at(home, run_id) == "held":
            with contextlib.suppress(OSError):
                found.append((home / FOLDER / run_id).read_text(errors="replace").strip())
    return found


def forget_run(home: Path, run_id: str) -> None:
    """Remove the lock of a run that has ended."""
    with contextlib.suppress(OSError):
        (home / FOLDER / run_id).unlink(missing_ok=True)
