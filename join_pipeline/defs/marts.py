"""dbt as one step, published file and report. Whatever is selected, all is built: a file describes one instant."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import dagster as dg

from join_pipeline import pipeline
from join_pipeline.component.scope import Scope
from join_pipeline.defs.metadata import check_result, check_specs, metadata_of, step
from join_pipeline.report.write import can_draw
from join_pipeline.transform.findings import Manifest, data_tests, finding_of, subject_of

KINDS: Final = frozenset({"model", "seed"})
MARTS: Final = "marts"
PUBLISHED: Final = "published/recruiting"
REPORT: Final = "published/report"
GROUPS: Final = {"ats": "warehouse", "recruiting": MARTS} | {s: s for s in ("people", "staging", "intermediate")}
# a late nightly sync warns, a missed one fails
FRESH: Final = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))


def mart_assets(scope: Scope, manifest: Manifest) -> list[dg.AssetsDefinition]:
    """The dbt step, the publish step and the report of this manifest."""
    nodes = {unique_id: node for unique_id, node in manifest["nodes"].items() if node["resource_type"] in KINDS}
    # ats.jobs and ats_history.jobs are both loaded by ats/jobs
    keys = {unique_id: scope.key(f"ats/{source['name']}") for unique_id, source in manifest["sources"].items()}
    keys |= {unique_id: scope.key(f"{node['schema']}/{node['name']}") for unique_id, node in nodes.items()}
    specs = [_spec(scope, unique_id, node, keys) for unique_id, node in nodes.items()]
    marts = [spec.key for spec in specs if spec.group_name == scope.group(MARTS)]
    report = [_report_asset(scope)] if can_draw() else []
    return [_build_asset(scope, manifest, specs, keys), _publish_asset(scope, marts), *report]


def _spec(scope: Scope, unique_id: str, node: Manifest, keys: Mapping[str, dg.AssetKey]) -> dg.AssetSpec:
    """The asset of a dbt model or seed, with its columns and code.

    dagster-dbt would do the same, but takes 2 s of imports in every process.
    """
    said, code = node["description"], node["raw_code"]
    columns = [dg.TableColumn(c["name"], c["data_type"] or "?", c["description"]) for c in node["columns"].values()]
    return dg.AssetSpec(
        keys[unique_id],
        deps=sorted({keys[parent] for parent in node["depends_on"].get("nodes", ())}),
        description=f"{said}\n\n```sql\n{code}\n```" if code else said,
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/table_name": f"{node['schema']}.{node['alias']}",
        },
        group_name=scope.group(GROUPS[node["schema"]]),
        tags={"subject": subject_of(node)},
        kinds={"dbt", "duckdb", node["config"]["materialized"]},
        freshness_policy=FRESH if GROUPS[node["schema"]] == MARTS else None,
    )


def _build_asset(
    scope: Scope, manifest: Manifest, specs: Sequence[dg.AssetSpec], keys: Mapping[str, dg.AssetKey]
) -> dg.AssetsDefinition:
    tests = data_tests(manifest)

    @dg.multi_asset(
        description="Build every dbt model and run every dbt test, in this process. It does all, whatever is selected, "
        "because all marts of a file describe one instant, and tells of what is selected.",
        specs=specs,
        check_specs=check_specs(scope, tests.values()),
        can_subset=True,
        **scope.step("build"),
    )
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        """Run dbt and report each selected node."""
        with step():
            settings = scope.of(context)
            built = pipeline.model(settings)
            pictures = pipeline.pictures(settings)
        for node in built.nodes:
            if node.unique_id in built.rows and (key := keys[node.unique_id]) in context.selected_asset_keys:
                picture = pictures.get(node.unique_id.split(".")[-1])
                figures = {"rows": built.rows[node.unique_id], "seconds": node.seconds, "picture": picture}
                yield dg.MaterializeResult(asset_key=key, metadata=metadata_of(figures))
            elif (
                (test := tests.get(node.unique_id))
                and node.status != "skipped"
                and dg.AssetCheckKey(scope.key(test.about), test.name) in context.selected_asset_check_keys
            ):
                yield check_result(scope.key(test.about), finding_of(node, test))
        with step():
            pipeline.refuse_failed(built.nodes)

    return dbt_models


def _file(scope: Scope, path: str, deps: Sequence[dg.AssetKey], kind: str) -> Callable[..., dg.AssetsDefinition]:
    """The asset of a published file."""
    return dg.asset(
        key=scope.key(path),
        deps=deps,
        kinds={kind},
        group_name=scope.group("published"),
        freshness_policy=FRESH,
        pool=scope.pool,
        partitions_def=scope.partitions,
        required_resource_keys={scope.resource},
    )


def _publish_asset(scope: Scope, marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @_file(scope, PUBLISHED, marts, "duckdb")
    def publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        """published/recruiting.duckdb: the marts of a build that passed its tests. Open readers keep the old file."""
        with step() as cost:
            published = pipeline.publish_modelled(scope.of(context))
        tables = [dg.TableRecord({"table": table.name, "rows": table.rows}) for table in published.tables]
        figures = {"path": published.path, "bytes": published.n_bytes, "rows": published.n_rows, **cost}
        return dg.MaterializeResult(metadata=metadata_of(figures) | {"tables": dg.MetadataValue.table(tables)})

    return publish


def _report_asset(scope: Scope) -> dg.AssetsDefinition:
    @_file(scope, REPORT, [scope.key(PUBLISHED)], "html")
    def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        """published/report.html: one page with charts of the shared marts. It loads nothing else and can be mailed."""
        with step() as cost:
            written = pipeline.report(scope.of(context))
        figures = metadata_of({"bytes": written.n_bytes, "sections": ", ".join(written.sections), **cost})
        return dg.MaterializeResult(metadata={"report": dg.MetadataValue.url(written.path.as_uri())} | figures)

    return report
