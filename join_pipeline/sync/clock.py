"""Whose clock a sync believes, and what it does if the last sync lies in the future.

Belongs here: judging the server's time against this machine's and the last sync's. Not here: hearing the answers' dates
(http.server_clock), putting a lake right whose instants lie in the future (lake.future).
"""

from datetime import datetime, timedelta
from typing import Final

from join_pipeline.errors import ClockError
from join_pipeline.http.server_clock import MOST_SKEW, ServerClock
from join_pipeline.lake.record import ClockRecord, Suspect, SyncRecord

SET_BACK: Final = timedelta(minutes=15)
"""A server's clock that was set back by more has dated changes before the last watermark, less the overlap."""


def heard(clock: ServerClock, previous: SyncRecord | None) -> ClockRecord:
    """What the answers of a sync said about the time, and whose clock seems wrong."""
    return ClockRecord(
        n_dated=clock.n_dated,
        n_astray=clock.n_astray,
        is_believed=clock.is_believed or not clock.is_set,
        is_simulated=clock.is_simulated,
        suspect=_suspect(clock, previous),
    )


def _suspect(clock: ServerClock, previous: SyncRecord | None) -> Suspect:
    """Whose clock seems wrong if the two are more than an hour apart.

    If the answers do not agree with each other, it is the server's or a proxy's. If they do, it is the one that does
    not fit the last sync: time goes on, and seldom by leaps.
    """
    if clock.is_believed or not clock.is_set:
        return "server" if clock.n_astray else ""
    if 2 * clock.n_astray >= clock.n_dated:
        return "server"
    if previous is None:
        return "unknown"
    began = previous.started_at
    if previous.clock.suspect == "machine":  # that sync was dated by a clock that seemed wrong then
        began += timedelta(seconds=previous.clock_skew_seconds)
    local = clock.earliest() - began
    told = local + clock.skew
    if min(local, told) < -MOST_SKEW:
        return "machine" if local < told else "server"
    return "server" if local < told else "machine"


def is_set_back(clock: ServerClock, previous: SyncRecord | None) -> bool:
    """Whether the server's clock was set back since the last sync, as far as this machine's clock can tell."""
    if previous is None or not clock.is_set:
        return False
    before = timedelta(seconds=previous.clock_skew_seconds)
    return abs(before) <= MOST_SKEW and clock.skew < before - SET_BACK


def lies_ahead(clock: ServerClock, previous: SyncRecord, source: str) -> bool:
    """Whether instants of the last sync lie in the future, so that the lake must be put right.

    They are the fault if the server and this machine agree about the time. Raises `ClockError` if they do not: then
    this machine's clock may be wrong, and a sync would date all that it sees too early.
    """
    if clock.is_believed:
        return bool(previous.latest() > clock.latest() + MOST_SKEW)
    if previous.started_at <= clock.latest() + MOST_SKEW:
        return False
    told = f"the answers of {source} say {_shown(clock.earliest() + clock.skew)}" if clock.is_set else (
        f"the answers of {source} have no date"
    )  # fmt: skip
    raise ClockError(
        f"This machine's clock says {_shown(clock.earliest())}, the last sync began at {_shown(previous.started_at)}, "
        f"and {told}. Nothing was read. Set this machine's clock, or let NTP do it, then sync again."
    )


def retired_by(clock: ServerClock, previous: SyncRecord | None, started_at: datetime) -> datetime:
    """The instant by which the age of what is kept counts.

    If this machine's clock is believed and seems to be ahead, it is the server's: nothing is dropped too early.
    """
    if clock.is_believed or _suspect(clock, previous) != "machine":
        return started_at
    return min(started_at, started_at + clock.skew)


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
