"""Doctor: checks everything that the pipeline needs. Each finding says what to do.

Belongs here: checks that change nothing. Not here: repairs.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from join_pipeline.actions.journal import Journal
from join_pipeline.checks.finding import Finding
from join_pipeline.faults import told
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.pipeline import busy
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source
from join_pipeline.transform.maps import MAPS, checked, unmapped

LEAST_FREE: Final = 2**30
STALE: Final = timedelta(hours=36)


def examine(source: Source, settings: Settings) -> list[Finding]:
    """Run all checks, in the order in which a new user meets their subjects."""
    connection = source.connection
    findings = [connection.credentials()]
    if findings[0].is_ok:
        findings += connection.examine()
    return findings + examine_machine(source, settings)


def examine_machine(source: Source, settings: Settings) -> list[Finding]:
    """Run the checks of this machine. They send no request to the source."""
    findings: list[Finding] = []
    checks: tuple[tuple[str, Callable[[Settings], Iterable[Finding]]], ...] = (
        ("data folder", _data_folder),
        ("disk space", _disk),
        ("lock", _lock),
        ("lake", partial(_lake, source)),
        ("only created", partial(_only_created, source)),
        ("kept creations", _kept),
        ("maps", _maps),
        ("published file", _published),
    )
    for name, check in checks:
        try:
            findings += check(settings)
        except Exception as error:  # one check that can't be made must not hide the others
            findings.append(Finding(name, "failed", told(error)))
    return findings


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = _existing(settings.home)
    if os.access(folder, os.W_OK | os.X_OK):
        yield Finding("data folder", "ok", str(settings.home))
    else:
        yield Finding("data folder", "failed", f"{folder} can't be written to. Check JOIN_PIPELINE_DATA.")


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(_existing(settings.home)).free
    message = f"{free / 2**30:.1f} GiB free"
    if free >= LEAST_FREE:
        yield Finding("disk space", "ok", message)
    else:
        yield Finding("disk space", "warning", f"{message}. Make room, or set JOIN_PIPELINE_DATA to a larger disk.")


def _lock(settings: Settings) -> Iterator[Finding]:
    message = busy(settings) if settings.home.exists() else None  # the check must not create the folder
    yield Finding("lock", "warning", message) if message else Finding("lock", "ok", "free")


def _lake(source: Source, settings: Settings) -> Iterator[Finding]:
    newest = _newest(settings)
    if newest is None:
        yield Finding("lake", "warning", "no sync yet. Run `join-pipeline sync`.")
        return
    findings = [Finding("lake", "warning", message) for message in _lake_faults(source, newest)]
    yield from findings or [Finding("lake", "ok", f"last sync as of {newest.as_of:%Y-%m-%d %H:%M} UTC")]
    if message := _other_version(source, newest):
        yield Finding("version", "warning", message)


def _lake_faults(source: Source, newest: SyncRecord) -> Iterator[str]:
    if newest.verdict == "guarded":
        yield "the last sync kept what is known: " + "; ".join(map(str, newest.objections))
    if newest.last_full and (n := newest.last_full.n_unannounced):
        yield f"{source.since_word} did not announce {n} changes, so every sync in mode auto is full"
    age = datetime.now(UTC) - newest.as_of
    if age > STALE:
        yield f"the last sync is {age.days} days old. Is the schedule switched on?"


def _other_version(source: Source, newest: SyncRecord) -> str | None:
    """A sentence about a lake that another release wrote, or None."""
    here = version("join-pipeline")
    if newest.mapping_version > source.mapping_version:
        return (
            f"join-pipeline {newest.package_version} wrote this lake. It has a newer mapping of {source.title} than "
            f"{here}, which is installed. Upgrade join-pipeline."
        )
    if newest.mapping_version < source.mapping_version:
        return (
            f"join-pipeline {newest.package_version} wrote this lake; {here} has a newer mapping of {source.title}. "
            "The next full sync applies it to what is there now; `join-pipeline rebuild --from raw` applies it to all "
            "kept raw payloads."
        )
    if newest.package_version != here:
        return f"join-pipeline {newest.package_version} wrote this lake; {here} is installed and writes the next sync."
    return None


def _only_created(source: Source, settings: Settings) -> Iterator[Finding]:
    """A warning while the setting is on, because the figures then describe a selection and users forget that."""
    newest = _newest(settings)
    known = newest.models.get("applications") if newest else None
    n = known.live if known else 0
    if source.only_created:
        if newest is not None and not newest.only_created and n:
            message = "is on, and this lake holds all applications, so the next sync fails. Switch it off."
            yield Finding("only created", "failed", f"JOIN_PIPELINE_ONLY_CREATED {message}")
        else:
            message = (
                f"is on: only applications that were created here are kept ({n} so far), and figures cover only these"
            )
            yield Finding("only created", "warning", f"JOIN_PIPELINE_ONLY_CREATED {message}")
    elif newest is not None and newest.only_created:
        message = f"was on until now: only applications created here were kept ({n}); the next sync reads everything"
        yield Finding("only created", "warning", message)


def _kept(settings: Settings) -> Iterator[Finding]:
    """Requests that are not created whole, or whose result is not known."""
    journal = Journal(settings.actions, b"")
    kept, is_open = journal.kept_keys(), [entry for entry in journal.entries() if entry.state == "sending"]
    if kept or is_open:
        n = len({*kept, *(entry.key for entry in is_open)})
        message = f"{n} were not taken whole, or their result is not known. Run `join-pipeline attachments resend`."
        yield Finding("kept creations", "warning", message)


def _maps(settings: Settings) -> Iterator[Finding]:
    for one in MAPS:
        if (path := getattr(settings, one.setting)) is not None:
            checked(one, path)
    told = unmapped(settings.published, "main") if settings.published.exists() else {}
    if told:
        yield Finding("maps", "warning", " ".join(told.values()))
    else:
        yield Finding("maps", "ok", "every published stage and source is mapped")


def _published(settings: Settings) -> Iterator[Finding]:
    if not settings.published.exists():
        yield Finding("published file", "warning", "not there yet. Run `join-pipeline build`.")
        return
    newest = _newest(settings)
    published_at = datetime.fromtimestamp(settings.published.stat().st_mtime, UTC)
    if newest is not None and newest.finished_at - published_at > STALE:
        message = f"of {published_at:%Y-%m-%d %H:%M} UTC, older than the last sync. Run `join-pipeline build`."
        yield Finding("published file", "warning", message)
    else:
        yield Finding("published file", "ok", str(settings.published))


def _newest(settings: Settings) -> SyncRecord | None:
    if not (settings.lake / "connection.json").exists():
        return None
    return open_lake(settings.lake, settings.integration_id).newest()


def _existing(path: Path) -> Path:
    """The path, or its nearest parent that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
