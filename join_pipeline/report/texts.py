"""The report's words: one file per language, all with the same keys.

Belongs here: reading them, and how numbers and dates of a language are written on axes. Not here: the words (texts/).
"""

from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import vl_convert

LOCALES: Final[dict[str, Literal["en-GB", "de-DE"]]] = {"en": "en-GB", "de": "de-DE"}
"""By language, the locale where the reader's browser names none of its own."""
PERCENT: Final = {"de": "\u00a0%"}


def read_texts() -> dict[str, dict[str, Any]]:
    """By language: its locale, its texts, and Vega's format locales."""
    return {language: _read(language, locale) for language, locale in LOCALES.items()}


def _read(language: str, locale: Literal["en-GB", "de-DE"]) -> dict[str, Any]:
    folder = Path(str(resources.files("join_pipeline.report"))) / "texts"
    texts: dict[str, str] = msgspec.json.decode((folder / f"{language}.json").read_bytes())
    return {
        "locale": locale,
        "texts": texts,
        "format": {**vl_convert.get_format_locale(locale), "percent": PERCENT.get(language, "%")},
        "time_format": vl_convert.get_time_format_locale(locale),
    }
