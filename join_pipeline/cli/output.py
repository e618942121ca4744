"""Printing: text for people on two consoles, and one JSON document for scripts.

Belongs here: what several commands share. Not here: the text of one command.
"""

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

_STEERS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that steer a terminal, or change the order of what stands around them. Not blanks, tabs and line ends."""


class _Neutral(Console):
    """A console on which no text can steer the terminal: rich's own colours are no text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(neutral(segment.text), segment.style)


out: Final = _Neutral()
err: Final = _Neutral(stderr=True)

MOST_STANDARD: Final = 2

_printed: list[bool] = [False]
"""Whether this command has printed its JSON document."""

_collected: Final[list[list[Any]]] = []

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def neutral(text: str) -> str:
    """A text in which what steers a terminal is replaced."""
    return _STEERS.sub("\ufffd", text)


def shown(text: str) -> str:
    """The same on one line."""
    return neutral(" ".join(text.splitlines()) if len(text.splitlines()) > 1 else text)


def prepare_streams() -> None:
    """Open what is closed, and let no character be unwritable: then a command ends by its own words.

    A closed standard stream would be the number of the next file that is opened, such as DuckDB's.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= MOST_STANDARD:
        pass
    os.close(opened)
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open(encoding="utf-8")
    sys.stdout = sys.stdout or nothing.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nothing.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def has_printed_json(*, begin: bool = False) -> bool:
    """Whether the command has printed its JSON document; with `begin`, a command begins that has not."""
    if begin:
        _printed[0] = False
    return _printed[0]


@contextlib.contextmanager
def collecting() -> Iterator[list[Any]]:
    """Within the block, what would be printed as JSON is put into a list: it is a part of a larger document."""
    documents: list[Any] = []
    _collected.append(documents)
    try:
        yield documents
    finally:
        _collected.pop()


def print_json(value: Any) -> None:
    """Print a value as one JSON document on standard output, with escapes where the terminal has no UTF-8."""
    if _collected:
        _collected[-1].append(value)
        return
    _printed[0] = True
    text = msgspec.json.encode(value, enc_hook=_plain).decode()
    if not is_utf8(sys.stdout):
        text = json.dumps(msgspec.json.decode(text))
    sys.stdout.write(text + "\n")


def is_utf8(stream: Any) -> bool:
    """Whether a stream can write every character."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "").startswith("utf8")


def _plain(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


def print_findings(findings: Iterable[Any]) -> None:
    """Print each finding with its verdict on a line."""
    marks = {"ok": "[green]ok[/]", "warning": "[yellow]look[/]", "failed": "[red]failed[/]"}
    for finding in findings:
        mark = Text.from_markup(marks[finding.verdict])
        mark.align("left", 7)
        out.print(mark, f"{finding.check:<15} {escape(finding.message)}", soft_wrap=True)


def instant(value: datetime | None) -> str:
    """An instant as text; "never" for None."""
    return f"{value:%Y-%m-%d %H:%M %Z}" if value else "never"
