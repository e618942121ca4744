"""Doctor: checks everything that the pipeline needs. Each finding says what to do.

Belongs here: checks that change nothing. Not here: repairs.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from join_pipeline.actions.journal import Journal
from join_pipeline.bucket.writing import examine_bucket, reading, writing
from join_pipeline.checks.finding import Finding
from join_pipeline.checks.lake import LakeCheck
from join_pipeline.checks.sync import told_odd
from join_pipeline.errors import DamagedError, PipelineError, pass_interruption
from join_pipeline.faults import told
from join_pipeline.http.server_clock import MOST_SKEW
from join_pipeline.lake.lake import IDENTITY, open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.people.erase import told_pending
from join_pipeline.pipeline import busy
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Connection, Source
from join_pipeline.sync.account import asked_evidence, cure, differs, known_of
from join_pipeline.sync.completeness import NOT_PROVED
from join_pipeline.sync.origin import carried, carries
from join_pipeline.transform.figures import TABLES, checked_table, unknown_names
from join_pipeline.transform.maps import MAPS, checked, unmapped
from join_pipeline.transform.run import odd_in_last_build

LEAST_FREE: Final = 2**30
STALE: Final = timedelta(hours=36)


def examine(source: Source, settings: Settings) -> list[Finding]:
    """Run all checks, in the order in which a new user meets their subjects."""
    connection = source.connection
    findings = [connection.credentials()]
    if findings[0].is_ok:
        examined = connection.examine()
        findings += examined
        if not any(finding.is_grave for finding in examined):
            findings += account_findings(source, connection, settings)
    return findings + examine_machine(source, settings)


def account_findings(source: Source, connection: Connection, settings: Settings) -> list[Finding]:
    """Whether the account is the one that the lake was filled from. Nothing is found before the first sync."""
    try:
        with reading(settings):
            if not (settings.lake / IDENTITY).exists():
                return []
            lake = open_lake(settings.lake, settings.lake_seed, source=source.name, carries=carries(source))
            by_its_ids = carried(source, lake)
            known = known_of(lake, by_its_ids.feeds)
        connection = connection if by_its_ids is source else by_its_ids.connection
        with connection.records() as ask:
            evidence = asked_evidence(ask, known, datetime.now(UTC))
    except PipelineError as error:
        return [Finding("account", "failed", str(error))]
    if evidence.contradicts:
        return [Finding("account", "failed", f"{differs(evidence)} {cure(source)}")]
    return [Finding("account", "ok", "it has what the lake knows")] if evidence.n_same else []


def examine_machine(source: Source, settings: Settings) -> list[Finding]:
    """Run the checks of this machine. They send no request to the source."""
    findings: list[Finding] = []
    checks: tuple[tuple[str, Callable[[Settings], Iterable[Finding]]], ...] = (
        ("data folder", _data_folder),
        ("disk space", _disk),
        ("lock", _lock),
        ("bucket", _bucket),
        ("lake", partial(_lake, source)),
        ("only created", partial(_only_created, source)),
        ("kept creations", _kept),
        ("erasure", _erasure),
        ("maps", _maps),
        ("figures", _figures),
        ("records", _records),
        ("published file", _published),
    )
    for name, check in checks:
        try:
            findings += check(settings)
        except Exception as error:  # one check that can't be made must not hide the others
            pass_interruption(error)
            findings.append(Finding(name, "failed", told(error)))
    return findings


def examine_lake(settings: Settings) -> list[Finding]:
    """Check every file, key and reference of the lake. It reads all of the lake, and sends no request."""
    try:
        if not (settings.lake / IDENTITY).exists() and not (settings.lake / "syncs").exists():
            return [Finding("lake files", "warning", "no sync yet. Run `join-pipeline sync`.")]
        with writing(settings):
            lake = open_lake(settings.lake, settings.integration_id)
            return LakeCheck(lake, settings.builds, settings.memory_limit).findings()
    except PipelineError as error:
        return [Finding("lake files", "failed", str(error))]


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
    message = busy(settings)
    yield Finding("lock", "warning", message) if message else Finding("lock", "ok", "free")


def _bucket(settings: Settings) -> Iterator[Finding]:
    if settings.lake_url is not None:
        yield Finding("bucket", "ok", examine_bucket(settings))


def _lake(source: Source, settings: Settings) -> Iterator[Finding]:
    try:
        newest = _newest(settings)
    except DamagedError as error:
        yield Finding("lake", "failed", f"{error} `join-pipeline doctor --lake` checks every file.")
        yield from _version_of_damaged(source, settings)
        return
    if newest is None:
        yield Finding("lake", "warning", "no sync yet. Run `join-pipeline sync`.")
        return
    findings = [Finding("lake", "warning", message) for message in _lake_faults(source, newest)]
    yield from findings or [Finding("lake", "ok", f"last sync as of {newest.as_of:%Y-%m-%d %H:%M} UTC")]
    if message := _other_version(source, newest):
        yield Finding("version", "warning", message)


def _version_of_damaged(source: Source, settings: Settings) -> Iterator[Finding]:
    """Which release wrote the newest record, as far as it can be read: a later release may read what this one can't."""
    with contextlib.suppress(PipelineError, IndexError):
        folder = open_lake(settings.lake, settings.integration_id).folder
        if message := _other_version(source, folder.read(folder.paths()[-1], is_checked=False)):
            yield Finding("version", "warning", message)


def _lake_faults(source: Source, newest: SyncRecord) -> Iterator[str]:
    if newest.verdict == "guarded":
        yield "the last sync kept what is known: " + "; ".join(map(str, newest.objections))
    if newest.lost:
        yield "the last sync dropped what it could do without: " + "; ".join(map(str, newest.lost))
    if newest.last_full and (n := newest.last_full.n_unannounced):
        yield f"{source.since_word} did not announce {n} changes, so every sync in mode auto is full"
    if newest.last_full is None:
        yield f"{NOT_PROVED}. Leave the mode at auto"
    if newest.odd:
        yield told_odd(source, newest.odd)
    age = datetime.now(UTC) - newest.as_of
    if not newest.clock.is_simulated and newest.latest() - datetime.now(UTC) > MOST_SKEW:
        yield (
            f"the last sync is as of {newest.as_of:%Y-%m-%d %H:%M} UTC, which is later than now: it believed a wrong "
            "clock. If this machine's clock is right, the next sync puts that right and reads everything"
        )
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
    newest = _newest_if_sound(settings)
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


def _erasure(settings: Settings) -> Iterator[Finding]:
    """An erasure of a person that was cut off. It is promised, so it is no mere warning."""
    if told_erasure := told_pending(settings):
        yield Finding("erasure", "failed", told_erasure)


def _maps(settings: Settings) -> Iterator[Finding]:
    for one in MAPS:
        if (path := getattr(settings, one.setting)) is not None:
            checked(one, path)
    told = unmapped(settings.published, "main") if settings.published.exists() else {}
    if told:
        yield Finding("maps", "warning", " ".join(told.values()))
    else:
        yield Finding("maps", "ok", "every published stage and source is mapped")


def _figures(settings: Settings) -> Iterator[Finding]:
    """The user's plan, service levels and costs: whether the files can be read, and which names the ATS lacks."""
    is_set = [one.setting for one in TABLES if getattr(settings, one.setting) is not None]
    for one in TABLES:
        if one.setting in is_set:
            checked_table(one, getattr(settings, one.setting))
    told = unknown_names(settings.published, "main") if is_set and settings.published.exists() else {}
    if told:
        yield Finding("figures", "warning", " ".join(told.values()))
    elif is_set:
        yield Finding("figures", "ok", "plan, service levels and costs can be read, and the ATS has their names")


def _records(settings: Settings) -> Iterator[Finding]:
    """What the last build said of records that can't be so. A warning: the marts are built in spite of them."""
    for name, message in odd_in_last_build(settings).items():
        yield Finding("records", "warning", f"{name}: {message}")


def _published(settings: Settings) -> Iterator[Finding]:
    if not settings.published.exists():
        yield Finding("published file", "warning", "not there yet. Run `join-pipeline build`.")
        return
    newest = _newest_if_sound(settings)
    published_at = datetime.fromtimestamp(settings.published.stat().st_mtime, UTC)
    if newest is not None and newest.finished_at - published_at > STALE:
        message = f"of {published_at:%Y-%m-%d %H:%M} UTC, older than the last sync. Run `join-pipeline build`."
        yield Finding("published file", "warning", message)
    else:
        yield Finding("published file", "ok", str(settings.published))


def _newest(settings: Settings) -> SyncRecord | None:
    if not (settings.lake / IDENTITY).exists() and not (settings.lake / "syncs").exists():
        return None
    return open_lake(settings.lake, settings.integration_id).newest()


def _newest_if_sound(settings: Settings) -> SyncRecord | None:
    """The newest record, or None: the check `lake` has a finding about a damaged one."""
    try:
        return _newest(settings)
    except DamagedError:
        return None


def _existing(path: Path) -> Path:
    """The path, or its nearest parent that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
