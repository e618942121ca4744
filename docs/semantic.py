"""The semantic model for MetricFlow: the metrics of `metric_definition` that are counts, ratios or medians of facts.

Belongs here: which facts, dimensions and measures stand for which metric. Not here: their words (the seed
metric_definition), writing the file (make). Curves, forecasts and quantiles with open stays are estimates; no semantic
layer computes them, so they are not in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

HEAD = """# The semantic model for MetricFlow. Made by `make generated` from docs/semantic.py and metric_definition.
# It is about facts, so it is for analysts: its groups may be small. docs/analysts.md says how to use it.
"""
RESOLVED = "status in ('HIRED', 'DECLINED', 'VANISHED')"


@dataclass(frozen=True)
class Facts:
    """A table of facts: what a row is called, its key and day, and the columns by which its measures are told apart.

    No two share the name of a row: MetricFlow would find two ways to a column that both have.
    """

    table: str
    entity: str
    key: str
    day: str
    dimensions: tuple[str, ...]
    day_expr: str | None = None


@dataclass(frozen=True)
class Measure:
    """A number of a table of facts, and the metric whose words tell what it is. `part` says which part of it."""

    metric: str
    facts: str
    agg: str
    expr: str
    part: str


@dataclass(frozen=True)
class Ratio:
    """A quotient of two measures, which is a metric of its own."""

    metric: str
    numerator: str
    denominator: str


FACTS = {
    "applications": Facts(
        "fct_application",
        "application",
        "application_key",
        "applied_on",
        ("status", "source", "milestone", "qualified"),
    ),
    "waiting": Facts(
        "mart_pipeline_ageing",
        "waiting",
        "application_key",
        "applied_day",
        ("milestone", "source", "is_in_closed_job"),
        day_expr="cast(applied_at as date)",
    ),
    "hires": Facts("fct_time_to_hire", "hire", "application_key", "hired_on", ("source", "is_historic")),
}
MEASURES = {
    "n_applications": Measure("status", "applications", "count", "application_key", "all applications"),
    "n_hired": Measure("status", "applications", "sum_boolean", "status = 'HIRED'", "those hired"),
    "n_resolved": Measure("status", "applications", "sum_boolean", RESOLVED, "those hired, declined or vanished"),
    "n_qualified": Measure(
        "qualified", "applications", "sum_boolean", "qualified = 'QUALIFIED'", "those called qualified"
    ),
    "n_qualification_known": Measure(
        "qualified",
        "applications",
        "sum_boolean",
        "qualified in ('QUALIFIED', 'NOT_QUALIFIED')",
        "those called one or the other",
    ),
    "n_open": Measure("in_stage_now", "waiting", "count", "application_key", "open applications"),
    "n_in_closed_job": Measure("in_closed_job", "waiting", "sum_boolean", "is_in_closed_job", "those in a closed job"),
    "n_in_open_job": Measure("stuck", "waiting", "sum_boolean", "not is_in_closed_job", "those in an open job"),
    "n_stuck": Measure("stuck", "waiting", "sum_boolean", "is_stuck", "those stuck"),
    "days_to_hire_p50": Measure(
        "time_to_hire",
        "hires",
        "median",
        "case when not is_historic then days_to_hire end",
        "median of hires since the first sync",
    ),
}
RATIOS = {
    "hire_rate": Ratio("hire_rate", "n_hired", "n_resolved"),
    "share_qualified": Ratio("qualified", "n_qualified", "n_qualification_known"),
    "share_stuck": Ratio("stuck", "n_stuck", "n_in_open_job"),
}


def semantic_file(definitions: list[dict[str, str]]) -> str:
    """The YAML, with the words of the definitions."""
    said = {row["id"]: row for row in definitions}
    content = {
        "semantic_models": [_model(name, facts) for name, facts in FACTS.items()],
        "metrics": list(_metrics(said)),
        "models": [
            {
                "name": "semantic_day",
                "description": "One row per day, for MetricFlow.",
                "time_spine": {"standard_granularity_column": "date_on"},
                "columns": [{"name": "date_on", "granularity": "day"}],
            }
        ],
    }
    return HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=118)


def _model(name: str, facts: Facts) -> dict[str, Any]:
    day = {"name": facts.day, "type": "time", "type_params": {"time_granularity": "day"}}
    day |= {"expr": facts.day_expr} if facts.day_expr else {}
    key = {"name": facts.entity, "type": "primary", "expr": facts.key}
    return {
        "name": name,
        "model": f"ref('{facts.table}')",
        "defaults": {"agg_time_dimension": facts.day},
        "entities": [key, {"name": "job", "type": "foreign", "expr": "job_id"}],
        "dimensions": [day, *({"name": column, "type": "categorical"} for column in facts.dimensions)],
        "measures": [
            {
                "name": f"{measure}_of_facts",
                "agg": one.agg,
                "expr": one.expr,
                "config": {"meta": {"audience": "analyst"}},
            }
            for measure, one in MEASURES.items()
            if one.facts == name
        ],
    }


def _metrics(said: Mapping[str, dict[str, str]]) -> Iterator[dict[str, Any]]:
    for name, one in MEASURES.items():
        parameters: dict[str, Any] = {"measure": f"{name}_of_facts"}
        yield _metric(name, said[one.metric], one.part, "simple", parameters)
    for name, ratio in RATIOS.items():
        parameters = {"numerator": ratio.numerator, "denominator": ratio.denominator}
        yield _metric(name, said[ratio.metric], "", "ratio", parameters)


def _metric(name: str, words: dict[str, str], part: str, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    label = f"{words['name']}: {part}" if part else words["name"]
    return {
        "name": name,
        "label": label,
        "description": f"{words['formula']}. Counted: {words['inclusion']}. {words['caveat']}.",
        "type": kind,
        "type_params": parameters,
        "config": {"meta": {"audience": "analyst"}},
    }
