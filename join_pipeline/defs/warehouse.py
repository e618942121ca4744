"""Load as one step. Each table of `ats`, with its history, and each table that load writes beside them is an asset."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field

from join_pipeline import pipeline
from join_pipeline.checks.load import LOAD_CHECKS
from join_pipeline.component.scope import Scope
from join_pipeline.defs.metadata import asset_specs, check_result, check_results, check_specs, metadata_of, step
from join_pipeline.warehouse.file import opening
from join_pipeline.warehouse.lineage import Described


class LoadConfig(dg.Config):
    """The config of the load step."""

    from_nothing: bool = Field(default=False, description="Delete the warehouse first; readers keep the published file")


def ats_tables(scope: Scope, made: Sequence[Described]) -> dg.AssetsDefinition:
    """The load step, with the tables that it makes."""

    @dg.multi_asset(
        description="Load what is new in the lake into another warehouse.duckdb, which replaces the old one.",
        specs=asset_specs(scope, made, "warehouse", "duckdb", "table"),
        check_specs=check_specs(scope, LOAD_CHECKS),
        **scope.step("load"),
    )
    def load(context: dg.AssetExecutionContext, config: LoadConfig) -> Iterator[Any]:
        with step() as cost:
            settings = scope.of(context)
            if scope.file and not config.from_nothing and pipeline.is_unchanged(settings, context.log.info):
                yield from (check_result(scope.key(one.about), one) for one in pipeline.loaded_findings(settings))
                return
            file, options = opening(settings)
            warehouse = DuckDBResource(database=str(file), connection_config=options)
            loaded = pipeline.load(settings, warehouse.get_connection, from_nothing=config.from_nothing)
        for path in (table.path for table in made):
            name = path.removeprefix("ats/")
            rows, versions = loaded.rows.get(f"ats.{name}"), loaded.rows.get(f"ats_history.{name}")
            figures = {"rows": versions if rows is None else rows, "versions": versions, **cost}
            found = check_results(scope, path, loaded.findings)
            yield dg.MaterializeResult(asset_key=scope.key(path), metadata=metadata_of(figures), check_results=found)

    return load
