"""Runs dbt over a warehouse, in this process, as the pipeline does.

Belongs here: the profile, the runner, and reading what was built. Not here: what the warehouse holds (company).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from join_pipeline_tests.dbt.company import PROJECT


@dataclass
class Build:
    """A warehouse that dbt has built, or tried to."""

    path: Path
    success: bool
    failures: list[str]
    seconds: dict[str, float]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The query's rows, times in UTC."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            result = connection.execute(sql)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def row(self, sql: str) -> dict[str, Any]:
        """The query's one row."""
        (row,) = self.rows(sql)
        return row


def dbt(folder: Path, *command: str, variables: Mapping[str, Any] | None = None, memory_limit: str = "1GB") -> Build:
    """Run a dbt command on `folder`/warehouse.duckdb; profile, target and logs lie in `folder` too."""
    path = folder / "warehouse.duckdb"
    output = {
        "type": "duckdb",
        "path": str(path),
        "threads": 1,  # as the package has it: a second one waits for the first one's Python
        "keep_open": False,
        "settings": {"TimeZone": "UTC", "memory_limit": memory_limit},
    }
    profile = {"join_pipeline": {"target": "warehouse", "outputs": {"warehouse": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    given = yaml.safe_dump(dict(variables or {}))
    arguments = [
        *("--project-dir", str(PROJECT)),
        *("--profiles-dir", str(folder)),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
        *("--vars", given),
        *("--log-level-file", "none"),  # a quarter of the time of a small build
        "--no-write-json",
        "--quiet",
    ]
    # a copy: dbt writes compiled SQL into it
    runner = dbtRunner(manifest=_parsed(given, arguments).deepcopy())
    # held open, the file is not checkpointed and opened anew for each model
    with duckdb.connect(str(path)):
        result = runner.invoke([*command, *arguments])
    if result.exception:
        raise result.exception
    results = list(getattr(result.result, "results", []))
    failures = [f"{one.node.name}: {one.message}" for one in results if one.status in {"error", "fail", "skipped"}]
    return Build(path, result.success, failures, {one.node.unique_id: one.execution_time for one in results})


PARSED: dict[str, Manifest] = {}


def _parsed(variables: str, arguments: Sequence[str]) -> Manifest:
    """The project with these variables, parsed once for all warehouses: of the profile it has the file's name only."""
    if variables not in PARSED:
        result = dbtRunner().invoke(["parse", *arguments])
        if result.exception:
            raise result.exception
        PARSED[variables] = result.result
    return PARSED[variables]
