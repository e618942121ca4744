"""The written source: which of JOIN's words a caller's source is written as, and whether JOIN shows that word.

Belongs here: the table from names to JOIN's words. Not here: what a source is in the marts (dbt).

JOIN takes one of nine words and no free text. The table is `sources.csv` beside this file. The rows of a user's own CSV
with the same columns win over it.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from join_pipeline.actions.request import GivenSource
from join_pipeline.errors import SettingsError
from join_pipeline.sources.join.mapping.vocabulary import slug

WORDS: Final = (
    "ORGANIC",
    "REFERRALS",
    "JOB_BOARDS",
    "SOCIAL_MEDIA",
    "AGENCY",
    "SOURCING_TOOLS",
    "EVENTS",
    "INTERNAL_APPLICATION",
    "OTHER",
)
UNMAPPED: Final = "OTHER"


@dataclass(frozen=True, slots=True)
class WrittenSource:
    """JOIN's word, the name that the caller gave, and a warning where the name is lost."""

    word: str
    name: str | None
    warning: str | None = None


def source_table(own: Path | None) -> dict[str, str]:
    """JOIN's words by name, as `slug` writes names. The user's own rows win."""
    shipped = (files("join_pipeline.actions") / "sources.csv").read_text(encoding="utf-8")
    table = dict(_rows(shipped.splitlines(), "sources.csv"))
    if own is not None:
        try:
            lines = own.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"JOIN_PIPELINE_WRITTEN_SOURCE_CSV: {own} can't be read.") from None
        table |= dict(_rows(lines, f"JOIN_PIPELINE_WRITTEN_SOURCE_CSV: {own}"))
    return table


def written_source(given: GivenSource | None, platform: str | None, table: dict[str, str]) -> WrittenSource:
    """The word to write for the request's source, else for the platform. Its id comes first, then its key, its name."""
    texts = [text for text in (given.id, given.unified_key, given.name) if text] if given else []
    if not texts:
        texts = [platform] if platform else []
    if not texts:
        return WrittenSource(UNMAPPED, None)
    name = (given.name if given else None) or texts[0]
    words = {slug(word): word for word in WORDS}
    for text in texts:
        key = slug(text)
        word = words.get(key) or table.get(key)
        if word is not None:
            is_kept = key == slug(word)
            return WrittenSource(word, name, None if is_kept else f"JOIN takes no free text as source: it is {word}")
    return WrittenSource(
        UNMAPPED,
        name,
        f"the source is in no table, so it is written as {UNMAPPED}; name it in JOIN_PIPELINE_WRITTEN_SOURCE_CSV",
    )


def is_shown_as(word: str, product: str | None) -> bool:
    """Whether JOIN's `source.product` is this word as people read it: `Referral` for REFERRALS."""
    return _singular(slug(product or "")) == _singular(slug(word))


def _singular(text: str) -> list[str]:
    return [part.removesuffix("s") for part in text.split("_")]


def _rows(lines: list[str], where: str) -> Iterator[tuple[str, str]]:
    reader = csv.DictReader(lines)
    if not {"name", "source"} <= set(reader.fieldnames or ()):
        raise SettingsError(f"{where} needs the columns name and source.")
    for row in reader:
        word = (row["source"] or "").strip().upper()
        if word not in WORDS:
            raise SettingsError(f"{where}, line {reader.line_num}: source must be one of {', '.join(WORDS)}.")
        yield slug(row["name"] or ""), word
