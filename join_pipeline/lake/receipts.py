"""Receipts: a line of JSON for each erasure, so that an auditor sees that people leave the disk. No data of people.

Belongs here: appending lines, the receipt of a sync that removes files. Not here: erasing one person (people).
"""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.lake.files import make_folder
from join_pipeline.lake.integrity import digest_of
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import SyncRecord

NAME: Final = "erasures.jsonl"
HOLDING: Final = ("candidates", "applications", "candidate_tags", "users", "job_hiring_team")
"""The models whose tombstones tell of somebody who is gone."""


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Append a line that is on the disk when this returns. Raises `LakeError`."""
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            # a line that was cut off must not swallow this one
            begin = b"" if not size or os.pread(descriptor, 1, size - 1) == b"\n" else b"\n"
            os.write(descriptor, begin + msgspec.json.encode(line) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LakeError(f"{path} can't be written ({error.strerror}). Free some space and run it again.") from None


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of such a file. One that was cut off is left out."""
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            found.append(msgspec.json.decode(line, type=dict[str, Any]))
        except msgspec.DecodeError:
            continue
    return found


def note_sync(home: Path, lake: Lake, record: SyncRecord, going: Iterable[str]) -> None:
    """Append the receipt of a sync: who was found deleted, and which files go. It is written before they go.

    A sync that finds nobody deleted and removes nothing leaves no line. If it is killed before the files are gone, the
    next sync removes them, and its line names them again.
    """
    files = [
        {"path": path, "before": digest_of(lake.path / path), "after": None}
        for path in going
        if (lake.path / path).is_file()
    ]
    deleted = {name: record.models[name].deleted for name in HOLDING if name in record.models}
    deleted = {name: n for name, n in deleted.items() if n}
    if not files and not deleted:
        return
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": "sync",
        "sync_id": record.sync_id,
        "by": "sync",
        "deleted_at_the_source": deleted,
        "files": files,
    }
    append_line(home / NAME, line)
