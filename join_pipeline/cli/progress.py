"""Progress in a terminal: how far a command is, of how much, and the time that is left.

Belongs here: what is shown while a command works. Not here: what it prints at its end. A pipe and a file get nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from join_pipeline.cli.output import err
from join_pipeline.cli.verbosity import is_quiet


class _Count(ProgressColumn):
    """The records so far, of how many where that is known."""

    def render(self, task: Task) -> RenderableType:
        unit = task.fields.get("unit", "")
        of = f" of {task.total:,.0f}" if task.total else ""
        return Text(f"{task.completed:,.0f}{of} {unit}".rstrip() if of or unit else "", no_wrap=True)


class _Left(ProgressColumn):
    """The time that is left, where it can be told."""

    max_refresh = 0.5

    def render(self, task: Task) -> RenderableType:
        seconds = None if task.finished or task.total is None else task.time_remaining
        return Text("" if seconds is None else f"{seconds // 60:.0f}:{seconds % 60:02.0f} left")


def bar(*columns: ProgressColumn) -> Progress:
    """A progress display on standard error, which is cleared at its end. A pipe and a quiet command get none."""
    is_shown = err.is_terminal and not is_quiet()
    described = (SpinnerColumn(), TextColumn("{task.description}"))
    return Progress(*described, *columns, TimeElapsedColumn(), console=err, transient=True, disable=not is_shown)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner with this text while the block runs."""
    with bar() as progress:
        progress.add_task(what, total=None)
        yield


class Watch:
    """What a sync and a build report while they work, as lines of one display."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}
        self._expected: dict[str, int] = {}

    def expect(self, feed: str, records: int) -> None:
        """Note how many records of a feed there may be."""
        self._expected[feed] = records

    def records(self, feed: str, records: int) -> None:
        """Show how many records of a feed there are so far, of those that are known or more."""
        expected = self._expected.get(feed)
        self._show(feed, "records", records, None if expected is None else max(expected, records))

    def step(self, step: str, done: int, of: int | None) -> None:
        """Show what a build does now in place of what it did before, and how many parts of it are done."""
        if step not in self._tasks:
            for task in self._progress.task_ids:
                self._progress.update(task, visible=False)
        self._show(step, "", done, of)

    def _show(self, what: str, unit: str, completed: int, total: int | None) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=completed, total=total, unit=unit)


@contextmanager
def watching() -> Iterator[Watch]:
    """Show what a sync and a build report while the block runs."""
    with bar(BarColumn(), _Count(), _Left()) as progress:
        yield Watch(progress)
