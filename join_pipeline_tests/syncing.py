"""Runs single steps with the source that the settings name, as the commands do."""

from functools import partial
from typing import Any

from join_pipeline.bucket.writing import writing
from join_pipeline.checks.finding import Finding
from join_pipeline.connections import connect as connections
from join_pipeline.connections import doctor
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.report import write
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import open_source, source_of
from join_pipeline.sync import replay as replays
from join_pipeline.sync import run
from join_pipeline.sync.plan import AskedMode


def run_sync(settings: Settings, mode: AskedMode = "auto", **options: Any) -> SyncRecord:
    held = {"hold": writing(settings)} if settings.lake_url else {}
    return run.run_sync(open_source(settings), settings, mode, **held, **options)


def replay(settings: Settings, lake: Lake) -> replays.Replayed:
    return replays.replay(open_source(settings), lake, settings, partial(source_of, settings=settings))


def write_report(settings: Settings) -> write.Report:
    return write.write_report(open_source(settings), settings)


def examine(settings: Settings) -> list[Finding]:
    return doctor.examine(open_source(settings), settings)


def prerequisites(settings: Settings) -> list[Finding]:
    return connections.prerequisites(open_source(settings), settings)


def connect(settings: Settings, token: str | None = None) -> connections.Connected:
    return connections.connect(open_source(settings), settings, token)


def changed(settings: Settings, **changes: Any) -> Settings:
    """The same settings but for these, which are not checked; options of a source, too."""
    copy = settings.model_copy(update={name: value for name, value in changes.items() if name in Settings.model_fields})
    copy._options = {
        kind: options.model_copy(update={name: changes[name] for name in kind.model_fields if name in changes})
        for kind, options in settings._options.items()
    }
    return copy
