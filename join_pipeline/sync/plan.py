"""Plan: which mode a sync takes and why, and when the guard objects. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from join_pipeline.errors import SettingsError
from join_pipeline.lake.record import LastFull, Mode, SyncRecord
from join_pipeline.sources.feed import Feed

AskedMode = Literal["auto", "full", "incremental"]
OVERLAP: Final = timedelta(minutes=15)
LOSS_SHARE: Final = 0.2
LOSS_COUNT: Final = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A mode, why it was taken, and from when on each incremental feed is asked; one that is not here is read whole."""

    mode: Mode
    reason: str
    since: Mapping[str, datetime] = field(default_factory=dict)


class Rhythm(Protocol):
    """What a source says of time: its feeds, how often all is read, and its word for what announces a change."""

    @property
    def feeds(self) -> tuple[Feed, ...]: ...

    @property
    def full_every(self) -> timedelta: ...

    @property
    def since_word(self) -> str: ...


def plan(
    rhythm: Rhythm,
    asked: AskedMode,
    previous: SyncRecord | None,
    last_full: LastFull | None,
    now: datetime,
    *,
    is_widened: bool = False,
) -> Plan:
    """What to do, given what was done. An incremental sync needs something to add to.

    `is_widened`: the last sync kept a selection, and now everything is to be kept.
    """
    before, hours = previous.feeds if previous else {}, f"{rhythm.full_every / timedelta(hours=1):.0f} hours"
    since = {
        feed.name: listed - OVERLAP
        for feed in rhythm.feeds
        if feed.is_incremental and feed.name in before and (listed := before[feed.name].listed_since) is not None
    }
    if not since:
        return Plan("full", "nothing is known yet")
    if asked == "full" or is_widened:
        return Plan("full", "until now only what was created here was kept" if is_widened else "asked for")
    if asked == "incremental":
        return Plan("incremental", "asked for", since)
    if last_full is None or now - last_full.started_at >= rhythm.full_every:
        return Plan("full", f"the last full sync is {hours} old or older")
    if last_full.n_unannounced:
        return Plan("full", f"the last full sync found changes that {rhythm.since_word} had not announced")
    return Plan("incremental", f"the last full sync is less than {hours} old", since)


def is_widened(only_created: bool, previous: SyncRecord | None) -> bool:
    """Whether everything is kept now, and the last sync kept a selection: then everything must be read.

    `SettingsError` for the other way round: a lake that has everything would go on telling of it, as if it were so.
    """
    if previous is None or previous.only_created == only_created:
        return False
    known = previous.models.get("applications")
    if only_created and known is not None and known.live:
        raise SettingsError(
            "JOIN_PIPELINE_ONLY_CREATED is on, and this lake holds all applications. Switch it off, or set "
            "JOIN_PIPELINE_CONNECTION to begin a lake of those that were created here."
        )
    return not only_created


def guard_objects(feed: str, known: int, missing: int, listed: int, accepted: Collection[str]) -> str | None:
    """Why a listing that lost so many known records is not believed, or None.

    It objects when more than 20 % and at least 20 of the known records are missing, or when a listing is empty where
    some are known.
    """
    if feed in accepted or not known or not missing:
        return None
    if listed == 0:
        return f"the listing is empty, {known} records are known"
    if missing >= LOSS_COUNT and missing > LOSS_SHARE * known:
        return f"{missing} of {known} known records are missing"
    return None
