"""Rows as a table for a terminal of any width.

Belongs here: widths, and what is done if they do not fit. Not here: the rows (query).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from join_pipeline.cli.output import out

NARROWEST: Final = 16
"""A text is cut to no fewer characters than these. If that is not enough, each value gets a line."""
GAP: Final = 3


def print_rows(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Print a line per row. If the terminal is too narrow, cut long texts and say so; else print a line per value.

    A file or a pipe is never too narrow.
    """
    found = list(rows)
    numbers = {place for row in found for place, value in enumerate(row) if type(value) in {int, float}}
    kept = [[_shown(value) for value in row] for row in found]
    heads = [_shown(name) for name in columns]
    widths = [max(map(len, [head, *(row[place] for row in kept)])) for place, head in enumerate(heads)]
    room = out.width - GAP * len(widths)
    if sum(widths) <= room or not out.is_terminal:
        _print_table(heads, kept, numbers, None)
        return
    cut = _cut(heads, widths, numbers, room)
    if cut is None:
        _print_records(heads, kept)
        return
    _print_table(heads, kept, numbers, cut)
    out.print("Long texts are cut to fit. A wider terminal, --csv and --json show them whole.", highlight=False)


def _cut(heads: list[str], widths: list[int], numbers: set[int], room: int) -> int | None:
    """The largest length of texts at which all columns fit, or None if none does."""
    for most in range(max(widths), NARROWEST - 1, -1):
        fitted = (
            width if place in numbers else max(min(width, most), len(heads[place]))
            for place, width in enumerate(widths)
        )
        if sum(fitted) <= room:
            return most
    return None


def _print_table(heads: list[str], rows: list[list[str]], numbers: set[int], most: int | None) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if place in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(
            *(Text(_shortened(value, most if place not in numbers else None)) for place, value in enumerate(row))
        )
    width = Console(width=1_000_000).measure(table).maximum
    Console(width=max(width, out.width)).print(table)


def _shortened(value: str, most: int | None) -> str:
    return value if most is None or len(value) <= most else f"{value[: most - 1]}…"


def _print_records(heads: list[str], rows: list[list[str]]) -> None:
    for row in rows:
        lines = Table.grid(padding=(0, 2))
        for head, value in zip(heads, row, strict=True):
            lines.add_row(Text(head, style="bold"), Text(value, overflow="fold"))
        out.print(lines, "")


def _shown(value: Any) -> str:
    """A value on one line. Control characters are replaced, because they could steer the terminal."""
    if value is None:
        text = "NULL"
    elif isinstance(value, float):
        text = str(round(value, 4))
    else:
        text = value.isoformat(" ", "seconds") if isinstance(value, datetime) else str(value)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
