"""The audit log: a line of JSON for each time that names and contacts were made readable, or withdrawn again.

Belongs here: when, who, how many. Not here: whom; the log holds nothing of the people.
"""

import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.settings import Settings


def note(settings: Settings, what: str, rows: Mapping[str, int] | None = None) -> None:
    """Append a line, on disk before this returns. `LakeError` if it can't be: then nothing may follow."""
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
    """Whose process this is: the system's word, not the environment's."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        return f"uid {os.getuid()}"
