"""dbt's data tests as its manifest tells them: what each is about, and what it says.

Belongs here: reading the manifest. Not here: running tests (marts), showing them (defs).
"""

import graphlib
import itertools
from collections.abc import Mapping
from typing import Any, Final

from join_pipeline.checks.finding import Check, Finding, Verdict
from join_pipeline.transform.run import Node

Manifest = Mapping[str, Any]

ADVICE: Final = (
    "Run `join-pipeline rebuild`: it makes everything right of the lake anew. What fails again is a fault of "
    "join-pipeline: report the test's name and number of rows; its query is in builds/dbt/target/compiled."
)
"""What to do about a failed test: they hold what the SQL promises, whatever the source sent."""


def data_tests(manifest: Manifest) -> dict[str, Check]:
    """The data tests that are about a model or seed, by unique id. Unit tests are none: they look at no data."""
    ancestors, nodes = _ancestors(manifest), manifest["nodes"]
    return {
        unique_id: Check(f"{nodes[about]['schema']}/{nodes[about]['name']}", node["name"], _doc(node), _stops(node))
        for unique_id, node in nodes.items()
        if node["resource_type"] == "test" and (about := _about(manifest, node, ancestors))
    }


def finding_of(node: Node, test: Check) -> Finding:
    """What came of a data test, as a finding. A failed one is grave: nothing is published until it passes.

    The message says what should be so, what was found and what to do; a warning's own already does.
    """
    message = node.message
    if node.is_failed:
        message = f"{test.doc.rstrip('.')}: not so. {node.message}. Nothing is published until it passes. {ADVICE}"
    is_ok = node.status == "pass"
    verdict: Verdict = "ok" if is_ok else "failed" if node.is_failed else "warning"
    figures = {"failing_rows": node.failures or 0, "seconds": node.seconds}
    return Finding(test.name, verdict, "" if is_ok else message, node.unique_id, figures)


def _about(manifest: Manifest, test: Manifest, ancestors: Mapping[str, set[str]]) -> str | None:
    """The model that the test is declared on, or the last of those it reads. A source stands for its first reader."""
    declared = test.get("attached_node")
    models = [
        model
        for parent in ([declared] if declared else test["depends_on"]["nodes"])
        for model in ([parent] if parent in manifest["nodes"] else _readers(manifest, parent)[:1])
    ]
    return max(models, key=lambda model: (len(ancestors[model]), model), default=None)


def _readers(manifest: Manifest, source: str) -> list[str]:
    """The models that read a source, those first that most others read in turn."""
    return sorted(_models_after(manifest, source), key=lambda model: (-len(_models_after(manifest, model)), model))


def _models_after(manifest: Manifest, unique_id: str) -> list[str]:
    return [child for child in manifest["child_map"][unique_id] if child.startswith("model.")]


def _ancestors(manifest: Manifest) -> dict[str, set[str]]:
    """All that each node comes from."""
    parents: Mapping[str, list[str]] = manifest["parent_map"]
    found: dict[str, set[str]] = {}
    order: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(parents)
    for unique_id in order.static_order():  # each parent before its children
        of = parents.get(unique_id, ())
        found[unique_id] = set(of).union(*(found[parent] for parent in of))
    return found


def _doc(test: Manifest) -> str:
    """Its description, the comment that its SQL begins with, or its name and arguments."""
    comment = itertools.takewhile(lambda line: line.startswith("--"), test["raw_code"].splitlines())
    generic = test.get("test_metadata") or {"name": test["name"], "kwargs": {}}
    arguments = {name: value for name, value in generic["kwargs"].items() if name != "model"}
    said: str = test["description"]
    return said or " ".join(line.removeprefix("--").strip() for line in comment) or f"{generic['name']} {arguments}"


def _stops(test: Manifest) -> bool:
    severity: str = test["config"]["severity"]
    return severity.lower() == "error"
