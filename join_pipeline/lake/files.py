"""Files that appear whole or not at all, readable by their owner only.

Belongs here: atomic writes, the lock. Not here: what is in the files.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from join_pipeline.errors import LakeError, LockedError

FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def make_folder(folder: Path) -> Path:
    """The folder, made with its parents, 0700 where they are new."""
    try:
        _make_folder(folder)
    except OSError as error:
        cure = "Free some space" if error.errno in FULL_DISK else "Check JOIN_PIPELINE_DATA"
        raise LakeError(f"{folder} can't be made ({error.strerror}). {cure} and run it again.") from None
    return folder


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)  # mkdir's own `parents` would leave them open to everybody
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush(folder.parent)


def aside_of(path: Path) -> Path:
    """Where a file is written before it takes the name `path`."""
    return path.with_name(f".{path.name}.part")


@contextlib.contextmanager
def appearing(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """A path beside `path` to write to; on success it is flushed to disk and takes the name `path`."""
    make_folder(path.parent)
    aside = aside_of(path)
    try:
        yield aside
        aside.chmod(mode)
        _flush(aside)
        aside.replace(path)
        _flush(path.parent)
    except OSError as error:
        aside.unlink(missing_ok=True)
        if error.errno in FULL_DISK:
            raise LakeError(f"The disk is full: {path} was not written. Free some space and run it again.") from None
        raise LakeError(f"{path} can't be written ({error.strerror}). Nothing was lost; run it again.") from None
    except BaseException:  # Ctrl-C too: what is half-written goes, and the error goes on
        aside.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file atomically."""
    with appearing(path) as aside:
        aside.write_bytes(content)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(home: Path) -> Iterator[None]:
    """The connection's one lock. It is gone with its process, whatever ends it. `LockedError` if it is held."""
    make_folder(home)
    try:
        descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LakeError(f"{home / 'lock'} can't be opened ({error.strerror}). Check JOIN_PIPELINE_DATA.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise LockedError(
                f"Another command works on {home} (process {holder}). Wait until it ends, then run it again."
            ) from None
        except OSError as error:
            raise LakeError(f"{home} can't be locked ({error.strerror}). Keep the data on a local disk.") from None
        with contextlib.suppress(OSError):  # only for the message above: a full disk must not stop a lock
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
