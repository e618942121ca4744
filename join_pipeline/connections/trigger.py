"""A trigger: something happened that a sync should read, and none has begun since.

Belongs here: the trigger as a file of the connection. Not here: what sets one off (webhooks), what launches a sync
(defs). However often one is set, there is one until a sync begins; what is set from then on is another.
"""

import contextlib
from pathlib import Path
from uuid import uuid4

from join_pipeline.errors import LakeError
from join_pipeline.lake.files import write_whole


def trigger_file(home: Path) -> Path:
    """Where the trigger of the connection in this folder lies."""
    return home / "sync-requested"


def pending_trigger(home: Path) -> str | None:
    """The trigger that no sync has answered, by a name of its own; None if there is none."""
    try:
        return trigger_file(home).read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):  # a data folder that is a file is the sync's to tell
        return None


def set_trigger(home: Path) -> None:
    """Ask for a sync. It is on the disk when this returns; one that is set already and not answered is enough."""
    if pending_trigger(home) is not None:
        return
    name = uuid4().hex
    # under a name that nobody else writes to: of several who set one at once the last wins, and none fails
    aside = home / f".trigger-{name}"
    write_whole(aside, name.encode())
    try:
        aside.replace(trigger_file(home))
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise LakeError(f"{trigger_file(home)} can't be written ({error.strerror}). Send it again.") from None


def clear_trigger(home: Path) -> None:
    """A sync begins: whatever was asked for until now, it will read."""
    if pending_trigger(home) is not None:
        trigger_file(home).unlink(missing_ok=True)
