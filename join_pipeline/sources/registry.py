"""Sources by name: the one place that picks.

Belongs here: the table. Not here: what a source is (base), what one does (its own room).
"""

import enum
from collections.abc import Callable, Mapping
from typing import Final

from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source
from join_pipeline.sources.join.source import JoinSource
from join_pipeline.sources.kombo.source import KomboSource

SOURCES: Final[Mapping[str, Callable[[Settings], Source]]] = {"join": JoinSource, "kombo": KomboSource}


class LossFeed(enum.Enum):
    """Feeds that the guard watches, of every source; one that this source has not is refused when the sync begins."""

    applications = "applications"
    jobs = "jobs"
    candidates = "candidates"
    users = "users"
    application_stages = "application_stages"
    tags = "tags"


def open_source(settings: Settings) -> Source:
    """The source that the settings name. Nothing is asked of it yet."""
    return source_of(settings.source, settings)


def source_of(name: str, settings: Settings) -> Source:
    """A source by its name, as a lake has it."""
    return SOURCES[name](settings)
