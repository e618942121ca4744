"""Load as one step. Each table of `ats`, with its history, and each table that load writes beside them is an asset."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field

from join_pipeline import pipeline
from join_pipeline.checks.load import LOAD_CHECKS
from join_pipeline.defs.metadata import POOL, asset_specs, check_results, check_specs, key_of, metadata_of, step
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source
from join_pipeline.warehouse.lineage import tables


class LoadConfig(dg.Config):
    """The config of the load step."""

    from_nothing: bool = Field(default=False, description="Delete the warehouse first; readers keep the published file")


def ats_tables(source: Source) -> dg.AssetsDefinition:
    """The load step of this source."""
    made = tables(source)

    @dg.multi_asset(
        name="load",
        description="Load what is new in the lake into another warehouse.duckdb, which replaces the old one.",
        specs=asset_specs(made, "warehouse", "duckdb", "table"),
        check_specs=check_specs(LOAD_CHECKS),
        pool=POOL,
    )
    def load(
        config: LoadConfig, settings: dg.ResourceParam[Settings], warehouse: DuckDBResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with step() as cost:
            loaded = pipeline.load(settings, warehouse.get_connection, from_nothing=config.from_nothing)
        for path in (table.path for table in made):
            name = path.removeprefix("ats/")
            rows, versions = loaded.rows.get(f"ats.{name}"), loaded.rows.get(f"ats_history.{name}")
            figures = {"rows": versions if rows is None else rows, "versions": versions, **cost}
            found = check_results(path, loaded.findings)
            yield dg.MaterializeResult(asset_key=key_of(path), metadata=metadata_of(figures), check_results=found)

    return load
