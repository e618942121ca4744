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
        of = f" of about {task.total:,.0f}" if task.total else ""
        return Text(f"{task.completed:,.0f}{of} {task.fields.get('unit', '')}")


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


@contextmanager
def stepping(what: str, total: int | None = None) -> Iterator[Any]:
    """Yield a callback of steps, which shows the name of the step and how many of the steps are done."""
    with bar(BarColumn(), _Count(), _Left()) as progress:
        task = progress.add_task(what, total=total, unit="steps")

        def show(step: str, done: int, of: int) -> None:
            progress.update(task, description=step, completed=done, total=of)

        yield show


@contextmanager
def counting() -> Iterator[Any]:
    """Yield a progress callback that shows a line per feed."""
    with bar(BarColumn(), _Count(), _Left()) as progress:
        tasks: dict[str, Any] = {}

        def show(feed: str, records: int, expected: int | None) -> None:
            if feed not in tasks:
                tasks[feed] = progress.add_task(feed, total=None, unit="records")
            # more than expected have come: nobody knows how many will
            progress.update(
                tasks[feed], completed=records, total=expected if expected and expected >= records else None
            )

        yield show
