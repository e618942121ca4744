"""The audit log: a line of JSON for each time that names and contacts were published or withdrawn. And the read log: a
line for each time that the tool itself read data of people for somebody.

Belongs here: when, by whom, what kind, how many rows. Not here: any data of the people.
"""

import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.lake.receipts import append_line
from join_pipeline.settings import Settings

READS: Final = "reads.jsonl"


def note_read(settings: Settings, kind: str, by: str | None = None) -> None:
    """Append a line to the read log: who, when, what kind. Raises `LakeError`; the caller must read nothing then."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": user(),
        **({"by": by} if by else {}),
        "connection": settings.connection,
        "kind": kind,
    }
    append_line(settings.home / READS, line)


def note(settings: Settings, what: str, rows: Mapping[str, int] | None = None) -> None:
    """Append a line. It is on disk when this function returns.

    Raises `LakeError` if it can't be written. The caller must publish nothing then.
    """
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": user(),
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


def user() -> str:
    """The user of this process, from the system, because the environment can be changed."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container can run as a user without a name
        return f"uid {os.getuid()}"
