"""The audit log: a line of JSON for each time that names and contacts were published or withdrawn.

Belongs here: when, by whom, how many rows. Not here: any data of the people.
"""

import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.settings import Settings


def note(settings: Settings, what: str, rows: Mapping[str, int] | None = None) -> None:
    """Append a line. It is on disk when this function returns.

    Raises `LakeError` if it can't be written. The caller must publish nothing then.
    """
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": _user(),
        "connection": settings.connection,
        "what": what,
        "rows": dict(rows or {}),
    }
    try:
        descriptor = os.open(settings.audit_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(line) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LakeError(f"{settings.audit_log} can't be written ({error.strerror}). Nothing was published.") from None


def _user() -> str:
    """The user of this process, from the system, because the environment can be changed."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container can run as a user without a name
        return f"uid {os.getuid()}"
