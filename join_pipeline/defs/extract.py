"""A whole sync as one step: what JOIN lists (raw/…) and the versions of the eleven models (models/…).

It can't be subset: no click makes half a sync.
"""

import enum
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import dagster as dg
import msgspec
from pydantic import Field

from join_pipeline import pipeline
from join_pipeline.checks import SYNC_CHECKS
from join_pipeline.defs.telling import POOL, asset_specs, check_results, check_specs, clear_failure
from join_pipeline.lake.record import SyncRecord
from join_pipeline.lineage import RAW, VERSIONS
from join_pipeline.settings import Settings
from join_pipeline.sync.plan import AskedMode

TOLD_EVERY: Final = 5000
KINDS: Final = ("join", "parquet")


class LossFeed(enum.Enum):
    """Feeds that the guard watches."""

    applications = "applications"
    jobs = "jobs"


class SyncConfig(dg.Config):
    """How to sync."""

    mode: AskedMode = Field(
        default="auto", description="full reads everything; incremental what changed; auto: full at least once a day"
    )
    accept_loss: list[LossFeed] = Field(
        default=[], description="Feeds whose large loss is real: the guard lets it pass, in this run only"
    )


@dg.multi_asset(
    name="extract",
    description="One whole sync with JOIN: read every feed, keep new versions of the eleven models, commit.",
    specs=[*asset_specs(RAW, "extract", *KINDS), *asset_specs(VERSIONS, "models", *KINDS)],
    check_specs=check_specs(SYNC_CHECKS),
    pool=POOL,
)
def sync_assets(
    context: dg.AssetExecutionContext, config: SyncConfig, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult[Any]]:
    """One whole sync."""

    def progress(feed: str, records: int) -> None:
        if records % TOLD_EVERY == 0:
            context.log.info(f"{feed}: {records:,} records so far")

    with clear_failure():
        synced = pipeline.sync(settings, config.mode, [feed.value for feed in config.accept_loss], progress)
    record = synced.record
    context.log.info(f"{record.mode} sync {record.sync_id} ({record.reason}), {record.n_requests} requests")
    for feed, listed in record.feeds.items():
        yield dg.MaterializeResult(
            asset_key=["raw", feed],
            metadata=_metadata(record, listed.records, listed),
            check_results=check_results(f"raw/{feed}", synced.findings),
        )
    for model, written in record.models.items():
        yield dg.MaterializeResult(
            asset_key=["models", model],
            metadata=_metadata(record, written.live, written) | {"new_versions": written.versions},
            check_results=check_results(f"models/{model}", synced.findings),
        )


def _metadata(record: SyncRecord, rows: int, figures: msgspec.Struct) -> dict[str, Any]:
    """The figures of one feed or model under their own names, and those of the whole sync."""
    told = {"dagster/row_count": rows, **msgspec.structs.asdict(figures), **record.figures()}
    return {
        name: dg.MetadataValue.timestamp(value) if isinstance(value, datetime) else value
        for name, value in told.items()
    }
