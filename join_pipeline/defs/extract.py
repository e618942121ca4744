"""A sync as one step, with the assets raw/<feed> and models/<model>. It can't be subset: it is committed as a whole."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field, create_model

from join_pipeline import pipeline
from join_pipeline.component.scope import Scope
from join_pipeline.defs.metadata import asset_specs, check_results, check_specs, metadata_of, step
from join_pipeline.sources.feed import loss_feeds
from join_pipeline.sync.plan import AskedMode
from join_pipeline.warehouse.union import Union


class SyncConfig(dg.Config):
    """The config of the sync step."""

    mode: AskedMode = Field(
        default="auto", description="full: everything; incremental: what changed; auto: full when due"
    )
    accept_loss: list[str] = Field(default=[], description="Feeds whose large loss this run accepts as real")
    accept_account: bool = Field(default=False, description="Whether this run accepts another account than the lake's")
    accept_source: bool = Field(default=False, description="Whether this run accepts another source than the lake's")


def sync_assets(scope: Scope, of: Union) -> dg.AssetsDefinition:
    """The sync step of these sources, most often of one."""
    # `accept_loss` takes the feeds that the guard watches, and nothing else
    losses: Any = (list[loss_feeds(of.feeds)], SyncConfig.model_fields["accept_loss"])  # type: ignore[misc]
    feeds = [
        spec.replace_attributes(skippable=spec.key.path[-1] not in of.common)
        for spec in asset_specs(scope, of.raw, "extract", *of.kinds)
    ]
    checks = {(check.about, check.name) for check in of.checks}
    known = {one.path for one in (*of.raw, *of.versions)}

    def extract(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[dg.MaterializeResult[Any]]:
        def progress(feed: str, records: int) -> None:
            if records % 5000 == 0:
                context.log.info(f"{feed}: {records:,} records so far")

        with step():
            synced = pipeline.sync(scope.of(context), progress=progress, **config.model_dump())
        record = synced.record
        context.log.info(f"{record.mode} sync {record.sync_id} ({record.reason}), {record.n_requests} requests")
        findings = [finding for finding in synced.findings if (finding.about, finding.check) in checks]
        for path, figures in record.parts():
            if path in known:
                metadata, found = metadata_of(figures | record.figures()), check_results(scope, path, findings)
                yield dg.MaterializeResult(asset_key=scope.key(path), metadata=metadata, check_results=found)

    extract.__annotations__["config"] = create_model("SyncConfig", __base__=SyncConfig, accept_loss=losses)
    return dg.multi_asset(
        description=f"One sync with {of.title}: read all feeds, write new versions of every model, commit.",
        specs=[*feeds, *asset_specs(scope, of.versions, "models", *of.kinds)],
        check_specs=check_specs(scope, of.checks),
        **scope.step("extract"),
    )(extract)
