"""The trigger of a connection: files that say that a sync is wanted and that none has answered it since.

    <data>/<connection>/
      sync-requested    0600; a sync is wanted. Webhooks that come while it waits add nothing to it
      sync-answering    0600; the same, taken by a sync that began and has not committed yet

A sync that begins takes the trigger, and removes it once it has committed. A webhook that comes meanwhile sets a new
one. If the sync fails or is killed, the trigger that it took is wanted again.
Belongs here: the files. Not here: who sets the trigger (webhooks), who launches the sync (defs).
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

from join_pipeline.lake.files import create_whole, flush, unwritable

AGAIN_SECONDS: Final = 600.0
"""How long a launched sync has to answer before the trigger asks for another one."""


def trigger_file(home: Path) -> Path:
    """The path of the trigger of the connection in this folder, as long as no sync has taken it."""
    return home / "sync-requested"


def taken_file(home: Path) -> Path:
    """The path of the trigger that a sync has taken."""
    return home / "sync-answering"


def pending_trigger(home: Path) -> str | None:
    """The name of the trigger that waits for a sync, or None.

    The name is random. It changes every ten minutes while nothing answers: Dagster launches one run for each name, and
    the run may fail, or end before it gets the lock.
    """
    for file in (trigger_file(home), taken_file(home)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # the sync reports a folder that is a file
            if name := file.read_text(errors="replace").strip():
                return f"{name}-{max(0, int((time.time() - file.stat().st_mtime) / AGAIN_SECONDS))}"
    return None


def set_trigger(home: Path) -> None:
    """Set the trigger, unless one waits already. It is on the disk when this function returns. Raises `LakeError`."""
    if not trigger_file(home).exists():
        create_whole(trigger_file(home), uuid4().hex.encode())
    else:
        flush(home)  # whoever set it may not have come this far


def forget_trigger(home: Path) -> None:
    """Remove the trigger, where the sync that answers it sees another disk."""
    for file in (trigger_file(home), taken_file(home)):
        file.unlink(missing_ok=True)


@contextlib.contextmanager
def answering(home: Path) -> Iterator[None]:
    """Take the trigger, and remove it at the end of the block, which is the sync's. The caller holds the lock.

    The sync reads everything that the trigger was set for, as it was set before. If the block raises, it waits again.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            trigger_file(home).replace(taken_file(home))
            flush(home)
    except OSError as error:
        raise unwritable(taken_file(home), error) from None
    yield
    with contextlib.suppress(OSError):  # then one sync too many is launched
        taken_file(home).unlink()
