"""The wiring: the pipeline's steps as Dagster assets, checks, jobs, schedules and sensors.

Belongs here: keys, descriptions, metadata, order. Not here: anything about data. An asset calls one step and reports
its result.
"""

from functools import partial

import dagster as dg
from dagster_duckdb import DuckDBResource

from join_pipeline.connections.lost_runs import of_run
from join_pipeline.defs.automation import automation
from join_pipeline.defs.extract import sync_assets
from join_pipeline.defs.marts import mart_assets
from join_pipeline.defs.metadata import owned
from join_pipeline.defs.warehouse import ats_tables
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import open_source
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.file import opening


def build_definitions(settings: Settings) -> dg.Definitions:
    """Build all Dagster definitions of one connection. dbt parses its project if that has changed."""
    file, config = opening(settings)
    source = open_source(settings)
    held = dg.ResourceDefinition(lambda context: of_run(settings, context.run, context.instance))
    assets = [sync_assets(source), ats_tables(source), *mart_assets(read_manifest(settings))]
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[one.map_asset_specs(partial(owned, settings.team)) for one in assets],
            resources={"settings": held, "warehouse": DuckDBResource(database=str(file), connection_config=config)},
            executor=dg.in_process_executor,  # a process per step costs 4 s of imports each, and all share one lock
        ),
        automation(settings.time_zone),
    )
