"""Sensors that tell of a run of ours that failed, of a guarded sync, and of a connection to which nothing comes.

Belongs here: which runs and connections are ours, and whose settings say who is told. Not here: what is told and how
often (notices).
"""

from collections.abc import Sequence
from typing import Any, Final

import dagster as dg

from join_pipeline.actions.request_files import ACTIONS
from join_pipeline.component.scope import PARTITION, Scope
from join_pipeline.connections.lost_runs import failure_line, reason_to_tell
from join_pipeline.defs.automation import SYNC, SYNC_FULL, names
from join_pipeline.errors import PipelineError, SettingsError
from join_pipeline.notices import tell
from join_pipeline.settings import Settings

ON: Final = dg.DefaultSensorStatus.RUNNING
BY_HAND: Final = "materialization"
MOST_LINES: Final = 20


def sensors(scope: Scope, assets: Sequence[dg.AssetsDefinition]) -> list[dg.SensorDefinition]:
    """The sensors, which all are on from the start. Without a webhook or a mail server, they send nothing."""
    keys = {key for step in assets for key in step.keys}
    steps = {step.op.name for step in assets}  # no step of an action: its reason can name a file of a user's
    jobs = {*names(scope), *map(scope.named, ACTIONS)}

    def about(run: dg.DagsterRun) -> str | None:
        """What is told of: the job, or assets that somebody chose. None for a run that moves no data of ours."""
        if run.job_name in jobs:
            return run.job_name if run.tags.items() >= scope.tags.items() else None
        return BY_HAND if run.job_name.startswith("__") and keys & (run.asset_selection or set()) else None

    @dg.run_failure_sensor(
        name=scope.named("failed_run"),
        description="Logs one line for each failed run, with its step and reason, in its log and the daemon's output, "
        "and sends a notice.",
        default_status=ON,
    )
    def failed_run(context: dg.RunFailureSensorContext) -> None:
        run, events = context.dagster_run, context.get_step_failure_events()
        if run.tags.items() >= scope.tags.items() or keys & (run.asset_selection or set()):
            context.log.error(failure_line(run, context.failure_event, events))
        if (job := about(run)) is not None:
            settings, is_own = _settings_of(scope, run)
            reason = reason_to_tell(context.failure_event, events, steps)
            _log(context, tell.failed(settings, job, reason, f"Run {run.run_id}.", is_noted=is_own))

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name=scope.named("good_run"),
        description="Sends a notice if the guard kept what is known, and at the end of a trouble that was told.",
        default_status=ON,
    )
    def good_run(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        settings, is_own = _settings_of(scope, run)
        if (job := about(run)) is not None and is_own:
            is_sync = job in {scope.named(SYNC), scope.named(SYNC_FULL)}
            _log(context, tell.ended(settings, job, is_sync=is_sync))

    @dg.sensor(
        name=scope.named("stale"),
        minimum_interval_seconds=300,
        description="Sends a notice once if no sync was committed for longer than JOIN_PIPELINE_NOTICE_STALE_HOURS.",
        default_status=ON,
    )
    def stale(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            lines = tell.look_at_all(scope.settings, scope.listed() if scope.file else None, scope.settings_of)
        except SettingsError as error:
            lines = [str(error)]
        _log(context, lines)
        return dg.SkipReason(" ".join(lines[:MOST_LINES]) or "Nothing went wrong.")

    return [failed_run, good_run, stale]


def _settings_of(scope: Scope, run: dg.DagsterRun) -> tuple[Settings, bool]:
    """The settings of a run's connection, and True; if there are none, those that are alike for all, and False."""
    name = run.tags.get(PARTITION)
    if scope.file is None or name is None:
        return scope.settings, scope.file is None
    try:
        return scope.settings_of(name), True
    except PipelineError:
        return scope.settings.model_copy(update={"connection": name}), False


def _log(context: Any, lines: list[str]) -> None:
    for line in lines:
        context.log.warning(line)
