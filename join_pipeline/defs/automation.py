"""The jobs, and what schedules and sensors say of themselves. They are in `component`: of one connection, of many."""

from collections.abc import Sequence
from typing import Any, Final

import dagster as dg

from join_pipeline.component.scope import Scope
from join_pipeline.connections.lost_runs import COMING_UP
from join_pipeline.defs.extract import SyncConfig
from join_pipeline.defs.warehouse import LoadConfig

UNFINISHED: Final = [dg.DagsterRunStatus.QUEUED, *map(dg.DagsterRunStatus, COMING_UP)]
SYNC: Final = "sync"
SYNC_FULL: Final = "sync_full"
JOBS: Final = {SYNC, SYNC_FULL, "rebuild"}


def jobs(scope: Scope, assets: Sequence[dg.AssetsDefinition]) -> list[Any]:
    """The jobs of these steps, of which the first is the sync. They select no asset of anybody else."""

    def job(name: str, description: str, steps: Sequence[dg.AssetsDefinition], **ops: dg.Config) -> Any:
        return dg.define_asset_job(
            scope.named(name),
            dg.AssetSelection.assets(*(key for step in steps for key in step.keys)),
            config=dg.RunConfig(ops={scope.named(op): config for op, config in ops.items()}),
            description=description,
            tags=scope.job_tags,
            executor_def=dg.in_process_executor,  # a process per step costs 4 s of imports each, and all share one lock
        )

    return [
        job(
            SYNC,
            "From the source to the published file. It reads what changed, or everything if that is due.",
            assets,
            extract=SyncConfig(),
        ),
        job(
            SYNC_FULL,
            "As sync, but it reads all, so it finds deletions. Its config accepts what a sync refused: see `accept_…`.",
            assets,
            extract=SyncConfig(mode="full"),
        ),
        job(
            "rebuild",
            "From the lake to a new published file, without the network. Readers keep the old file meanwhile.",
            assets[1:],
            load=LoadConfig(from_nothing=True),
        ),
    ]


def names(scope: Scope) -> set[str]:
    """The names of the jobs that move data."""
    return {scope.named(name) for name in JOBS}


def incremental(scope: Scope) -> dg.RunConfig:
    """The config of a sync that a webhook asks for."""
    return dg.RunConfig({scope.named("extract"): SyncConfig(mode="incremental")})
