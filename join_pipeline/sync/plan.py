"""Plan: which mode a sync takes and why, and when the guard objects. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from join_pipeline.join_api.feeds import APPLICATIONS
from join_pipeline.lake.record import LastFull, Mode, SyncRecord

AskedMode = Literal["auto", "full", "incremental"]
OVERLAP: Final = timedelta(minutes=15)
FULL_EVERY: Final = timedelta(hours=24)
LOSS_SHARE: Final = 0.2
LOSS_COUNT: Final = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A mode, why it was taken, and from when on an incremental listing asks."""

    mode: Mode
    reason: str
    since: datetime | None = None


def plan(
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
    feed = previous.feeds.get(APPLICATIONS.name) if previous else None
    if previous is None or feed is None or feed.listed_since is None:
        return Plan("full", "nothing is known yet")
    since = feed.listed_since - OVERLAP
    if asked == "full" or is_widened:
        return Plan("full", "until now only what was created here was kept" if is_widened else "asked for")
    if asked == "incremental":
        return Plan("incremental", "asked for", since)
    if last_full is None or now - last_full.started_at >= FULL_EVERY:
        return Plan("full", "the last full sync is 24 hours old or older")
    if last_full.n_unannounced:
        return Plan("full", "the last full sync found changes that lastUpdatedAt had not announced")
    return Plan("incremental", "the last full sync is less than 24 hours old", since)


def guard_objects(feed: str, known: int, missing: int, listed: int, accepted: Collection[str]) -> str | None:
    """Why a listing that lost so many known records is not believed, or None.

    It objects when more than 20 % and at least 20 of the known records are missing, or when a listing is empty where
    some are known.
    """
    if feed in accepted or not known or not missing:
        return None
    if listed == 0:
        return f"{feed}: the listing is empty, {known} records are known"
    if missing >= LOSS_COUNT and missing > LOSS_SHARE * known:
        return f"{feed}: {missing} of {known} known records are missing"
    return None
