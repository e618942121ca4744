"""dbt's data tests as its manifest tells them: what each is about, and what it says.

Belongs here: reading the manifest. Not here: running tests (marts), showing them (defs).
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DataTest:
    """A data test. `about` is the unique id of a model, seed or source; one that `stops` keeps a build back."""

    name: str
    about: str
    doc: str
    stops: bool


def data_tests(manifest: Manifest) -> dict[str, DataTest]:
    """The project's data tests by unique id. Unit tests are none: they look at no data."""
    return {
        unique_id: DataTest(node["name"], _about(manifest, node), _doc(node), _stops(node))
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "test"
    }


def _about(manifest: Manifest, test: Manifest) -> str:
    """What the test is declared on; a test of several models is about the one that comes last."""
    declared: str | None = test.get("attached_node")
    return declared or max(test["depends_on"]["nodes"], key=lambda parent: (len(_ancestors(manifest, parent)), parent))


def _ancestors(manifest: Manifest, unique_id: str) -> set[str]:
    parents = set(manifest["parent_map"].get(unique_id, ()))
    return parents.union(*(_ancestors(manifest, parent) for parent in parents))


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
