"""Runs whose process is gone, and what a failed run says. A power cut leaves a run unfinished in Dagster for ever.

A run's process holds a lock for as long as it lives (`lake.run_locks`), so a run whose lock is free is lost. It is
judged by two looks some seconds apart, because a run that ends in order lets go a moment before Dagster notes its end.
Only a run of this machine is judged so. Where runs start on other machines, Dagster's run monitoring judges them.
Belongs here: the judgement, the words, and what is told to a Dagster that is handed in. Not here: sensors (defs).
"""

import json
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from join_pipeline import pipeline
from join_pipeline.connections.event_store import quick_events
from join_pipeline.connections.trigger import forget_trigger
from join_pipeline.errors import SettingsError
from join_pipeline.lake.run_locks import forget_run, look_at, run_ids, run_lock
from join_pipeline.settings import Settings

QUEUE_TAG: Final = "dagster-celery/queue"
"""The tag by which Dagster's Celery launcher chooses a queue."""
APART_SECONDS: Final = 15.0
"""Two looks that are closer count as one."""
COMING_UP: Final[dict[str, float]] = {"NOT_STARTED": 180.0, "STARTING": 180.0, "STARTED": 60.0, "CANCELING": 60.0}
"""How many seconds a run may be in a state and never yet have had a lock, while its process imports and prepares."""
_SAFE: Final = (
    "What was committed stays, and nothing is half-written. Run the job again, or wait for its schedule's next tick."
)
LOST: Final = (
    "The process of this run is gone: it holds no lock, and told Dagster of no end. The machine went down, the process "
    f"was killed, as it is when memory runs out, or the disk of DAGSTER_HOME was full. {_SAFE}"
)
_WORDS: Final = {
    "marked as failed from outside": LOST,
    "ExecutionInterruptedError": f"The process of this run was told to end, as when the machine shuts down. {_SAFE}",
}
"""Our words in place of Dagster's, by a part of Dagster's."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that Dagster takes for unfinished. `is_ours` if its job is one of this connection's, by its name."""

    run_id: str
    status: str
    since: float
    is_ours: bool


def lost_runs(settings: Settings, runs: Iterable[OpenRun], noted: str | None, now: float) -> tuple[list[str], str]:
    """The ids of the runs that are lost, and the note for the next look. `noted` is the note of the look before."""
    before = _read(noted)
    suspects: dict[str, float] = {}
    lost: list[str] = []
    known = {run.run_id: run for run in runs}
    for run in known.values():
        if run.status not in COMING_UP or not _seems_gone(settings, run, now):  # a run in the queue has no process
            continue
        first = before.get(run.run_id, now)
        if now - first >= APART_SECONDS:
            lost.append(run.run_id)
        suspects[run.run_id] = min(first, now)  # a clock that was put back begins the wait anew
    for run_id in run_ids(settings.home):
        if run_id not in known and look_at(settings.home, run_id) == "free":
            forget_run(settings.home, run_id)
    return lost, json.dumps(suspects)


def _seems_gone(settings: Settings, run: OpenRun, now: float) -> bool:
    lock = look_at(settings.home, run.run_id)
    if lock != "none":
        return lock == "free"
    # a run without a lock file can be that of another connection; one of ours has not come so far, or a full disk
    # refused the file, and then it holds the connection's lock within its steps
    return run.is_ours and not 0 <= now - run.since < COMING_UP[run.status] and not pipeline.busy(settings)


def _read(noted: str | None) -> dict[str, float]:
    try:
        found: Any = json.loads(noted or "{}")
        return {str(run_id): float(at) for run_id, at in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def busy(settings: Settings, runs: Iterable[Any], jobs: Container[str], instance: Any) -> str | None:
    """Why no run should start now, or None. `runs` are Dagster's that are unfinished."""
    ours = next((run for run in runs if run.job_name in jobs), None)
    return f"The run {ours.run_id} of {ours.job_name} has not ended." if ours else locked_here(settings, instance)


def locked_here(settings: Settings, instance: Any) -> str | None:
    """Who holds the connection's lock, or None. The lock of a lake on another machine's disk can't be seen here."""
    return None if is_elsewhere(instance) else pipeline.busy(settings)


def is_elsewhere(instance: Any) -> bool:
    """Whether this Dagster starts its runs on other machines: its launcher asks them itself how a run is."""
    return bool(getattr(getattr(instance, "run_launcher", None), "supports_check_run_worker_health", False))


def hand_over(home: Path, instance: Any) -> None:
    """Forget the webhooks that a run was asked for. A sync on another machine can't answer them in this folder."""
    if is_elsewhere(instance):
        forget_trigger(home)


def _left_to_dagster(instance: Any) -> str:
    launcher = type(instance.run_launcher).__name__
    if instance.run_monitoring_enabled:
        return f"{launcher} starts the runs. Dagster's run monitoring ends those whose worker is gone."
    return f"{launcher} starts the runs. Nobody ends those whose worker is gone: put run_monitoring in dagster.yaml."


def end_lost_runs(
    settings: Settings,
    context: Any,
    records: Iterable[Any],
    jobs: Container[str],
    clock: Callable[[], float] = time.time,
) -> str:
    """Report lost runs to Dagster: as failed, or as canceled if that was asked for. Their pool is then free.

    `context` is a sensor's, which keeps the note for the next look. `records` are of the runs that are unfinished.
    """
    if is_elsewhere(context.instance):
        return _left_to_dagster(context.instance)
    told, noted = _ended(settings, context, records, jobs, context.cursor, clock())
    context.update_cursor(noted)
    return told


def end_lost_runs_of(
    connections: Iterable[tuple[Settings, Iterable[Any]]],
    context: Any,
    jobs: Container[str],
    clock: Callable[[], float] = time.time,
) -> str:
    """The same for several connections, each with the records of its own unfinished runs."""
    if is_elsewhere(context.instance):
        return _left_to_dagster(context.instance)
    before, notes, told = _notes(context.cursor), {}, []
    for settings, records in connections:
        name = settings.connection
        said, notes[name] = _ended(settings, context, records, jobs, before.get(name), clock())
        told.append(f"{name}: {said}")
    context.update_cursor(json.dumps(notes))
    return " ".join(told) or "No run is unfinished."


def _notes(cursor: str | None) -> dict[str, str]:
    try:
        found: Any = json.loads(cursor or "{}")
        return {str(name): str(note) for name, note in found.items()}
    except (ValueError, AttributeError):
        return {}


def _ended(
    settings: Settings, context: Any, records: Iterable[Any], jobs: Container[str], noted: str | None, now: float
) -> tuple[str, str]:
    """Report the lost runs of one connection. Returns what to say, and the note for the next look."""
    instance = context.instance
    runs = [_open_run(record, jobs, context.code_location_origin) for record in records]
    lost, note = lost_runs(settings, runs, noted, now)
    for run_id in lost:
        run = instance.get_run_by_id(run_id)  # once more, because it may have ended meanwhile
        if run is not None and not run.is_finished:
            report = instance.report_run_canceled if run.status.value == "CANCELING" else instance.report_run_failed
            report(run, LOST)
    return f"{len(lost)} of {len(runs)} unfinished runs are lost.", note


def _open_run(record: Any, jobs: Container[str], location: Any) -> OpenRun:
    run = record.dagster_run
    origin = run.remote_job_origin and run.remote_job_origin.repository_origin.code_location_origin
    is_here = origin is None or location is None or origin.location_name == location.location_name
    return OpenRun(run.run_id, run.status.value, record.update_timestamp.timestamp(), run.job_name in jobs and is_here)


def queue_tag(settings: Settings) -> dict[str, str]:
    """The tag of a run whose company has a queue. Workers of other machines take other queues."""
    return {QUEUE_TAG: settings.queue} if settings.queue else {}


def in_its_queue(settings: Settings, run: Any, instance: Any) -> Settings:
    """The settings. Raises `SettingsError` if the run came by another queue than that of its company.

    The queue leads to the machine whose disk has the lake. On another one, a second lake would begin.
    """
    came_by = run.tags.get(QUEUE_TAG)
    if settings.queue and came_by != settings.queue and is_elsewhere(instance):
        raise SettingsError(
            f"{settings.connection} has the queue {settings.queue}, and this run came by {came_by or 'the default'}. "
            f"Launch it with the tag {QUEUE_TAG}: {settings.queue}."
        )
    return settings


def of_run(settings: Settings, run: Any, instance: Any) -> Iterator[Settings]:
    """The settings for as long as a run has them; meanwhile it holds its lock. A sensor or a schedule is no run."""
    if run is None:
        yield settings
        return
    if is_elsewhere(instance):  # no sensor of this machine forgets the locks of runs that were killed
        for other in run_ids(settings.home):
            if look_at(settings.home, other) == "free":
                forget_run(settings.home, other)
    with run_lock(settings.home, run.run_id), quick_events(instance):
        yield settings


def failure_line(run: Any, failed: Any, steps: Iterable[Any]) -> str:
    """A line that says which run failed, at which step and why, with each reason once.

    It takes Dagster's run, the event of its failure, and the events of its failed steps.
    """
    reasons: dict[str, str] = {}
    for event in steps:
        reasons.setdefault(_reason(event.step_failure_data), event.step_key)
    why = "; ".join(f"{step}: {reason}" for reason, step in reasons.items()) or _said(failed.message)
    return " ".join(f"{run.job_name} failed (run {run.run_id}): {why}".split())


def reason_to_tell(failed: Any, steps: Iterable[Any], own: Container[str]) -> str:
    """The same reasons for a notice, which leaves the house: ours, and of any other error no more than its type.

    `own` has the names of our steps. What a library said can quote a payload, so only Dagster's own log has it.
    """
    reasons: dict[str, str] = {}
    for event in steps:
        data = event.step_failure_data
        said = event.step_key in own and data.user_failure_data and data.user_failure_data.description
        error = data.error and (data.error.cause or data.error)
        reasons.setdefault(str(said or (error and error.cls_name) or "no reason given"), event.step_key)
    known = next((words for theirs, words in _WORDS.items() if theirs in (failed.message or "")), None)
    return "; ".join(f"{step}: {reason}" for reason, step in reasons.items()) or known or "its log in Dagster says why"


def _reason(failure: Any) -> str:
    """The step's own message. If it has none, the innermost error's."""
    error = failure.error and (failure.error.cause or failure.error)
    own = failure.user_failure_data and failure.user_failure_data.description
    return str(own or _said(error.message if error else "no reason given"))


def _said(message: str | None) -> str:
    """Dagster's message, or ours in place of one that says nothing to a reader."""
    ours = next((words for theirs, words in _WORDS.items() if theirs in (message or "")), None)
    return ours or message or "no step had begun"
