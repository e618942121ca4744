"""Sources by name: the one place that lists them.

Belongs here: the table. Not here: the protocol (base), any source (its own room). The settings import this module for
the options of all sources, so it imports a source itself only when it opens one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from join_pipeline.sources.join import options as join
from join_pipeline.sources.kombo import options as kombo
from join_pipeline.sources.options import Options

if TYPE_CHECKING:
    from join_pipeline.settings import Settings
    from join_pipeline.sources.base import Source


@dataclass(frozen=True, slots=True)
class Entry:
    """One source: a short description, its options, and the function that makes it."""

    doc: str
    options: type[Options]
    make: Callable[["Settings"], "Source"]


def _join(settings: "Settings") -> "Source":
    from join_pipeline.sources.join.source import JoinSource  # noqa: PLC0415

    return JoinSource(settings)


def _kombo(settings: "Settings") -> "Source":
    from join_pipeline.sources.kombo.source import KomboSource  # noqa: PLC0415

    return KomboSource(settings, carries=frozenset({join.NAME}))


SOURCES: Final[Mapping[str, Entry]] = {
    join.NAME: Entry("JOIN's API", join.JoinOptions, _join),
    kombo.NAME: Entry("JOIN's data from Kombo", kombo.KomboOptions, _kombo),
}
DEFAULT: Final = join.NAME


def known_source(name: str) -> str:
    """The name of a source. Raises `ValueError` for another one."""
    if name not in SOURCES:
        raise ValueError(f"is not a source; the sources are {', '.join(SOURCES)}")
    return name


def open_source(settings: "Settings") -> "Source":
    """The source that the settings name. This sends no request."""
    return source_of(settings.source, settings)


def source_of(name: str, settings: "Settings") -> "Source":
    """The source with this name, such as a lake's source."""
    return SOURCES[name].make(settings)
