"""dbt's data tests as checks and findings, read from its manifest.

Belongs here: which table a test is about, its message, and the subject of each node. Not here: running tests (run),
showing them (defs).
"""

import graphlib
import itertools
from collections.abc import Mapping
from typing import Any, Final

from join_pipeline.checks.finding import Check, Finding, Verdict
from join_pipeline.transform.run import Node

Manifest = Mapping[str, Any]

ADVICE: Final = (
    "Run `join-pipeline rebuild`: it builds everything again from the lake. A test that fails again shows a bug of "
    "join-pipeline. Report the test's name and number of rows; its query is in builds/dbt/target/compiled."
)
"""What to do about a failed test. The tests check promises of the SQL that hold for any data of the source."""

WORDS: Final = {
    "unique_key": "no two rows have the same {columns}, and none of these is null",
    "ordered_instants": "{instants}: the best guess lies between its bounds, and none is later than the last sync",
    "relationships": "each {column_name} is a {field} of {to}",
    "not_null": "{column_name} is never null",
    "unique": "no two rows have the same {column_name}",
    "accepted_values": "{column_name} is one of {values}",
}
"""What each generic test demands, by its name and with its arguments."""


def subject_of(node: Manifest) -> str:
    """The subject of a dbt model or seed: its folder among the marts, else its schema; `maps` for the seeds."""
    if node["resource_type"] == "seed":
        return "maps"
    subject: str = node["fqn"][-2] if node["schema"] == "recruiting" else node["schema"]
    return subject


def data_tests(manifest: Manifest) -> dict[str, Check]:
    """The data tests of dbt models and seeds, by unique id. Unit tests are left out, because they check no data."""
    ancestors, nodes = _ancestors(manifest), manifest["nodes"]
    return {
        unique_id: Check(f"{nodes[about]['schema']}/{nodes[about]['name']}", node["name"], _doc(node), _stops(node))
        for unique_id, node in nodes.items()
        if node["resource_type"] == "test" and (about := _about(manifest, node, ancestors))
    }


def finding_of(node: Node, test: Check) -> Finding:
    """The result of a data test as a finding. A failed test is grave: nothing is published until it passes.

    Its message says what should hold, what dbt found and what to do. A warning keeps its own message.
    """
    message = node.message
    if node.is_failed:
        message = f"{test.doc.rstrip('.')}: not true. {node.message}. Nothing is published until it passes. {ADVICE}"
    is_ok = node.status == "pass"
    verdict: Verdict = "ok" if is_ok else "failed" if node.is_failed else "warning"
    figures = {"failing_rows": node.failures or 0, "seconds": node.seconds}
    return Finding(test.name, verdict, "" if is_ok else message, node.unique_id, figures)


def _about(manifest: Manifest, test: Manifest, ancestors: Mapping[str, set[str]]) -> str | None:
    """The dbt model that the test is declared on, else the last that it reads. A source counts as its first reader."""
    declared = test.get("attached_node")
    models = [
        model
        for parent in ([declared] if declared else test["depends_on"]["nodes"])
        for model in ([parent] if parent in manifest["nodes"] else _readers(manifest, parent)[:1])
    ]
    return max(models, key=lambda model: (len(ancestors[model]), model), default=None)


def _readers(manifest: Manifest, source: str) -> list[str]:
    """The dbt models that read a source: its own staging model first, then by how many dbt models read them."""
    own = f"__{source.rsplit('.', maxsplit=1)[-1]}"
    return sorted(
        _models_after(manifest, source),
        key=lambda model: (not model.endswith(own), -len(_models_after(manifest, model)), model),
    )


def _models_after(manifest: Manifest, unique_id: str) -> list[str]:
    return [child for child in manifest["child_map"][unique_id] if child.startswith("model.")]


def _ancestors(manifest: Manifest) -> dict[str, set[str]]:
    """All ancestors of each node."""
    parents: Mapping[str, list[str]] = manifest["parent_map"]
    found: dict[str, set[str]] = {}
    order: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(parents)
    for unique_id in order.static_order():  # each parent before its children
        of = parents.get(unique_id, ())
        found[unique_id] = set(of).union(*(found[parent] for parent in of))
    return found


def _doc(test: Manifest) -> str:
    """The test's description, else the comment at the start of its SQL, else what its kind says of its arguments."""
    comment = itertools.takewhile(lambda line: line.startswith("--"), test["raw_code"].splitlines())
    said: str = test["description"] or " ".join(line.removeprefix("--").strip() for line in comment)
    return said or _in_words(test)


def _in_words(test: Manifest) -> str:
    """What a generic test demands, as a sentence. One that nobody gave words says its name."""
    generic = test.get("test_metadata") or {"name": test["name"], "kwargs": {}}
    words = WORDS.get(generic["name"])
    if words is None:
        return f"The test {generic['name'].replace('_', ' ')} holds"
    arguments = {name: _listed(name, value) for name, value in generic["kwargs"].items()}
    said = words.format_map(arguments)
    return said[0].upper() + said[1:]


def _listed(name: str, value: object) -> str:
    """An argument of a generic test as text: names with commas, `ref('dim_job')` as dim_job."""
    if isinstance(value, list):
        *before, last = (f"{one}".replace("_", " ") if name == "instants" else f"{one}" for one in value)
        return f"{', '.join(before)} and {last}" if before else last
    return str(value).removeprefix("ref('").removesuffix("')")


def _stops(test: Manifest) -> bool:
    severity: str = test["config"]["severity"]
    return severity.lower() == "error"
