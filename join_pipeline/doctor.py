"""Doctor: what must hold for the pipeline to work, checked one by one, each finding with what to do.

Belongs here: looking, without changing anything. Not here: mending.
"""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from join_pipeline.errors import AuthError, JoinError, LockedError, PipelineError
from join_pipeline.join_api.client import JoinClient
from join_pipeline.join_api.feeds import APPLICATIONS, JOBS
from join_pipeline.join_api.server_clock import SKEW_REPORTED
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.settings import Settings
from join_pipeline.warehouse.maps import MAPS, checked, unmapped

LEAST_FREE: Final = 2**30
STALE: Final = timedelta(hours=36)
Verdict = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct):
    """One check: what it found, and what to do about it."""

    check: str
    verdict: Verdict
    message: str


def examine(settings: Settings) -> list[Finding]:
    """All checks, in the order in which a new user meets their subjects."""
    findings = [_token(settings)]
    if findings[0].verdict == "ok":
        findings += _account(settings)
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("data folder", _data_folder),
        ("disk space", _disk),
        ("lock", _lock),
        ("lake", _lake),
        ("maps", _maps),
        ("published file", _published),
    )
    for name, check in checks:
        try:
            findings.append(check(settings))
        except PipelineError as error:
            findings.append(Finding(name, "failed", str(error)))
    return findings


def _token(settings: Settings) -> Finding:
    try:
        settings.token()
    except PipelineError as error:
        return Finding("token", "failed", str(error))
    return Finding("token", "ok", "JOIN_API_TOKEN is set")


def _account(settings: Settings) -> list[Finding]:
    """Live calls: the address, the token, the clock, and whether there is anything to read.

    Only what a sync can't do without: the reference lists may be missing.
    """
    timeout = min(settings.timeout_seconds, 10.0)
    with JoinClient(settings.join_api_url, settings.token(), timeout_seconds=timeout, max_wait_seconds=10.0) as client:
        try:
            first = {
                feed.name: len(client.whole(feed.path, {"page": "1", "pageSize": "1"}).records)
                for feed in (JOBS, APPLICATIONS)
            }
        except AuthError as error:
            return [Finding("JOIN", "failed", str(error))]
        except JoinError as error:
            return [Finding("JOIN", "failed", f"{settings.join_api_url}: {error}")]
        findings = [Finding("JOIN", "ok", f"{settings.join_api_url} answers and takes the token")]
        skew = client.clock.skew
        if abs(skew) > SKEW_REPORTED:
            off = timedelta(seconds=round(abs(skew).total_seconds()))
            message = f"this machine's clock is off by {off}; syncs use JOIN's time, schedules use this machine's"
            findings.append(Finding("clock", "warning", message))
        empty = [name for name, n in first.items() if not n]
        if empty:
            message = f"JOIN lists no {' and no '.join(empty)}: is this the right company's token?"
            findings.append(Finding("account", "warning", message))
    return findings


def _data_folder(settings: Settings) -> Finding:
    folder = _existing(settings.home)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", "failed", f"{folder} can't be written to. Check JOIN_PIPELINE_DATA.")
    return Finding("data folder", "ok", str(settings.home))


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.home)).free
    verdict: Verdict = "ok" if free >= LEAST_FREE else "warning"
    return Finding("disk space", verdict, f"{free / 2**30:.1f} GiB free")


def _lock(settings: Settings) -> Finding:
    if not settings.home.exists():
        return Finding("lock", "ok", "free")
    try:
        with locked(settings.home):
            return Finding("lock", "ok", "free")
    except LockedError as error:
        return Finding("lock", "warning", str(error))


def _lake(settings: Settings) -> Finding:
    if not (settings.lake / "connection.json").exists():
        return Finding("lake", "warning", "no sync yet. Run `join-pipeline sync`.")
    newest = open_lake(settings.lake, settings.integration_id).newest()
    if newest is None:
        return Finding("lake", "warning", "no committed sync yet. Run `join-pipeline sync`.")
    if newest.verdict == "guarded":
        return Finding("lake", "warning", "the last sync kept what is known: " + "; ".join(newest.objections))
    if newest.last_full and (n := newest.last_full.n_unannounced):
        message = f"{n} changes were not announced by lastUpdatedAt: full syncs are taken instead"
        return Finding("lake", "warning", message)
    age = datetime.now(UTC) - newest.as_of
    if age > STALE:
        return Finding("lake", "warning", f"the last sync is {age.days} days old. Is the schedule switched on?")
    return Finding("lake", "ok", f"last sync as of {newest.as_of:%Y-%m-%d %H:%M} UTC")


def _maps(settings: Settings) -> Finding:
    for one in MAPS:
        if (path := getattr(settings, one.setting)) is not None:
            checked(one, path)
    told = unmapped(settings.published, "main") if settings.published.exists() else {}
    if told:
        return Finding("maps", "warning", " ".join(told.values()))
    return Finding("maps", "ok", "every stage and source that was published is named")


def _published(settings: Settings) -> Finding:
    if not settings.published.exists():
        return Finding("published file", "warning", "not there yet. Run `join-pipeline build`.")
    return Finding("published file", "ok", str(settings.published))


def _existing(path: Path) -> Path:
    """The path, or its nearest parent that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
