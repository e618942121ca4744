"""Jobs, schedules and sensors, and the line that a failed run logs. Schedules are off until switched on."""

from typing import Any, Final

import dagster as dg

from join_pipeline.connections.lost_runs import COMING_UP, busy, end_lost_runs, failure_line
from join_pipeline.connections.trigger import pending_trigger
from join_pipeline.defs.actions import ACTION_JOBS
from join_pipeline.defs.extract import SyncConfig
from join_pipeline.defs.warehouse import LoadConfig
from join_pipeline.settings import Settings

EVERYTHING: Final = dg.AssetSelection.all()
STATUS: Final = dg.DagsterRunStatus
Tick = dg.RunRequest | dg.SkipReason
UNFINISHED: Final = [STATUS.QUEUED, *(STATUS(name) for name in COMING_UP)]


def _job(name: str, description: str, selection: dg.AssetSelection = EVERYTHING, **ops: dg.Config) -> Any:
    return dg.define_asset_job(name, selection, config=dg.RunConfig(ops=ops), description=description)


SYNC: Final = _job(
    "sync",
    "From the source to the published file. It reads what changed, or everything if that is due.",
    extract=SyncConfig(),
)
SYNC_FULL: Final = _job(
    "sync_full",
    "As sync, but it reads all, so it finds deletions. Its config accepts what a sync refused: see `accept_…`.",
    extract=SyncConfig(mode="full"),
)
REBUILD: Final = _job(
    "rebuild",
    "From the lake to a new published file, without the network. Readers keep the old file meanwhile.",
    EVERYTHING - dg.AssetSelection.groups("extract", "models"),
    load=LoadConfig(from_nothing=True),
)
JOBS: Final = {SYNC.name, SYNC_FULL.name, REBUILD.name}


def automation(time_zone: str) -> dg.Definitions:
    """The jobs, the schedules in this time zone, and the sensors."""
    return dg.Definitions(
        jobs=[SYNC, SYNC_FULL, REBUILD, *ACTION_JOBS],
        schedules=[
            _schedule("hourly", SYNC.name, "0 * * * *", time_zone, "At every full hour: the job sync."),
            # not between 02:00 and 03:00: daylight saving time skips that hour once a year and repeats it once
            _schedule("nightly", SYNC_FULL.name, "30 3 * * *", time_zone, "At 03:30: the job sync_full."),
        ],
        sensors=[webhook, lost_run, failed_run],
    )


def _schedule(name: str, job: str, cron: str, time_zone: str, description: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=cron,
        execution_timezone=time_zone,
        description=f"{description} Skipped while a command or another run works. Off until switched on.",
    )
    def tick(context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]) -> Tick:
        reason = _busy(context.instance, settings)
        return dg.SkipReason(reason) if reason else dg.RunRequest()

    return tick


def _busy(instance: dg.DagsterInstance, settings: Settings) -> str | None:
    """Why no run should start now, or None. Without this, runs would pile up in the queue behind one that hangs."""
    return busy(settings, instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)), JOBS)


@dg.sensor(
    job_name=SYNC.name,
    minimum_interval_seconds=60,
    description="One incremental sync for all webhooks that `join-pipeline listen` received. Off until switched on.",
)
def webhook(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> Tick:
    """Request a run for the waiting trigger at each tick. Dagster makes one run of equal keys."""
    key = pending_trigger(settings.home)
    if reason := "No webhook has come." if key is None else _busy(context.instance, settings):
        return dg.SkipReason(reason)
    return dg.RunRequest(run_key=key, run_config=dg.RunConfig({"extract": SyncConfig(mode="incremental")}))


@dg.sensor(
    minimum_interval_seconds=20,
    description="Ends runs whose process is gone, as after a power cut: they hold no lock, looked at twice.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def lost_run(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SkipReason:
    """Look at the runs under way. The sensor `failed_run` tells of those that are lost."""
    records = context.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
    return dg.SkipReason(end_lost_runs(settings, context, records, JOBS))


@dg.run_failure_sensor(
    description="Logs one line for each failed run, with its step and reason, in its log and the daemon's output.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_run(context: dg.RunFailureSensorContext) -> None:
    """Log the line of a failed run."""
    context.log.error(failure_line(context.dagster_run, context.failure_event, context.get_step_failure_events()))
