"""What Dagster shows of our types: errors, checks and their findings, figures, columns. Not here: any step."""

import base64
import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from join_pipeline.checks.finding import Check, Finding
from join_pipeline.component.scope import Scope
from join_pipeline.faults import told
from join_pipeline.lake.patience import waiting
from join_pipeline.models import Column
from join_pipeline.warehouse.lineage import Described


@contextlib.contextmanager
def step() -> Iterator[dict[str, Any]]:
    """Run a step and measure its seconds. Any error fails it with a message of ours alone, and without a retry."""
    cost: dict[str, Any] = {}
    start = time.monotonic()
    try:
        with waiting((context := dg.OpExecutionContext.get()).log.info):
            yield cost
    except Exception as error:  # Dagster would show a library's message, which can quote a payload
        raise dg.Failure(description=told(error, context.resources), allow_retries=False) from None
    cost["step_seconds"] = round(time.monotonic() - start, 1)


def metadata_of(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as Dagster's metadata by name. `rows` gets Dagster's name, bytes become a picture, None is left out."""
    shown: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, datetime):
            shown[name] = dg.MetadataValue.timestamp(value)
        elif isinstance(value, bytes):
            shown[name] = dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(value).decode()})")
        elif isinstance(value, Path):
            shown[name] = dg.MetadataValue.path(value)
        elif value is not None:
            shown["dagster/row_count" if name == "rows" else name] = value
    return shown


def check_specs(scope: Scope, checks: Iterable[Check]) -> list[dg.AssetCheckSpec]:
    """Our checks as Dagster's."""
    return [
        dg.AssetCheckSpec(check.name, asset=scope.key(check.about), description=check.doc, blocking=check.stops)
        for check in checks
    ]


def check_results(scope: Scope, about: str, findings: Iterable[Finding]) -> list[dg.AssetCheckResult]:
    """The findings about one asset as Dagster's results."""
    return [check_result(scope.key(about), finding) for finding in findings if finding.about == about]


def check_result(asset_key: dg.AssetKey, finding: Finding) -> dg.AssetCheckResult:
    """A finding as Dagster's result: a grave one with severity error, any other with severity warning."""
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=finding.check,
        passed=finding.is_ok,
        severity=dg.AssetCheckSeverity.ERROR if finding.is_grave else dg.AssetCheckSeverity.WARN,
        description=finding.message or None,
        metadata=finding.figures,
    )


def asset_specs(scope: Scope, described: Iterable[Described], group: str, *kinds: str) -> list[dg.AssetSpec]:
    """The results of a step as Dagster's assets, and their columns with type, meaning and tier."""
    return [
        dg.AssetSpec(
            scope.key(one.path),
            deps=[scope.key(source) for source in one.sources],
            description=one.doc,
            metadata={"dagster/column_schema": _schema(one.columns)} if one.columns else None,
            group_name=scope.group(group),
            kinds=set(kinds),
            skippable=group == "warehouse" and scope.file is not None,  # if one of many companies has not changed
        )
        for one in described
    ]


def owned(scope: Scope, spec: dg.AssetSpec) -> dg.AssetSpec:
    """With its owner. Dagster's sensor that makes assets again when their sources were is off until switched on."""
    follows = dg.AutomationCondition.eager() if spec.deps and spec.group_name != scope.group("models") else None
    return spec.replace_attributes(owners=[f"team:{scope.settings.team}"], automation_condition=follows)


def _schema(columns: Iterable[Column]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(c.name, str(c.type), c.doc, tags={"tier": str(c.tier)}) for c in columns])
