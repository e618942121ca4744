"""Telling: which notices are due, and that each is told once, until the state of its connection changes.

    <data>/<connection>/
      notices.json    0600; what was told last of each command and of the lake, as digests

A trouble that stays is told again after a day. The end of a trouble that was told is told once.
Belongs here: when. Not here: words (notice), sending (send), who calls (cli, component).
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from join_pipeline.bucket.writing import reading
from join_pipeline.connections.listed import Listed
from join_pipeline.errors import PipelineError
from join_pipeline.lake.files import write_whole
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.notices.notice import Notice, safe
from join_pipeline.notices.send import n_ways, send
from join_pipeline.settings import Settings

AGAIN: Final = timedelta(hours=24)
LAKE: Final = "lake"
TICK_SECONDS: Final = 30.0
"""How long one look at many connections may send notices. The others have their turn at the next look."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The trouble that was told last: its digest, and when."""

    digest: str
    at: datetime


def failed(
    settings: Settings,
    about: str,
    reason: str,
    where: str = "",
    now: datetime | None = None,
    *,
    is_noted: bool = True,
) -> list[str]:
    """Tell that a command or a job failed. Returns a line for each way by which it could not be told.

    `is_noted` is false for a connection that may not exist: nothing is written for it, so it is told each time.
    """
    notice = Notice(settings.connection, about, "failed", safe(reason, settings), where)
    if not is_noted:
        return send(settings, notice) if settings.is_told else []
    return _tell(settings, notice, now)


def ended(settings: Settings, about: str, now: datetime | None = None, *, is_sync: bool = True) -> list[str]:
    """Tell what a command or a job left that ended well: a sync that was guarded, or the end of a trouble."""
    record = _newest(settings) if is_sync else None
    if record is not None and record.verdict == "guarded":
        accepting = " ".join(f"--accept-loss {objection.feed}" for objection in record.objections)
        reason = (
            f"{'; '.join(map(str, record.objections))}. Look at the source first. If the records are really gone, "
            f"accept the loss: join-pipeline sync --mode full {accepting}"
        )
        return _tell(settings, Notice(settings.connection, about, "guarded", safe(reason, settings)), now)
    return _well(settings, about, now)


def look(settings: Settings, now: datetime | None = None) -> list[str]:
    """Tell that nothing was committed for too long, or that this has ended."""
    now = now or datetime.now(UTC)
    record = _newest(settings)
    if record is None or not settings.is_told:
        return []
    if not is_stale(settings, record, now):
        return _well(settings, LAKE, now)
    reason = (
        f"no sync was committed since {record.finished_at:%Y-%m-%d %H:%M} UTC, for more than "
        f"{settings.notice_stale_hours:g} hours. Is its schedule or timer on? `join-pipeline doctor` looks further."
    )
    return _tell(settings, Notice(settings.connection, LAKE, "stale", reason), now)


def look_at_all(
    own: Settings,
    listed: Mapping[str, Listed] | None,
    settings_of: Callable[[str], Settings],
    now: datetime | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[str]:
    """The same for all connections of a file, or for the one of the settings, for half a minute at most.

    A connection that can't be looked at stops no other. One that tells nobody is not looked at.
    """
    if listed is None:
        return look(own, now)
    names = [name for name, one in listed.items() if own.is_told or one.says_who_is_told]
    lines: list[str] = []
    begin = monotonic()
    for n, name in enumerate(names):
        if monotonic() - begin > TICK_SECONDS:
            return [*lines, f"{len(names) - n} connections wait for the next look."]
        try:
            lines += [f"{name}: {line}" for line in look(settings_of(name), now)]
        except PipelineError as error:
            lines.append(f"{name}: {error}")
    return lines


def is_stale(settings: Settings, record: SyncRecord, now: datetime) -> bool:
    """Whether the newest sync is older than the setting says. A sandbox has a time of its own."""
    hours = settings.notice_stale_hours
    return hours > 0 and not record.clock.is_simulated and now - record.finished_at > timedelta(hours=hours)


def _well(settings: Settings, about: str, now: datetime | None) -> list[str]:
    if about not in _read(settings.home):
        return []
    return _tell(settings, Notice(settings.connection, about, "well", ""), now)


def _tell(settings: Settings, notice: Notice, now: datetime | None) -> list[str]:
    """Send the notice unless it was told already, and note that. What nobody got is told the next time."""
    if not settings.is_told:
        return []
    now = now or datetime.now(UTC)
    known = _read(settings.home)
    last = known.get(notice.about)
    if last is not None and last.digest == notice.digest and timedelta(0) <= now - last.at < AGAIN:
        return []
    lines = send(settings, notice)
    if len(lines) == n_ways(settings):
        return lines
    noted = {about: told for about, told in known.items() if about != notice.about}
    if notice.kind != "well":
        noted[notice.about] = Told(digest=notice.digest, at=now)
    try:
        write_whole(_path(settings.home), msgspec.json.encode(noted))
    except PipelineError as error:
        lines.append(f"{error} The notice will come again.")
    return lines


def _newest(settings: Settings) -> SyncRecord | None:
    """The newest sync; None if there is none, or if the lake can't be read, which a command says itself."""
    try:
        with reading(settings):
            return open_lake(settings.lake).newest()
    except PipelineError:
        return None


def _path(home: Path) -> Path:
    return home / "notices.json"


def _read(home: Path) -> dict[str, Told]:
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=dict[str, Told])
    except (OSError, msgspec.DecodeError):  # a notice too many does no harm
        return {}
