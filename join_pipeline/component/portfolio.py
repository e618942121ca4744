"""The portfolio as an asset: of no partition, as it is over all connections. A sensor makes it after builds.

Belongs here: when it is made, and what Dagster shows of it. Not here: how it is made (portfolio), the steps of a
connection (defs).
"""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from join_pipeline.component.scope import Scope
from join_pipeline.defs.metadata import metadata_of, step
from join_pipeline.portfolio.companies import builds
from join_pipeline.portfolio.write import write_portfolio


def portfolio_of(scope: Scope, published: str) -> dg.Definitions:
    """The asset, its job and its sensor."""
    key, name = scope.key("published/portfolio"), scope.named("portfolio")

    @dg.asset(
        key=key,
        deps=[scope.key(published)],
        kinds={"duckdb", "html"},
        group_name=scope.group("published"),
        owners=[f"team:{scope.settings.team}"],
        pool=scope.pool,
    )
    def portfolio(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        """portfolio.duckdb and portfolio.html over all companies: who waits, who is slow, benchmarks."""
        with step():
            made = write_portfolio(scope.settings, list(scope.listed()), datetime.now(UTC))
        for company in made.companies:
            if company.message:
                context.log.info(f"{company.connection}: {company.message}")
        page = dg.MetadataValue.url(made.report.as_uri())
        return dg.MaterializeResult(metadata={"page": page} | metadata_of(made.figures()))

    job = dg.define_asset_job(
        name,
        dg.AssetSelection.assets(key),
        description="One file and one page over all companies, from what their builds have published as Parquet.",
        tags=scope.job_tags,
        executor_def=dg.in_process_executor,
    )

    @dg.sensor(
        name=name,
        job=job,
        minimum_interval_seconds=600,
        default_status=dg.DefaultSensorStatus.RUNNING if scope.is_scheduled else dg.DefaultSensorStatus.STOPPED,
        description="A new portfolio after builds, at most each ten minutes. Off until switched on.",
    )
    def after_builds() -> dg.RunRequest | dg.SkipReason:
        """Ask for a run for each set of builds. Dagster makes one of equal keys."""
        run_key = builds(scope.settings.parquet)
        return dg.RunRequest(run_key=run_key) if run_key else dg.SkipReason("No company has published Parquet files.")

    return dg.Definitions(assets=[portfolio], jobs=[job], sensors=[after_builds])
