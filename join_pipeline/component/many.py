"""Many connections in one code location: each is a partition. Schedules and sensors look into the file at each tick.

Belongs here: which partitions there are, and which of them get a run. Not here: the steps and jobs (defs), a single
connection's schedules and sensors (defs.automation).
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, Final

import dagster as dg

from join_pipeline.component.scope import CONNECTION, LOST, OFF, PARTITION, Scope
from join_pipeline.connections.listed import Listed
from join_pipeline.connections.lost_runs import end_lost_runs_of, hand_over, locked_here, queue_tag
from join_pipeline.connections.trigger import pending_trigger
from join_pipeline.connections.turns import SLOT_MINUTES, is_due
from join_pipeline.defs.automation import SYNC, SYNC_FULL, UNFINISHED, incremental, names
from join_pipeline.errors import PipelineError, SettingsError
from join_pipeline.settings import Settings

SHARED: Final = "shared"
"""The name that stands for all connections where dbt's manifest is kept."""


def sources(scope: Scope) -> list[str]:
    """The sources of all connections, each once; of a single connection its own."""
    own = scope.settings.source
    return list(
        dict.fromkeys(str(one.settings.get("source", own)) for one in scope.listed().values() if not one.faults)
    ) or [own]


def schedules(scope: Scope) -> list[dg.ScheduleDefinition]:
    """A tick each five minutes, for the connections whose turn it is."""
    return [
        _schedule(scope, "hourly", SYNC, "Each connection once an hour: the job sync.", full=False),
        _schedule(scope, "nightly", SYNC_FULL, "Each connection once a night: the job sync_full.", full=True),
    ]


def _schedule(scope: Scope, name: str, job: str, description: str, *, full: bool) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=scope.named(name),
        default_status=scope.begins,
        job_name=scope.named(job),
        cron_schedule=f"*/{SLOT_MINUTES} * * * *",
        execution_timezone="UTC",
        description=f"{description} A hash of its name chooses its minute. {OFF}",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        now = context.scheduled_execution_time.astimezone(UTC)

        def request(one: Listed, settings: Settings) -> dg.RunRequest | None:
            if not is_due(one.schedule, one.name, now, settings.time_zone, full=full):
                return None
            return dg.RunRequest(run_key=f"{one.name} {now:%Y-%m-%dT%H:%M}")

        yield from _requests(scope, context, request)

    return tick


def sensors(scope: Scope) -> list[dg.SensorDefinition]:
    """The sensors of many connections."""
    name = scope.named("connection")
    kind = dg.DynamicPartitionsDefinition(name=name)

    @dg.sensor(
        name=scope.named("connections"),
        minimum_interval_seconds=30,
        description="Makes a partition for each connection that was added to the file, and takes those away that were "
        "removed.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def connections(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Follow the file. Only what this sensor added is taken away: other code locations may share the name."""
        try:
            listed = list(scope.listed())
        except SettingsError as error:
            return dg.SkipReason(str(error))
        there = set(context.instance.get_dynamic_partitions(name))
        ours = set(json.loads(context.cursor or "[]"))
        added = [name for name in listed if name not in there]
        removed = sorted((ours & there) - set(listed))
        return dg.SensorResult(
            dynamic_partitions_requests=[
                *([kind.build_add_request(added)] if added else []),
                *([kind.build_delete_request(removed)] if removed else []),
            ],
            cursor=json.dumps(sorted((ours | set(added)) & set(listed))),
            skip_reason=f"{len(listed)} connections, {len(added)} added, {len(removed)} removed.",
        )

    @dg.sensor(
        name=scope.named("webhook"),
        job_name=scope.named(SYNC),
        minimum_interval_seconds=60,
        description="One incremental sync for all webhooks that `join-pipeline listen` received for a connection. Off "
        "until switched on.",
    )
    def webhook(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        def request(one: Listed, settings: Settings) -> dg.RunRequest | None:
            key = pending_trigger(settings.home)
            return dg.RunRequest(run_key=f"{one.name} {key}", run_config=incremental(scope)) if key else None

        for asked in _requests(scope, context, request):
            if isinstance(asked, dg.RunRequest):
                hand_over(scope.settings.data / str(asked.partition_key), context.instance)
            yield asked

    @dg.sensor(
        name=scope.named("lost_run"),
        minimum_interval_seconds=20,
        description=LOST,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def lost_run(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Look at the runs under way, connection by connection."""
        records = context.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
        of: dict[str, list[Any]] = {}
        for record in records:
            if (name := record.dagster_run.tags.get(PARTITION)) is not None:
                of.setdefault(name, []).append(record)
        listed = scope.listed()
        homes = [(scope.settings.model_copy(update={"connection": name}), of[name]) for name in of if name in listed]
        return dg.SkipReason(end_lost_runs_of(homes, context, names(scope)))

    return [connections, webhook, lost_run]


def _requests(
    scope: Scope, context: Any, request: Callable[[Listed, Settings], dg.RunRequest | None]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """The runs that are asked for, or why there is none. What is wrong with one connection stops no other."""
    there = set(context.instance.get_dynamic_partitions(scope.named("connection")))
    at_work = {
        run.tags.get(PARTITION)
        for run in context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=scope.tags))
        if run.job_name in names(scope)
    }
    said: list[str] = []
    is_asked = False
    for name, one in scope.listed().items():
        if name not in there:
            said.append(f"{name}: it is no partition yet.")
            continue
        try:
            settings = scope.settings_of(name)
        except PipelineError as error:
            said.append(str(error))
            continue
        asked = request(one, settings)
        if asked is None:
            continue
        reason = "its last run has not ended." if name in at_work else locked_here(settings, context.instance)
        if reason:
            said.append(f"{name}: {reason}")
            continue
        is_asked = True
        yield asked.with_replaced_attrs(partition_key=name, tags={CONNECTION: name} | queue_tag(settings))
    if not is_asked:
        yield dg.SkipReason(" ".join(said) or "It is no connection's turn.")
