"""Feeds as the engine knows them: a name, and what follows from it for a sync. Not here: where they are (sources)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from join_pipeline.lake.raw import RawRow

Key = Literal["remote_id", "id"]

RawOf = Callable[[str], Iterable[RawRow]]
"""The raw rows of a feed, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """One listing of a source. One that is no reference bears the name of the model whose absence the guard judges.

    A reference list gives names to ids: the last one that came stays in force. An incremental feed has a watermark of
    its own, from which on it is asked for what changed. `key` is the column of the model that `record_id` in raw holds.
    """

    name: str
    doc: str
    is_reference: bool = False
    is_incremental: bool = False
    key: Key = "remote_id"
