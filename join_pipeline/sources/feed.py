"""A feed: one listing of a source, and how a sync treats it.

Belongs here: what every source's feeds have. Not here: the feeds themselves (each source's own feeds).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from join_pipeline.lake.erased import Naming
from join_pipeline.lake.raw import RawRow

Key = Literal["remote_id", "id"]

RawOf = Callable[[str], Iterable[RawRow]]
"""A function that returns a feed's raw rows, in the order in which they were fetched."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One listing. Unless it is a reference list, it has the name of the model that the guard watches through it.

    `since`: the parameter that asks for changes from an instant on. A feed with it has a watermark; a feed without it
    is always read whole.
    `is_reference`: the feed gives names to ids, and its last fetched list stays in force.
    `key`: the model's column that `record_id` in raw has the values of.
    `created`: the payload's key of when the record was created; None if a payload does not tell.
    `people`: where a payload names the person that it is about, so that nobody comes back who was erased here.
    """

    name: str
    path: str
    doc: str
    since: str | None = None
    is_reference: bool = False
    key: Key = "remote_id"
    created: str | None = None
    people: tuple[Naming, ...] = ()

    @property
    def is_incremental(self) -> bool:
        return self.since is not None


@dataclass(frozen=True, slots=True)
class Unchanging:
    """What a source tells of a feed whose payloads need not be mapped twice.

    `signed`: a pattern (RE2) of what changes with every response and reaches no row. Its first group stays.
    `owner`: the feed's column of the record of which several payloads tell. `owned`: by model, the column of that
    record, for all models whose content one of these payloads decides.
    """

    feed: str
    signed: str
    owner: str
    owned: Mapping[str, str]


def guarded(feeds: Iterable[Feed]) -> tuple[str, ...]:
    """The names of the feeds that have a guard. A user can accept their loss."""
    return tuple(feed.name for feed in feeds if not feed.is_reference)


def loss_feeds(feeds: Iterable[Feed]) -> type[StrEnum]:
    """The guarded feeds as an enumeration. Its name lists them, because a form's error message shows the name only."""
    names = guarded(feeds)
    return StrEnum("_or_".join(names), names)  # type: ignore[return-value]
