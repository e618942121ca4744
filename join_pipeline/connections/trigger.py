"""The trigger of a connection: a file that says that a sync is wanted and that none has begun since.

Setting it twice makes one trigger. A sync that begins clears it, and a later call sets a new one.
Belongs here: the file. Not here: who sets it (webhooks), who launches the sync (defs).
"""

import contextlib
from pathlib import Path
from uuid import uuid4

from join_pipeline.errors import LakeError
from join_pipeline.lake.files import write_whole


def trigger_file(home: Path) -> Path:
    """The path of the trigger of the connection in this folder."""
    return home / "sync-requested"


def pending_trigger(home: Path) -> str | None:
    """The random name of the trigger that waits for a sync, or None."""
    try:
        return trigger_file(home).read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):  # the sync reports a data folder that is a file
        return None


def set_trigger(home: Path) -> None:
    """Set the trigger, unless one waits already. It is on the disk when this function returns."""
    if pending_trigger(home) is not None:
        return
    name = uuid4().hex
    # each caller writes to a name of its own: if several set the trigger at once, the last wins and none fails
    aside = home / f".trigger-{name}"
    write_whole(aside, name.encode())
    try:
        aside.replace(trigger_file(home))
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise LakeError(f"{trigger_file(home)} can't be written ({error.strerror}). Send the webhook again.") from None


def clear_trigger(home: Path) -> None:
    """Clear the trigger, because a sync begins. The sync reads everything that the trigger was set for."""
    if pending_trigger(home) is not None:
        trigger_file(home).unlink(missing_ok=True)
