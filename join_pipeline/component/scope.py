"""A scope: what all definitions of one build share, so that they meet nobody else's in somebody's Dagster.

Belongs here: keys, groups, names, pools, tags and partitions, and whose settings a run has. Not here: any step (defs).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg

from join_pipeline.connections.listed import Listed
from join_pipeline.connections.lost_runs import in_its_queue, of_run, queue_tag
from join_pipeline.errors import PipelineError, SettingsError
from join_pipeline.settings import Settings, listed_connections, load_settings

CONNECTION: Final = "join_pipeline/connection"
LOST: Final = "Ends runs whose process is gone, as after a power cut: they hold no lock, looked at twice."
OFF: Final = "Skipped while a command or another run works. Off until switched on."
DATA: Final = "join_pipeline/data"
"""Tags of our runs: the connection, and a digest of the data folder's path, as two companies may have equal names."""
PARTITION: Final = "dagster/partition"
RETRY_FAILED: Final = "dagster/retry_on_asset_or_op_failure"
NO_RETRY: Final = {"dagster/max_retries": "0"}


@dataclass(frozen=True, slots=True)
class Scope:
    """`settings` are the connection's, or with a `file` of several connections, what is alike for all of them.

    `name` begins the names of jobs, schedules, sensors, resources and steps; `prefix` begins the keys of assets.
    """

    settings: Settings
    prefix: tuple[str, ...] = ()
    group_prefix: str = ""
    name: str = ""
    file: Path | None = None
    is_scheduled: bool = False
    retries: int = 0
    own_pool: str | None = None

    def key(self, path: str) -> dg.AssetKey:
        """The key of a result, such as `raw/jobs`."""
        return dg.AssetKey([*self.prefix, *path.split("/")])

    def group(self, name: str) -> str:
        """The group of assets with this name."""
        return f"{self.group_prefix}{name}"

    def named(self, name: str) -> str:
        """The name of a job, a schedule, a sensor or a step."""
        return f"{self.name}_{name}" if self.name else name

    @property
    def resource(self) -> str:
        """The key of the resource that holds a run's settings."""
        return self.named("join_pipeline_settings")

    @property
    def partitions(self) -> dg.DynamicPartitionsDefinition | None:
        """A partition for each connection of the file; None for a single connection."""
        return dg.DynamicPartitionsDefinition(name=self.named("connection")) if self.file else None

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all our runs."""
        data = {DATA: hashlib.sha256(str(self.settings.data.absolute()).encode()).hexdigest()[:12]}
        return data if self.file else data | {CONNECTION: self.settings.connection}

    @property
    def job_tags(self) -> dict[str, str]:
        """The tags of the jobs that move data. A company's own failure is tried again only where that is asked for."""
        again = {"dagster/max_retries": str(self.retries)} if self.retries else {RETRY_FAILED: "false"}
        return self.tags | queue_tag(self.settings) | {"dagster/retry_strategy": "ALL_STEPS"} | again

    @property
    def begins(self) -> dg.DefaultScheduleStatus:
        """Whether a schedule is switched on from the start."""
        return dg.DefaultScheduleStatus.RUNNING if self.is_scheduled else dg.DefaultScheduleStatus.STOPPED

    @property
    def pool(self) -> str | None:
        """The pool of a connection: with a limit of 1, one run at a time works on a lake.

        The runs of several connections share no pool. Their limit is one by the tag `join_pipeline/connection`.
        """
        return (
            self.own_pool
            if self.file or self.own_pool
            else f"join_pipeline_{self.settings.connection.replace('-', '_')}"
        )

    def step(self, name: str) -> dict[str, Any]:
        """What a step has."""
        return {
            "name": self.named(name),
            "pool": self.pool,
            "partitions_def": self.partitions,
            "required_resource_keys": {self.resource},
        }

    def of(self, context: Any) -> Settings:
        """The settings of the run that the step is in. Raises `SettingsError` for a run of no connection."""
        settings: Settings | None = getattr(context.resources, self.resource)
        if settings is None:
            raise SettingsError("This run is of no connection. Choose a partition: each is a connection.")
        return settings

    def held(self) -> dg.ResourceDefinition:
        """The resource: a run's settings for as long as it runs, and meanwhile its lock."""

        def hold(context: dg.InitResourceContext) -> Iterator[Settings | None]:
            settings = self._settings_of(context.run, context.instance)
            if settings is None:
                yield None
            else:
                yield from of_run(settings, context.run, context.instance)

        return dg.ResourceDefinition(hold)

    def listed(self) -> dict[str, Listed]:
        """The connections of the file. Raises `SettingsError` if it can't be read."""
        return listed_connections(self.file) if self.file else {}

    def settings_of(self, connection: str) -> Settings:
        """The settings of one of the file's connections. Raises `SettingsError` with its lines."""
        if connection not in self.listed():
            raise SettingsError(f"{connection} is not in {self.file}.")
        return load_settings(connection=connection, connections_toml=self.file, data=self.settings.data)

    def _settings_of(self, run: Any, instance: Any) -> Settings | None:
        name = run and run.tags.get(PARTITION)
        try:
            if self.file is None:
                return in_its_queue(self.settings, run, instance) if run else self.settings
            return in_its_queue(self.settings_of(name), run, instance) if name else None
        except PipelineError as error:
            instance.add_run_tags(run.run_id, NO_RETRY)  # Dagster takes it for a lost worker
            raise dg.Failure(description=str(error), allow_retries=False) from None
