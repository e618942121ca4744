"""Waiting for a connection's lock: the steps of a Dagster run wait for a command, a command waits for nobody.

Belongs here: who waits, for whom and how long. Not here: the lock (files), which process holds it (holder).
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from join_pipeline.errors import LockedError
from join_pipeline.lake.holder import holder_of
from join_pipeline.lake.run_locks import runs_of

PATIENCE_SECONDS: Final = 600.0
PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Patience:
    tell: Callable[[str], None]
    seconds: float
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]


_PATIENCE: Final[ContextVar[_Patience | None]] = ContextVar("patience", default=None)


@contextlib.contextmanager
def waiting(
    tell: Callable[[str], None],
    seconds: float = PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Within the block, a Dagster run works: whoever takes the lock waits for it, and tells for whom."""
    token = _PATIENCE.set(_Patience(tell, seconds, sleep, monotonic))
    try:
        yield
    finally:
        _PATIENCE.reset(token)


def patiently(take: Callable[[], None], lock: Path) -> None:
    """Take the lock, at once or after waiting. Raises `LockedError` when the time is over.

    Nobody waits for this process itself, which would be for ever, nor a run for another run: Dagster's queue does that.
    """
    patience = _PATIENCE.get()
    if patience is None:
        take()
        return
    began, told = patience.monotonic(), ""
    while True:
        try:
            take()
        except LockedError as error:
            waited, who = patience.monotonic() - began, error.who or _holder(lock)
            if who.split(",")[0] in {f"process {pid}" for pid in (os.getpid(), *runs_of(lock.parent))}:
                raise
            if waited >= patience.seconds:
                raise LockedError(
                    f"This step waited {_span(waited)} for the lock of {lock.parent}, and gave up: a command still "
                    f"works ({who}). Wait until it ends, or end it. Then run this job again, or re-execute the run "
                    "from this step."
                ) from None
            if who != told:
                told = who
                patience.tell(
                    f"A command works on {lock.parent} ({who}). This step waits until it ends, "
                    f"for {_span(patience.seconds)} at most."
                )
            patience.sleep(PAUSE_SECONDS)
        else:
            if told:
                patience.tell(f"The lock is free after {_span(patience.monotonic() - began)}. This step goes on.")
            return


def _holder(lock: Path) -> str:
    """The process that holds the lock, and its command."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return "an unknown process"
    try:
        process = holder_of(descriptor)
    finally:
        os.close(descriptor)
    command = _command(process.removeprefix("process "))
    return f"{process}, {command}" if command else process


def _command(process: str) -> str:
    """The program of a process, and its first word if it is ours. No other argument: it can be about a person."""
    if not process.isdecimal():
        return ""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
    except OSError:  # it has ended, or this is not Linux
        return ""
    names = [Path(word).name for word in words]
    for ours in ("join-pipeline", "join_pipeline"):
        if ours in names:
            command = words[names.index(ours) + 1]
            return f"join-pipeline {command}" if re.fullmatch("[a-z][a-z-]*", command) else "join-pipeline"
    return names[0]


def _span(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 2 * 60 else f"{seconds / 60:.0f} minutes"
