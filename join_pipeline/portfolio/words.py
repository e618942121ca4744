"""The words, numbers and dates of the portfolio's page, as HTML in both languages at once.

Belongs here: German and English beside each other. Not here: the texts (texts/), the page (page).
"""

import html
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any, Final

import msgspec

LANGUAGES: Final = ("en", "de")
NONE: Final = "–"
_TO_GERMAN: Final = str.maketrans(",.", ".,")
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """The texts of each language, by their keys."""
    folder = Path(str(resources.files("join_pipeline.portfolio"))) / "texts"
    return {one: msgspec.json.decode((folder / f"{one}.json").read_bytes(), type=dict[str, str]) for one in LANGUAGES}


def said(key: str, **values: "Both | str | int") -> "Both":
    """A text with each `{name}` filled in."""
    filled = {name: value if isinstance(value, Both) else number(value) for name, value in values.items()}
    return Both(
        *(_fill(texts()[one][key], {name: value.of(one) for name, value in filled.items()}) for one in LANGUAGES)
    )


def number(value: float | str | None, digits: int = 0) -> "Both":
    """A number as each language writes it. A text stays as it is, and None is a dash."""
    if value is None or isinstance(value, str):
        return Both(value or NONE, value or NONE)
    english = f"{value:,.{digits}f}"
    return Both(english, english.translate(_TO_GERMAN))


def percent(value: float | None) -> "Both":
    """A share in percent."""
    if value is None:
        return number(None)
    shown = number(100 * value, 1 if 0 < value < 0.1 else 0)
    return Both(f"{shown.en}%", f"{shown.de}\u00a0%")


def day(value: datetime | None) -> "Both":
    """A day as each language writes it."""
    if value is None:
        return number(None)
    return Both(f"{value.day} {_MONTHS[value.month - 1]} {value.year}", f"{value.day}.{value.month}.{value.year}")


class Both(msgspec.Struct, frozen=True):
    """A text in both languages."""

    en: str
    de: str

    def of(self, language: str) -> str:
        """The text in one of them."""
        return self.de if language == "de" else self.en

    def __str__(self) -> str:
        """As HTML. The page shows the reader's one."""
        if self.en == self.de:
            return html.escape(self.en)
        return "".join(f'<span lang="{one}">{html.escape(self.of(one))}</span>' for one in LANGUAGES)


def _fill(text: str, values: Mapping[str, Any]) -> str:
    return Formatter().vformat(text, (), values)
