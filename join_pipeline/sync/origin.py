"""Origin: which source a sync read, and by whose ids the lake knows what it read.

A lake has the ids of the source that it was begun from, for ever. Another source can go on with it if it tells those
ids, too.
Belongs here: a source as a lake knows it, the source of each record. Not here: whether a lake accepts a source (lake).
"""

from datetime import datetime, timedelta
from typing import TypeVar

from join_pipeline.errors import SettingsError
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.sources.base import CarryingSource, Source

R = TypeVar("R", SyncRecord, SyncRecord | None)


def carried(source: Source, lake: Lake) -> Source:
    """The source by the ids of this lake."""
    return source.carrying(lake.ids) if isinstance(source, CarryingSource) and lake.source in source.carries else source


def carries(source: Source) -> frozenset[str]:
    """The sources whose lakes this one can go on with, beside its own."""
    return source.carries if isinstance(source, CarryingSource) else frozenset()


def refuse_older(source: Source, previous: SyncRecord, now: datetime) -> None:
    """Raise `SettingsError` if another source may tell now what was true before the previous sync.

    Else a hire that the lake knows would look as if it had been taken back, and what is new as if it were gone.
    """
    due = previous.as_of + source.max_age
    if previous.source != source.name and due > now:
        raise SettingsError(
            f"What {source.title} tells may be {source.max_age / timedelta(hours=1):g} hours old, and so older than "
            f"what the last sync of this lake has read. Nothing was written. Run this again after {due:%Y-%m-%d %H:%M} "
            "UTC, and do not sync with the source before until then."
        )


def named(record: R, lake: Lake) -> R:
    """The record with the source that its sync read. An older release did not name it."""
    if record is not None:
        record.source = record.source or lake.source
    return record
