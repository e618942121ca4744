"""The written source: which of JOIN's words a caller's source is written as, and whether JOIN shows that word.

Belongs here: the table from names to JOIN's words. Not here: what a source is in the marts (dbt).

JOIN takes one of nine words and no free text. The table is `sources.csv` beside this file. The rows of a user's own CSV
with the same columns win over it.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from join_pipeline.actions.request import GivenSource
from join_pipeline.csv_files import file_text, name_key, named_words
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
    """JOIN's words by name, as `source_key` writes names. The user's own rows win."""
    shipped = (files("join_pipeline.actions") / "sources.csv").read_text(encoding="utf-8")
    table = _table(shipped, "sources.csv")
    if own is not None:
        where = f"JOIN_PIPELINE_WRITTEN_SOURCE_CSV: {own}"
        table |= _table(file_text(own, where), where)
    return table


def source_key(text: str) -> str:
    """A name as it is compared: letters and digits alone count, and where there are none, what there is."""
    plain = name_key(text)
    return slug(plain) or plain


def written_source(given: GivenSource | None, platform: str | None, table: dict[str, str]) -> WrittenSource:
    """The word to write for the request's source, else for the platform. Its id comes first, then its key, its name."""
    texts = [text for text in (given.id, given.unified_key, given.name) if text] if given else []
    if not texts:
        texts = [platform] if platform else []
    if not texts:
        return WrittenSource(UNMAPPED, None)
    name = (given.name if given else None) or texts[0]
    words = {source_key(word): word for word in WORDS}
    for text in texts:
        key = source_key(text)
        word = words.get(key) or table.get(key)
        if word is not None:
            is_kept = key == source_key(word)
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


def _table(text: str, where: str) -> dict[str, str]:
    """The words by name. Names that differ only by marks may stand in several rows if they have one word."""
    table: dict[str, str] = {}
    for line, name, word in named_words(text, ("name", "source"), WORDS, where, is_exact=False):
        if table.setdefault(source_key(name), word) != word:
            raise SettingsError(f"{where}, line {line}: another row gives the same name another source.")
    return table
