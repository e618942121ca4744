"""The report's texts: one file per language, all with the same keys.

Belongs here: reading them, and each language's format of numbers and dates. Not here: the texts themselves (texts/).
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import vl_convert

LOCALES: Final[dict[str, Literal["en-GB", "de-DE"]]] = {"en": "en-GB", "de": "de-DE"}
"""The locale of each language, for a browser that names none of its own."""
PERCENT: Final = {"de": "\u00a0%"}


def read_texts() -> dict[str, dict[str, Any]]:
    """The locale, the texts and Vega's format locales of each language."""
    return {language: _read(language, locale) for language, locale in LOCALES.items()}


def texts_of(source: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The same with the source's words filled in: its `title`, and `since_word`, its word for the update time."""
    texts = read_texts()
    for one in texts.values():
        one["texts"] = {
            key: text.replace("{api}", source["title"]).replace("{announces}", source["since_word"])
            for key, text in one["texts"].items()
        }
    return texts


def _read(language: str, locale: Literal["en-GB", "de-DE"]) -> dict[str, Any]:
    folder = Path(str(resources.files("join_pipeline.report"))) / "texts"
    texts: dict[str, str] = msgspec.json.decode((folder / f"{language}.json").read_bytes())
    return {
        "locale": locale,
        "texts": texts,
        "format": {**vl_convert.get_format_locale(locale), "percent": PERCENT.get(language, "%")},
        "time_format": vl_convert.get_time_format_locale(locale),
    }
