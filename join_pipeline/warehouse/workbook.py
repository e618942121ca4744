"""A workbook of Excel: rows as typed cells, which no spreadsheet computes.

Belongs here: cells, formats, widths, and placing the file. Not here: which rows (query, export).
"""

import contextlib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from join_pipeline.errors import InputError, LakeError, SettingsError, foreign
from join_pipeline.lake.files import appearing, make_folder
from join_pipeline.settings import Settings

MOST_ROWS: Final = 1_048_575
MOST_COLUMNS: Final = 16_384
LONGEST_TEXT: Final = 32_767
LARGEST_WHOLE: Final = 10**15
"""Excel keeps 15 digits. A larger whole number becomes a text, so that none is rounded in silence."""
FIRST_DAY: Final = date(1900, 3, 1)
"""Excel takes 1900 for a leap year, so it shows earlier days wrong."""
LOOKED_AT: Final = 1000
NARROWEST: Final = 8
WIDEST: Final = 60
SHARES: Final = re.compile(r"(^|_)(share|rate|conversion|pass_through|change)(_|$)")
YEARS: Final = re.compile(r"(^|_)(year|id|key|rank)$")
COMPUTED: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
DATES: Final = {"en": "yyyy-mm-dd", "de": "dd.mm.yyyy"}
NOT_PRINTED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
OPTIONS: Final = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "constant_memory": True,
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, the header of each column, the names by which columns get their formats, and the rows."""

    name: str
    headers: Sequence[str]
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    n_rows: list[int] = field(default_factory=lambda: [0])


def write_workbook(
    settings: Settings,
    path: Path,
    sheets: Iterable[Sheet],
    *,
    language: str = "en",
    force: bool = False,
    about: str = "",
) -> int:
    """Write the sheets to a new file, which appears whole or not at all. Returns its size in bytes.

    Instants become dates of Excel in the company's time zone. Raises `SettingsError` if the file exists, unless `force`
    is given, `InputError` for more rows or columns than a sheet holds.
    """
    target = checked_target(path, force=force)
    spill = make_folder(settings.builds / "spill")  # xlsxwriter's own files; a build clears what a killed command left
    with appearing(target) as aside:
        try:
            with contextlib.closing(xlsxwriter.Workbook(str(aside), {**OPTIONS, "tmpdir": str(spill)})) as book:
                book.set_properties({"comments": about})
                cells = _Cells(book, ZoneInfo(settings.time_zone), language)
                for sheet in sheets:
                    _write(book, sheet, cells)
        except XlsxWriterException as error:
            raise LakeError(f"{target} can't be written ({foreign(error)}). Nothing was lost; run it again.") from None
    return target.stat().st_size


def checked_target(path: Path, *, force: bool) -> Path:
    """The path of a new workbook. Raises `SettingsError` if it is none, or if it exists and `force` is not given."""
    if path.suffix.lower() != ".xlsx":
        raise SettingsError(f"{path} has to end in .xlsx, or no spreadsheet opens it.")
    if path.is_symlink() or path.exists():
        if path.is_dir() or path.is_symlink():
            raise SettingsError(f"{path} is a folder or a link. Name a file.")
        if not force:
            raise SettingsError(f"{path} exists. Name another file, or add --force to replace it.")
    if not path.parent.is_dir():
        raise SettingsError(f"{path.parent} is no folder. Make it first.")
    return path.absolute()


class _Cells:
    """Writes values as cells, each with the format of its column and type."""

    def __init__(self, book: xlsxwriter.Workbook, zone: ZoneInfo, language: str) -> None:
        self.zone = zone
        day = DATES[language]
        numbers = {"whole": "#,##0", "plain": "0", "number": "#,##0.0", "share": "0.0%", "day": day}
        numbers["instant"] = f"{day} hh:mm"
        numbers["time"] = "hh:mm:ss"
        top = {"valign": "top"}
        self.formats = {name: book.add_format({"num_format": code, **top}) for name, code in numbers.items()}
        self.formats["text"] = book.add_format({"text_wrap": True, **top})
        # Excel would compute such a text once somebody edits its cell
        self.formats["quoted"] = book.add_format({"quote_prefix": True, **top})
        self.header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, **top})

    def write(self, sheet: Any, row: int, place: int, column: str, value: Any) -> None:
        kind, shown = self.cell(column, value)
        if kind == "bool":
            sheet.write_boolean(row, place, shown)
        elif kind in {"text", "quoted"}:
            sheet.write_string(row, place, shown, self.formats[kind])
        elif kind in {"day", "instant", "time"}:
            sheet.write_datetime(row, place, shown, self.formats[kind])
        elif kind:
            sheet.write_number(row, place, shown, self.formats[kind])

    def cell(self, column: str, value: Any) -> tuple[str, Any]:
        """The kind of a value's cell, and what is written. None has no cell."""
        found: tuple[str, Any]
        match value:
            case None:
                found = "", None
            case bool():
                found = "bool", value
            case int() | float() | Decimal():
                found = self._number(column, value)
            case datetime():
                local = value if value.tzinfo is None else value.astimezone(self.zone).replace(tzinfo=None)
                found = ("instant", local) if local.date() >= FIRST_DAY else _text(value)
            case date():
                found = ("day", value) if value >= FIRST_DAY else _text(value)
            case time(tzinfo=None):
                found = "time", value
            case _:
                found = _text(value)
        return found

    def _number(self, column: str, value: float | Decimal) -> tuple[str, Any]:
        if isinstance(value, int):
            return (
                _text(value) if abs(value) >= LARGEST_WHOLE else ("plain" if YEARS.search(column) else "whole", value)
            )
        if not math.isfinite(value):
            return _text(value)
        return "share" if SHARES.search(column) else "number", float(value)


def _text(value: Any) -> tuple[str, str]:
    text = NOT_PRINTED.sub("\ufffd", str(value))
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 1] + "…"
    return "quoted" if text.lstrip(" ").startswith(COMPUTED) else "text", text


def _write(book: xlsxwriter.Workbook, sheet: Sheet, cells: _Cells) -> None:
    """Write one sheet: a frozen header with a filter, and columns as wide as their first thousand values."""
    if len(sheet.columns) > MOST_COLUMNS:
        raise InputError("query", f"has more columns than a sheet holds ({MOST_COLUMNS:,}). Use --csv.")
    made = book.add_worksheet(sheet.name)
    rows = iter(sheet.rows)
    first = list(itertools.islice(rows, LOOKED_AT))
    for place, (header, column) in enumerate(zip(sheet.headers, sheet.columns, strict=True)):
        made.set_column(place, place, _width(header, [cells.cell(column, row[place]) for row in first]))
    made.freeze_panes(1, 0)
    for place, header in enumerate(sheet.headers):
        made.write_string(0, place, _text(header)[1], cells.header)
    for row, values in enumerate(itertools.chain(first, rows), start=1):
        if row > MOST_ROWS:
            raise InputError("query", f"has more rows than a sheet holds ({MOST_ROWS:,}). Use --csv or --limit.")
        for place, (column, value) in enumerate(zip(sheet.columns, values, strict=True)):
            cells.write(made, row, place, column, value)
        sheet.n_rows[0] = row
    if sheet.columns:
        made.autofilter(0, 0, sheet.n_rows[0], len(sheet.columns) - 1)


def _width(header: str, cells: Iterable[tuple[str, Any]]) -> int:
    words = max((len(word) for word in header.split()), default=0) + 2  # a filter's arrow takes room
    return min(max(words, NARROWEST, *(_length(kind, shown) for kind, shown in cells)), WIDEST)


def _length(kind: str, shown: Any) -> int:
    fixed = {"": 0, "bool": 7, "day": 11, "instant": 17, "time": 9, "share": 8}
    if kind in fixed:
        return fixed[kind]
    if kind in {"text", "quoted"}:
        return max((len(line) for line in str(shown).splitlines()), default=0) + 1
    return len(f"{shown:,.1f}") + 1


def names_of_sheets(wanted: Iterable[str]) -> Iterator[str]:
    """Names that Excel takes: at most 31 characters without []:*?/\\ and no two the same."""
    taken: set[str] = set()
    for name in wanted:
        short = re.sub(r"[\[\]:*?/\\]", "", name).strip("'")[:31] or "Sheet"
        for n in itertools.count(2):
            if short.lower() not in taken:
                break
            short = f"{short[:28]} {n}"
        taken.add(short.lower())
        yield short
