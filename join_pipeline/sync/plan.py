"""Plan: which mode a sync takes and why, and when the guard objects. The functions are pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from join_pipeline.errors import SettingsError
from join_pipeline.http.server_clock import MOST_SKEW
from join_pipeline.lake.record import LastFull, Mode, SyncRecord
from join_pipeline.sources.feed import Feed

AskedMode = Literal["auto", "full", "incremental"]
OVERLAP: Final = timedelta(minutes=15)
ONE_READING: Final = "one reading proves little, and a second one shows whether the list was complete"
MOVED: Final = "the clock was moved, so a list of changes since the last sync may lack some"
WIDENED: Final = "until now only what was created here was kept"
KEPT_OTHERWISE: Final = "another choice of what is kept out of the lake"
LOSS_SHARE: Final = 0.2
LOSS_COUNT: Final = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A mode, its reason, and the instant from which each incremental feed is read. Other feeds are read whole."""

    mode: Mode
    reason: str
    since: Mapping[str, datetime] = field(default_factory=dict)


class Rhythm(Protocol):
    """What the plan needs of a source: its feeds, how often a full sync is due, and the name of its update time."""

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
    is_moved: bool = False,
    is_kept_otherwise: bool = False,
) -> Plan:
    """The plan of the next sync. Without an earlier sync it is full, whatever `asked` is.

    `is_widened`: the previous sync kept only applications that were created here, and this one keeps all. `is_moved`:
    the clock moved since, so a list of changes may lack some. A watermark in the future shows that, too.
    `is_kept_otherwise`: the previous sync kept other parts of the payloads out of the lake.
    """
    before, hours = previous.feeds if previous else {}, f"{rhythm.full_every / timedelta(hours=1):.0f} hours"
    since = {
        feed.name: listed - OVERLAP
        for feed in rhythm.feeds
        if feed.is_incremental and feed.name in before and (listed := before[feed.name].listed_since) is not None
    }
    is_moved = is_moved or any(at > now for at in since.values())
    if is_moved or not since:
        return Plan("full", MOVED if is_moved else "nothing is known yet")
    if asked == "full" or is_widened or is_kept_otherwise:
        why = KEPT_OTHERWISE if is_kept_otherwise else "asked for"
        return Plan("full", WIDENED if is_widened else why)
    if asked == "incremental":
        return Plan("incremental", "asked for", since)
    if (reason := _full_is_due(rhythm, last_full, now, hours)) is not None:
        return Plan("full", reason)
    return Plan("incremental", f"the last full sync is less than {hours} old", since)


def _full_is_due(rhythm: Rhythm, last_full: LastFull | None, now: datetime, hours: str) -> str | None:
    """Why the mode auto takes a full sync now, or None."""
    if last_full is None:
        return ONE_READING
    if not -MOST_SKEW <= now - last_full.started_at < rhythm.full_every:
        return f"the last full sync is {hours} old or older"
    if last_full.n_unannounced:
        return f"the last full sync found changes that {rhythm.since_word} had not announced"
    return None


def is_widened(only_created: bool, previous: SyncRecord | None) -> bool:
    """Whether the previous sync kept only applications that were created here, and this one keeps all.

    Raises `SettingsError` for the opposite: the lake would go on showing the other applications, which no sync updates.
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
    """The guard's objection to a listing that lacks so many known records, or None.

    The guard objects if more than 20 % and at least 20 of the known records are missing, or if the listing is empty
    and some records are known.
    """
    if feed in accepted or not known or not missing:
        return None
    if listed == 0:
        return f"the listing is empty, {known} records are known"
    if missing >= LOSS_COUNT and missing > LOSS_SHARE * known:
        return f"{missing} of {known} known records are missing"
    return None
