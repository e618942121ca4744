"""Load as one step: every version in force goes to `ats_history`, the newest of each record to `ats`.

One asset per table of `ats`, and per table that load writes beside them; a table's history belongs to its asset.
"""

from collections.abc import Iterator
from typing import Any, Final

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field

from join_pipeline import pipeline
from join_pipeline.checks import LOAD_CHECKS
from join_pipeline.defs.telling import POOL, check_results, check_specs, clear_failure, key_of, table_schema
from join_pipeline.lineage import TABLES
from join_pipeline.models import MODELS
from join_pipeline.models.declared import OBSERVATION
from join_pipeline.settings import Settings

LOADED: Final = [column for column in OBSERVATION if column.name in {"observed_at", "sync_id"}]
SCHEMAS: Final = {
    name: {"dagster/column_schema": table_schema([*model.columns, *LOADED])} for name, model in MODELS.items()
}


class LoadConfig(dg.Config):
    """How to load."""

    from_nothing: bool = Field(default=False, description="Delete the warehouse first; readers keep what is published")


@dg.multi_asset(
    name="load",
    description="Load the newest sync into a new warehouse.duckdb, which takes the old one's place.",
    specs=[
        dg.AssetSpec(
            ["ats", table],
            deps=[key_of(source) for source in sources],
            description=doc,
            metadata=SCHEMAS.get(table),
            group_name="warehouse",
            kinds={"duckdb", "table"},
        )
        for table, (doc, sources) in TABLES.items()
    ],
    check_specs=check_specs(LOAD_CHECKS),
    pool=POOL,
)
def ats_tables(
    config: LoadConfig, settings: dg.ResourceParam[Settings], warehouse: DuckDBResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """Every version in force, in a new file."""
    with clear_failure():
        loaded = pipeline.load(settings, warehouse.get_connection, from_nothing=config.from_nothing)
    for table in TABLES:
        rows, versions = loaded.rows.get(f"ats.{table}"), loaded.rows.get(f"ats_history.{table}")
        yield dg.MaterializeResult(
            asset_key=["ats", table],
            metadata={"dagster/row_count": versions if rows is None else rows, "versions": versions},
            check_results=check_results(f"ats/{table}", loaded.findings),
        )
