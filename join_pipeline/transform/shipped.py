"""What dbt made of this release's project with the usual settings, shipped: a first build needs no dbt.

dbt takes thirteen CPU seconds to parse the project and to build it once, whatever the size of the company. The files
beside this one spare each new data folder that. They hold for the project whose digest they name and for the usual
variables. A CSV file of the user's own changes models of its own; what these are with it is shipped, too. With any
other setting or project, dbt parses and compiles.
Belongs here: the files, when they hold, and what of dbt's manifest is kept. Not here: making them (ship.py),
where they are copied to (run).
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.transform.compiled import Compiled, Made
from join_pipeline.transform.data_tests import DataTest

FOLDER: Final = Path(str(resources.files("join_pipeline"))) / "transform" / "shipped"
MANIFEST: Final = FOLDER / "manifest.json"
STATEMENTS: Final = FOLDER / "statements.json"
READ_BY_DBT: Final = frozenset({".sql", ".yml", ".csv", ".py", ".md"})
NOT_OF_THE_PROJECT: Final = frozenset({"target", "logs", "dbt_packages", "__pycache__"})

OF_NODE: Final = (
    *("name", "resource_type", "unique_id", "schema", "alias", "fqn", "description", "raw_code"),
    *("attached_node", "test_metadata", "original_file_path"),
)
OF_CONFIG: Final = ("materialized", "severity", "store_failures", "column_types", "meta")
OF_COLUMN: Final = ("name", "description", "data_type")


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """The statements, and what they hold for: digests of the project and of the variables but for CSV files.

    `with_file` has, by the variable that names a file, the nodes that such a file changes.
    """

    project: str
    variables: str
    made: list[Made]
    tests: list[DataTest]
    with_file: dict[str, list[Made]]


def digest_of(project: Path) -> str:
    """A digest of the files that dbt reads, the same in a checkout and in a wheel."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if path.suffix in READ_BY_DBT and NOT_OF_THE_PROJECT.isdisjoint(inside.parts) and path.is_file():
            digest.update(f"{inside.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def shipped(project: str, variables: str, files: Iterable[str]) -> tuple[Compiled, bytes] | None:
    """The statements and the manifest for these digests, where `files` are the variables that name a user's file.

    None if what is shipped is of another project or for other variables.
    """
    try:
        found = msgspec.json.decode(STATEMENTS.read_bytes(), type=Shipped)
        manifest = MANIFEST.read_bytes()
    except (OSError, msgspec.DecodeError):
        return None
    if (found.project, found.variables) != (project, variables):
        return None
    own = {one.unique_id: one for name in files for one in found.with_file.get(name, ())}
    return Compiled([own.get(one.unique_id, one) for one in found.made], found.tests), manifest


def kept_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What of dbt's manifest this package reads: a third of it, without this machine's paths and the time.

    It is sorted, because dbt's order differs from process to process.
    """
    return {
        "nodes": {unique_id: _kept_of(node) for unique_id, node in sorted(manifest["nodes"].items())},
        "sources": {unique_id: {"name": one["name"]} for unique_id, one in sorted(manifest["sources"].items())},
        "parent_map": _of_data(manifest["parent_map"]),
        "child_map": _of_data(manifest["child_map"]),
    }


def _kept_of(node: Mapping[str, Any]) -> dict[str, Any]:
    columns = {
        name: _picked(column, OF_COLUMN) | {"config": {"meta": column["config"]["meta"]}}
        for name, column in node["columns"].items()
    }
    return _picked(node, OF_NODE) | {
        "columns": columns,
        "config": _picked(node["config"], OF_CONFIG),
        "depends_on": {"nodes": sorted(node["depends_on"].get("nodes", []))},
    }


def _picked(described: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: described[name] for name in names if name in described}


def _of_data(links: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Links between nodes that a build makes: unit tests check no data, and exposures only say who reads what."""
    left_out = ("unit_test.", "exposure.")
    return {
        name: sorted(other for other in others if not other.startswith(left_out))
        for name, others in sorted(links.items())
        if not name.startswith(left_out)
    }
