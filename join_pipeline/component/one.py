"""Schedules and sensors of a single connection. Schedules are off at first.

Belongs here: when a run is asked for. Not here: what a run does (defs), several connections (many), who is told of runs
(notices).
"""

import dagster as dg

from join_pipeline.component.scope import LOST, OFF, Scope
from join_pipeline.connections.lost_runs import busy, end_lost_runs, hand_over
from join_pipeline.connections.trigger import pending_trigger
from join_pipeline.defs.automation import SYNC, SYNC_FULL, UNFINISHED, incremental, names

Tick = dg.RunRequest | dg.SkipReason


def schedules(scope: Scope) -> list[dg.ScheduleDefinition]:
    """The schedules of a single connection, in its time zone."""
    return [
        _schedule(scope, "hourly", SYNC, "0 * * * *", "At every full hour: the job sync."),
        # not between 02:00 and 03:00: daylight saving time skips that hour once a year and repeats it once
        _schedule(scope, "nightly", SYNC_FULL, "30 3 * * *", "At 03:30: the job sync_full."),
    ]


def _schedule(scope: Scope, name: str, job: str, cron: str, description: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=scope.named(name),
        default_status=scope.begins,
        job_name=scope.named(job),
        cron_schedule=cron,
        execution_timezone=scope.settings.time_zone,
        description=f"{description} {OFF}",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Tick:
        reason = _busy(context.instance, scope)
        return dg.SkipReason(reason) if reason else dg.RunRequest()

    return tick


def _busy(instance: dg.DagsterInstance, scope: Scope) -> str | None:
    """Why no run should start now, or None. Without this, runs would pile up in the queue behind one that hangs."""
    ours = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=scope.tags))
    return busy(scope.settings, ours, names(scope), instance)


def sensors(scope: Scope) -> list[dg.SensorDefinition]:
    """The sensors of a single connection."""

    @dg.sensor(
        name=scope.named("webhook"),
        job_name=scope.named(SYNC),
        minimum_interval_seconds=60,
        description="One incremental sync for all webhooks that `join-pipeline listen` received. Off until switched "
        "on.",
    )
    def webhook(context: dg.SensorEvaluationContext) -> Tick:
        """Request a run for the waiting trigger at each tick. Dagster makes one run of equal keys."""
        key = pending_trigger(scope.settings.home)
        if reason := "No webhook has come." if key is None else _busy(context.instance, scope):
            return dg.SkipReason(reason)
        hand_over(scope.settings.home, context.instance)
        return dg.RunRequest(run_key=key, run_config=incremental(scope))

    @dg.sensor(
        name=scope.named("lost_run"),
        minimum_interval_seconds=20,
        description=LOST,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def lost_run(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Look at the runs under way. The sensor `failed_run` tells of those that are lost."""
        records = context.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
        return dg.SkipReason(end_lost_runs(scope.settings, context, records, names(scope)))

    return [webhook, lost_run]
