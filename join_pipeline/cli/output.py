"""Printing: text for people on two consoles, and one JSON document for scripts.

Belongs here: what several commands share. Not here: the text of one command.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def print_json(value: Any) -> None:
    """Print a value as one JSON document on standard output."""
    text = msgspec.json.encode(value, enc_hook=str).decode()
    sys.stdout.write(text + "\n")


def print_findings(findings: Iterable[Any]) -> None:
    """Print each finding with its verdict on a line."""
    marks = {"ok": "[green]ok[/]", "warning": "[yellow]look[/]", "failed": "[red]failed[/]"}
    for finding in findings:
        mark = Text.from_markup(marks[finding.verdict])
        mark.align("left", 7)
        out.print(mark, f"{finding.check:<15} {escape(finding.message)}", soft_wrap=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner with this text while the block runs."""
    with Progress(SpinnerColumn(), TextColumn(what), TimeElapsedColumn(), console=err, transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def instant(value: datetime | None) -> str:
    """An instant as text; "never" for None."""
    return f"{value:%Y-%m-%d %H:%M %Z}" if value else "never"
