"""A sync as one step, with the assets raw/<feed> and models/<model>. It can't be subset: it is committed as a whole."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field, create_model

from join_pipeline import pipeline
from join_pipeline.checks.sync import sync_checks
from join_pipeline.defs.metadata import POOL, asset_specs, check_results, check_specs, key_of, metadata_of, step
from join_pipeline.settings import Settings
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import loss_feeds
from join_pipeline.sync.plan import AskedMode
from join_pipeline.warehouse.lineage import raw, versions


class SyncConfig(dg.Config):
    """The config of the sync step."""

    mode: AskedMode = Field(
        default="auto", description="full: everything; incremental: what changed; auto: full when due"
    )
    accept_loss: list[str] = Field(default=[], description="Feeds whose large loss this run accepts as real")
    accept_account: bool = Field(default=False, description="Whether this run accepts another account than the lake's")
    accept_source: bool = Field(default=False, description="Whether this run accepts another source than the lake's")


def sync_assets(source: Source) -> dg.AssetsDefinition:
    """The sync step of this source."""
    kinds = (source.name, "parquet")
    # `accept_loss` takes the feeds that this source's guard watches, and nothing else
    losses: Any = (list[loss_feeds(source.feeds)], SyncConfig.model_fields["accept_loss"])  # type: ignore[misc]

    def extract(
        context: dg.AssetExecutionContext, config: SyncConfig, settings: dg.ResourceParam[Settings]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        def progress(feed: str, records: int) -> None:
            if records % 5000 == 0:
                context.log.info(f"{feed}: {records:,} records so far")

        with step():
            synced = pipeline.sync(settings, progress=progress, **config.model_dump())
        record = synced.record
        context.log.info(f"{record.mode} sync {record.sync_id} ({record.reason}), {record.n_requests} requests")
        for path, figures in record.parts():
            metadata, found = metadata_of(figures | record.figures()), check_results(path, synced.findings)
            yield dg.MaterializeResult(asset_key=key_of(path), metadata=metadata, check_results=found)

    extract.__annotations__["config"] = create_model("SyncConfig", __base__=SyncConfig, accept_loss=losses)
    return dg.multi_asset(
        name="extract",
        description=f"One sync with {source.title}: read all feeds, write new versions of every model, commit.",
        specs=[*asset_specs(raw(source), "extract", *kinds), *asset_specs(versions(source), "models", *kinds)],
        check_specs=check_specs(sync_checks(source)),
        pool=POOL,
    )(extract)
