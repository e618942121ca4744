"""The wiring: the pipeline's steps as Dagster assets, checks, jobs, schedules and sensors.

Belongs here: keys, descriptions, metadata, order. Not here: anything about data. An asset calls one step and reports
its result.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from join_pipeline.component import many, notices, one
from join_pipeline.component.portfolio import portfolio_of
from join_pipeline.component.scope import Scope
from join_pipeline.defs.actions import action_jobs
from join_pipeline.defs.automation import jobs
from join_pipeline.defs.extract import sync_assets
from join_pipeline.defs.marts import PUBLISHED, mart_assets
from join_pipeline.defs.metadata import owned
from join_pipeline.defs.warehouse import ats_tables
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import source_of
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.union import union_of


def build_definitions(
    settings: Settings,
    *,
    connections: Path | None = None,
    key_prefix: Sequence[str] = (),
    group_prefix: str = "",
    name: str | None = None,
    **options: Any,
) -> dg.Definitions:
    """Build the definitions of one connection, or of a file of several: then each is a partition.

    `name` begins the names of jobs, schedules, sensors and resources; without it, the key prefix does. `options` are a
    `Scope`'s.
    """
    prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix)
    named = "_".join(prefix).replace("-", "_") if name is None else name
    shared = settings.model_copy(update={"connection": many.SHARED}) if connections else settings
    scope = Scope(shared, prefix, group_prefix, named, connections, **options)
    of = union_of([source_of(name, settings) for name in many.sources(scope)])
    steps = [sync_assets(scope, of), ats_tables(scope, of.tables), *mart_assets(scope, read_manifest(shared))]
    ours = dg.Definitions(
        assets=[step.map_asset_specs(partial(owned, scope)) for step in steps],
        resources={scope.resource: scope.held()},
        jobs=[*jobs(scope, steps), *action_jobs(scope)],
        schedules=(many if connections else one).schedules(scope),
        sensors=[*(many if connections else one).sensors(scope), *notices.sensors(scope, steps)],
    )
    return dg.Definitions.merge(ours, portfolio_of(scope, PUBLISHED)) if connections else ours
