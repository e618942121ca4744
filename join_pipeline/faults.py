"""Faults of this program: one line for people, and a log file that says where in the code, without a person's data.

Belongs here: what is said of an error that nobody expected, and the file. Not here: errors that say what to do
(errors), how a command ends (cli.entry).
"""

import os
import secrets
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from join_pipeline.errors import PipelineError, foreign, is_interruption
from join_pipeline.settings import Settings, load_settings

NAME: Final = "faults.log"
MOST_BYTES: Final = 1_000_000
KEPT: Final = 3
MOST_FRAMES: Final = 60
NOT_OURS: Final = frozenset({"OSError", "MemoryError", "OutOfMemoryException", "IOException"})
"""What the machine refuses. Its subclasses count, too."""


def is_the_machines(error: Exception) -> bool:
    """Whether the machine refused something, which is no fault of this program."""
    return bool({kind.__name__ for kind in type(error).__mro__} & NOT_OURS)


def told(error: Exception, among: Iterable[object] = ()) -> str:
    """What to say of any error. A `PipelineError` says it itself; another one is noted in the log file.

    The log file is that of the settings `among` what a run has; without any, of those that the environment gives.
    """
    if isinstance(error, PipelineError):
        return str(error)
    if is_interruption(error):
        return "It was interrupted. Nothing is half-written. Run it again."
    reference = secrets.token_hex(4)
    log = _noted(error, reference, next((one for one in among if isinstance(one, Settings)), None))
    where = f"Its place is in {log}, reference {reference}." if log else "The log file could not be written."
    said = foreign(error)
    if is_the_machines(error):
        return f"The machine refused something ({said}). Check disk, memory and rights, and run it again. {where}"
    return (
        f"A fault of join-pipeline ({said}). Nothing is half-written. Please report it. {where} "
        "The file holds no data of people."
    )


def _noted(error: Exception, reference: str, settings: Settings | None) -> Path | None:
    """Append to the log file of the connection. None if that is not possible, because it must not hide the fault."""
    with suppress(Exception):
        home = (settings or load_settings()).home
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = home / NAME
        _rotate(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write("\n".join([_head(reference), *_lines(error), ""]))
        return path
    return None


def _head(reference: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return f"{now} reference {reference}, join-pipeline {metadata.version('join-pipeline')}"


def _lines(error: BaseException) -> Iterator[str]:
    """The error and those that it came from: class and frames, without messages, values and lines of code."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"  {type(error).__module__}.{foreign(error)}"
        for frame in traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]:
            place = "/".join(Path(frame.filename).parts[-3:])
            yield f"    {place}:{frame.lineno} {frame.name}"
        error = error.__cause__ or error.__context__  # type: ignore[assignment]


def _rotate(path: Path) -> None:
    if not path.exists() or path.stat().st_size < MOST_BYTES:
        return
    for number in range(KEPT - 1, 0, -1):
        older = path.with_name(f"{NAME}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{NAME}.{number + 1}"))
    path.replace(path.with_name(f"{NAME}.1"))
