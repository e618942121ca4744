"""Atomic files that only their owner can read, and the lock of a connection.

Belongs here: atomic writes, the lock. Not here: the content of files.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from join_pipeline.errors import LakeError, LockedError
from join_pipeline.lake.holder import holder_of
from join_pipeline.lake.patience import patiently

FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def make_folder(folder: Path) -> Path:
    """Make the folder and its parents, with mode 0700 where they are new, and return it. Raises `LakeError`."""
    try:
        _make_folder(folder)
    except OSError as error:
        cure = "Free some space" if error.errno in FULL_DISK else "Check JOIN_PIPELINE_DATA"
        raise LakeError(f"{folder} can't be made ({error.strerror}). {cure} and run it again.") from None
    return folder


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)  # with `parents`, mkdir would let everybody read the new parents
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush(folder.parent)


def aside_of(path: Path) -> Path:
    """The path that a file is written to before it is renamed to `path`."""
    return path.with_name(f".{path.name}.part")


@contextlib.contextmanager
def appearing(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """Give a path beside `path` to write to. On success the file is flushed to disk and renamed to `path`.

    On failure the file is removed and `path` is unchanged. `LakeError` if the disk refuses.
    """
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
        raise unwritable(path, error) from None
    except BaseException:  # Ctrl-C too must not leave a half-written file
        aside.unlink(missing_ok=True)
        raise


def unwritable(path: Path, error: OSError) -> LakeError:
    """The error for a file that can't be written."""
    if error.errno in FULL_DISK:
        return LakeError(f"The disk is full: {path} was not written. Free some space and run it again.")
    return LakeError(f"{path} can't be written ({error.strerror}). Nothing was lost; run it again.")


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
    """Hold the connection's lock. It ends with its process, however that ends. Within `waiting`, wait for it.

    Raises `LockedError` if another process holds it, and `LakeError` if the folder can't be locked.
    """
    with contextlib.ExitStack() as held:
        patiently(lambda: held.enter_context(_locked_at_once(home)), home / "lock")
        yield


@contextlib.contextmanager
def _locked_at_once(home: Path) -> Iterator[None]:
    make_folder(home)
    try:
        descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LakeError(f"{home / 'lock'} can't be opened ({error.strerror}). Check JOIN_PIPELINE_DATA.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"Another command works on {home} ({holder_of(descriptor)}). Wait until it ends, then run it again."
            ) from None
        except OSError as error:
            raise LakeError(f"{home} can't be locked ({error.strerror}). Keep the data on a local disk.") from None
        with contextlib.suppress(OSError):  # only the message above needs it, so a full disk must not stop the command
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
