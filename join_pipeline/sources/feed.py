"""A feed: one listing of a source, and what follows from it for a sync.

Belongs here: what every source's feeds have. Not here: which feeds there are (each source's own inventory).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from join_pipeline.lake.raw import RawRow

Key = Literal["remote_id", "id"]

RawOf = Callable[[str], Iterable[RawRow]]
"""The raw rows of a feed, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One listing. One that is no reference bears the name of the model whose absence the guard judges.

    `since` is the parameter by which a listing is asked for what changed from an instant on: such a feed has a
    watermark of its own; one without is always read whole. A reference list gives names to ids: the last one that came
    stays in force. `key` is the column of the model that `record_id` in raw holds.
    """

    name: str
    path: str
    doc: str
    since: str | None = None
    is_reference: bool = False
    key: Key = "remote_id"

    @property
    def is_incremental(self) -> bool:
        return self.since is not None


def guarded(feeds: Iterable[Feed]) -> tuple[str, ...]:
    """The feeds whose loss the guard judges: it can be accepted."""
    return tuple(feed.name for feed in feeds if not feed.is_reference)


def loss_feeds(feeds: Iterable[Feed]) -> type[StrEnum]:
    """The same as an enumeration, for whoever lets a person choose. Its name lists them: a refusal shows only it."""
    names = guarded(feeds)
    return StrEnum("_or_".join(names), names)  # type: ignore[return-value]
