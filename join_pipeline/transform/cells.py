"""The cells of a user's CSV file: numbers, days and months as people write them, in German and English.

Belongs here: reading one cell, and refusing it if it can be read in two ways. Not here: files, lines and columns
(csv_files), which tables there are (figures).

Each function gets the text of a cell without blanks at its ends, and returns a text of one form. It raises `ValueError`
with what is wrong.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from join_pipeline.csv_files import LONGEST_NAME, name_key

MOST_COST: Final = 10**12
YEARS: Final = range(2000, 2100)
MONTHS: Final = (
    ("januar", "january", "jänner"),
    ("februar", "february"),
    ("märz", "march", "mrz", "maerz"),
    ("april",),
    ("mai", "may"),
    ("juni", "june"),
    ("juli", "july"),
    ("august",),
    ("september",),
    ("oktober", "october"),
    ("november",),
    ("dezember", "december"),
)
"""A month may be cut after three letters."""
_SHORTEST: Final = 3
_SHOWN: Final = 40


def name_of(text: str) -> str:
    """A name as it stands."""
    if len(text) > LONGEST_NAME:
        raise ValueError(f"needs 1 to {LONGEST_NAME} characters")
    return text


def word_of(words: tuple[str, ...]) -> Callable[[str], str]:
    """One of these words, in any case."""

    def read(text: str) -> str:
        if text.upper() not in words:
            raise ValueError(f"{quoted(text)} is not one of {', '.join(words)}")
        return text.upper()

    return read


def whole_of(least: int, most: int) -> Callable[[str], str]:
    """A whole number within bounds. A spreadsheet may have written it with one or two decimal zeros."""

    def read(text: str) -> str:
        found = re.fullmatch(r"([0-9]{1,9})([.,]00?)?", text)
        if not found or not least <= int(found[1]) <= most:
            raise ValueError(f"{quoted(text)} is not a whole number from {least} to {most}")
        return str(int(found[1]))

    return read


def cost_of(text: str) -> str:
    """An amount of money, without a sign of its currency."""
    if re.search(r"[€$£]|[A-Za-z]", text):
        raise ValueError(f"{quoted(text)} is not a number. Write the currency into the column currency")
    number = number_of(text)
    if number > MOST_COST:
        raise ValueError(f"is more than {MOST_COST}")
    return str(number)


def number_of(text: str) -> float:
    """A number with a decimal point or comma; points, commas, blanks or apostrophes may part the thousands.

    It refuses 1.234, which is one and a bit, or twelve hundred.
    """
    plain = re.sub(r"(?<=[0-9])[\s'’](?=[0-9]{3}(?![0-9]))", "", text)
    if not re.fullmatch(r"[0-9]{1,15}([.,][0-9]{1,15})*", plain):
        raise ValueError(f"{quoted(text)} is not a number")
    marks = [mark for mark in plain if mark in ".,"]
    whole, rest = plain, ""
    if len(marks) == 1 or (marks and marks[-1] not in marks[:-1]):  # the same mark twice parts thousands
        whole, _, rest = plain.rpartition(marks[-1])
    if len(marks) == 1 and re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", plain):
        raise ValueError(f"{quoted(text)} can be read in two ways. Write {whole}{rest} or {whole}.{rest}0")
    if not re.fullmatch(r"[0-9]+|[0-9]{1,3}(\.[0-9]{3})+|[0-9]{1,3}(,[0-9]{3})+", whole):
        raise ValueError(f"{quoted(text)} is not a number")
    return float(f"{re.sub('[.,]', '', whole)}.{rest or 0}")


def currency_of(text: str) -> str:
    """A currency in three letters (ISO 4217)."""
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError(f"{quoted(text)} is not a currency in three letters, such as EUR")
    return text.upper()


def month_of(text: str) -> str:
    """The first day of a month, which may be written as a month or as one of its days."""
    found = _month(text) or _day(text)
    if found is None:
        raise ValueError(f"{quoted(text)} is not a month. Write 2026-12, 12.2026 or Dec 2026")
    return found.replace(day=1).isoformat()


def day_of(*, is_end: bool) -> Callable[[str], str]:
    """A day; of a month alone, its last one if `is_end`, else its first."""

    def read(text: str) -> str:
        found = _day(text)
        if found is None and (found := _month(text)) is not None and is_end:
            found = (found.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        if found is None:
            raise ValueError(f"{quoted(text)} is not a day. Write 2026-12-31 or 31.12.2026")
        return found.isoformat()

    return read


def quoted(text: str) -> str:
    """A cell's text for an error, cut and without what could steer a terminal."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _day(text: str) -> date | None:
    """A day in ISO 8601 or in German order. Slashes say no order, so 01/02/2026 is none."""
    if found := re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})([ T]00:00(:00)?)?", text):
        return _date(found[1], found[2], found[3])
    if found := re.fullmatch(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4})", text):
        return _date(found[3], found[2], found[1])
    return None


def _month(text: str) -> date | None:
    """The first day of a month that is written without a day."""
    if found := re.fullmatch(r"([0-9]{4})[-/]([0-9]{1,2})", text):
        return _date(found[1], found[2], "1")
    if found := re.fullmatch(r"([0-9]{1,2})[./]([0-9]{4})", text):
        return _date(found[2], found[1], "1")
    if found := re.fullmatch(r"([^\W\d_]+)\.?[ -]?((?:20)?[0-9]{2})", name_key(text)):
        for number, names in enumerate(MONTHS, start=1):
            if len(found[1]) >= _SHORTEST and any(name.startswith(found[1]) for name in names):
                return _date(found[2].rjust(4, "?").replace("??", "20"), str(number), "1")
    return None


def _date(year: str, month: str, day: str) -> date | None:
    with contextlib.suppress(ValueError):
        if int(year) in YEARS:
            return date(int(year), int(month), int(day))
    return None
