"""A reader that dies at a chosen moment, in this process, and leaves the disk as it was then.

Belongs here: counting what a sync does to the disk, and ending it at one of those points. Not here: real processes and
real signals (test_kill); when a history lets its reader die (history).
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock


class Killed(BaseException):
    """The process is gone. Not an `Exception`: nothing may handle it."""


class Mortal:
    """Ends a reader at one of its steps on the disk, or when it is told to; whatever it tries then fails."""

    def __init__(self) -> None:
        self.n_steps = 0
        self.is_dead = False
        self._dies_at: int | None = None

    def die(self) -> None:
        """The next thing that the reader does is its last."""
        self.is_dead = True

    def check(self) -> None:
        """Raise `Killed` in a reader that is dead."""
        if self.is_dead:
            raise Killed

    @contextlib.contextmanager
    def living(self, dies_at_step: int | None = None) -> Iterator[None]:
        """Count steps on the disk: a file that takes its name, one that goes, a folder that goes."""
        self.n_steps, self.is_dead, self._dies_at = 0, False, dies_at_step
        real = {"replace": Path.replace, "unlink": Path.unlink, "rmdir": Path.rmdir, "rmtree": shutil.rmtree}

        def stepping(name: str) -> Any:
            def step(*arguments: Any, **named: Any) -> Any:
                self._step()
                return real[name](*arguments, **named)

            return step

        def rmtree(folder: Path, **named: Any) -> None:
            # file by file, so that it can end half way
            for path in sorted(Path(folder).rglob("*"), reverse=True):
                self._step()
                real["rmdir" if path.is_dir() else "unlink"](path)
            if Path(folder).exists():
                real["rmdir"](Path(folder))

        with (
            mock.patch.object(Path, "replace", stepping("replace")),
            mock.patch.object(Path, "unlink", stepping("unlink")),
            mock.patch.object(Path, "rmdir", stepping("rmdir")),
            mock.patch.object(shutil, "rmtree", rmtree),
        ):
            try:
                yield
            finally:
                self.is_dead = False

    def _step(self) -> None:
        self.check()
        self.n_steps += 1
        if self.n_steps == self._dies_at:
            self.die()
            self.check()
