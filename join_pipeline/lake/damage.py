"""Damage: which files of a data folder can be done without, and what to do about each that is lost or damaged.

Belongs here: the kinds of files, the errors about them, and errors of the engines in our words. Not here: sizes and
digests (integrity).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import pyarrow as pa

from join_pipeline.errors import DamagedError, LakeError, foreign

FROM_BACKUP: Final = "Restore it from the backup."


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. `pattern` is of its path in the lake; `cure` says what to do if a file is lost or damaged.

    A dispensable file only serves convenience: a sync drops it with a warning and goes on.
    """

    pattern: str
    is_dispensable: bool
    cure: str


KINDS: Final = (
    Kind("connection.json", False, "All ids come from it. Restore it from the backup."),
    Kind(
        "syncs/log.parquet",
        False,
        "Restore it from the backup. Without one, move it away: no version is lost, only what old syncs did.",
    ),
    Kind(
        "syncs/*.json",
        False,
        "Restore it from the backup. Without one, move it away: if it is the newest, the lake is then as the sync "
        "before it left it; if not, only what this sync did is lost.",
    ),
    Kind("models/*", False, "Restore the lake from its backup, or this file alone if the backup has it."),
    Kind("raw/*", True, f"{FROM_BACKUP} Without one, the next `join-pipeline sync` drops it and goes on."),
    Kind("quarantine/*", True, f"{FROM_BACKUP} Without one, the next `join-pipeline sync` drops it and goes on."),
    Kind("../builds/*", True, "Delete it; the next command makes it anew."),
)
"""Every kind of file that a command reads, in the lake and beside it. The first pattern that fits holds."""


def kind_of(path: str) -> Kind:
    """The kind of the file with this path in the lake."""
    return next((kind for kind in KINDS if fnmatch(path, kind.pattern)), Kind("*", False, FROM_BACKUP))


def damaged(lake: Path, path: str, reason: str) -> DamagedError:
    """The error about the file with this path in the lake. `reason` is a predicate, such as `is missing`."""
    return DamagedError(f"{lake / path} {reason}. {kind_of(path).cure}")


def unreadable(path: Path, error: Exception | str) -> DamagedError:
    """The error about a file that can't be read, with the reason. The message has no value of the file in it."""
    parts = path.parts
    rooms = [place for place, part in enumerate(parts) if part in {"syncs", "models", "raw", "quarantine"}]
    inside = "/".join(parts[rooms[-1] :]) if rooms else path.name
    reason = error if isinstance(error, str) else foreign(error)
    return DamagedError(f"{path} can't be read ({reason}). {kind_of(inside).cure}")


FOREIGN: Final = (duckdb.Error, pa.ArrowException, msgspec.MsgspecError, OSError)
"""Errors of the engines that a damaged file can raise."""


def _as_ours(error: Exception) -> LakeError:
    """An engine's error as ours: its class, the file that it names, and a fixed sentence, but no value."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return LakeError("DuckDB needs more memory than it may use. Raise JOIN_PIPELINE_MEMORY_LIMIT.")
    named = re.search(r"[\"']([^\"'\n]+\.parquet)[\"']", str(error))
    if named and not isinstance(error, OSError):
        return unreadable(Path(named[1]), error)
    return LakeError(
        f"A file can't be read or written ({foreign(error)}). `join-pipeline doctor --lake` finds a damaged file; if "
        "it finds none, report this."
    )


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Turn errors of the engines inside into ours."""
    try:
        yield
    except FOREIGN as error:
        raise _as_ours(error) from None
