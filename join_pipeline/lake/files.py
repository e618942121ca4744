"""Atomic files that only their owner can read, and the lock of a connection.

Belongs here: atomic writes, files that only one process may create, the lock. Not here: the content of files.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

from join_pipeline.errors import LakeError, LockedError
from join_pipeline.lake.holder import holder_of
from join_pipeline.lake.patience import patiently

FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_LINKS: Final = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""The errors of file systems without hard links, such as exFAT and SMB."""
STALE_SECONDS: Final = 3600.0
"""After so long without a write, the writer of a temporary file is dead."""
MOMENTS_SECONDS: Final = (0.01, 0.05, 0.2)
"""Who finds the lock held tries again after these: `who_locks` takes it for a moment."""
_WAITS: Final = ContextVar("_WAITS", default=True)
"""Whether a file that is written waits until the disk has it."""


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
    """A path to write a file to before it is renamed to `path`. Each call returns another one.

    So no two writers of one path, in any processes, share a temporary file. The last to rename wins, and none fails.
    """
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.part")


def remove_asides(path: Path, *, is_alone: bool = True) -> None:
    """Remove the temporary files of `path` that killed writers left, with DuckDB's logs of them.

    Who is not the only writer of the path removes those of dead processes of this machine, and old ones.
    """
    name = re.compile(rf"\.{re.escape(path.name)}(\.(?P<machine>[0-9a-f]+)-(?P<pid>\d+)-[0-9a-f]+)?\.part(\.wal)?")
    with contextlib.suppress(OSError):  # it is only tidiness, and another process may tidy at the same time
        for found in path.parent.iterdir():
            if (match := name.fullmatch(found.name)) is None:
                continue
            is_dead = match["machine"] == _machine() and not _is_running(int(match["pid"]))
            if is_alone or is_dead or time.time() - found.lstat().st_mtime >= STALE_SECONDS:
                found.unlink(missing_ok=True)


@cache
def _machine() -> str:
    """What tells this machine from others, and this container: in another one, a process id means another process."""
    try:
        space = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux
        space = 0
    return hashlib.blake2b(f"{socket.gethostname()} {space}".encode(), digest_size=4).hexdigest()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def appearing(path: Path, mode: int = 0o600, aside: Path | None = None) -> Iterator[Path]:
    """Give a path beside `path` to write to. On success the file is flushed to disk and renamed to `path`.

    On failure the file is removed and `path` is unchanged. `LakeError` if the disk refuses. `aside` is the path to
    write to where the caller must know it before; the caller must then be the only writer.
    """
    make_folder(path.parent)
    remove_asides(path, is_alone=False)
    aside = aside or aside_of(path)
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
    """Write a small file atomically. Nobody else can read it, not even while it is written."""
    with appearing(path) as aside:
        _write_new(aside, content)


def create_whole(path: Path, content: bytes) -> bool:
    """Create a small file atomically, and return whether it was created: False if it is there already.

    Of several processes that do it at once, exactly one creates the file. All of them then read the same content.
    """
    make_folder(path.parent)
    remove_asides(path, is_alone=False)
    aside = aside_of(path)
    try:
        _write_new(aside, content)
        _flush(aside)
        is_new = _take_name(aside, path)
        _flush(path.parent)  # also if it was there: its creator may not have come this far
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    return is_new


def _write_new(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)


def _take_name(aside: Path, path: Path) -> bool:
    """Give a written file its name, unless another file has the name."""
    try:
        os.link(aside, path)  # unlike a rename, it replaces nothing
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _take_name_without_links(aside, path)
    return True


def _take_name_without_links(aside: Path, path: Path) -> bool:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return False
        aside.replace(path)
        return True
    finally:
        os.close(descriptor)


def flush(path: Path) -> None:
    """Flush a file or a folder to disk."""
    _flush(path)


@contextlib.contextmanager
def unflushed() -> Iterator[None]:
    """Wait for no disk in this block: for files that nobody misses after a power cut, as those of the demo."""
    token = _WAITS.set(False)
    try:
        yield
    finally:
        _WAITS.reset(token)


def _flush(path: Path) -> None:
    if not _WAITS.get():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def taking_turns(path: Path) -> Iterator[None]:
    """Wait until no other process is inside with this lock file. It is for work of some seconds that several may do."""
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with contextlib.suppress(OSError):  # a file system without locks has no turns to take
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
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


def who_locks(home: Path) -> str | None:
    """A sentence that says who holds the connection's lock, or None while it is free. Nothing is made or written.

    Raises `LakeError` if the lock can't be asked for.
    """
    if not (home / "lock").exists():
        return None
    try:
        with _opened(home, os.O_RDONLY) as descriptor:
            _flock(home, descriptor, fcntl.LOCK_SH)  # shared: two that look do not see each other
    except LockedError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _locked_at_once(home: Path) -> Iterator[None]:
    make_folder(home)
    with _opened(home, os.O_RDWR | os.O_CREAT) as descriptor:
        for pause_seconds in MOMENTS_SECONDS:
            with contextlib.suppress(LockedError):
                _flock(home, descriptor, fcntl.LOCK_EX)
                break
            time.sleep(pause_seconds)  # it may be somebody who only looks
        else:
            _flock(home, descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):  # only the message above needs it, so a full disk must not stop the command
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield


@contextlib.contextmanager
def _opened(home: Path, flags: int) -> Iterator[int]:
    try:
        descriptor = os.open(home / "lock", flags, 0o600)
    except OSError as error:
        raise LakeError(f"{home / 'lock'} can't be opened ({error.strerror}). Check JOIN_PIPELINE_DATA.") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _flock(home: Path, descriptor: int, kind: int) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(
            f"Another command works on {home} ({holder_of(descriptor)}). Wait until it ends, then run it again."
        ) from None
    except OSError as error:
        raise LakeError(f"{home} can't be locked ({error.strerror}). Keep the data on a local disk.") from None
