"""dbt's own SQL on a lake, without dbt: compiled once per process, and run in memory.

Belongs here: compiling models with all that they need, and running them. Not here: what is asked of them.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Literal

import duckdb
import yaml
from dbt.cli.main import dbtRunner

from join_pipeline.lake.lake import open_lake
from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import source_of
from join_pipeline.transform.run import project_dir
from join_pipeline.warehouse.load import load_versions

KEY = b"a key for tests only"


COMPILED = ("fct_application_stage_event", "fct_time_to_hire", "fct_stage_visit")
"""All that anybody asks for: to compile takes seconds, most of them whatever is compiled."""


@contextlib.contextmanager
def modelled(lake: Path, *models: str, kind: Literal["TABLE", "VIEW"] = "VIEW") -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory with these models. Views where little is asked of them, tables where much is."""
    nodes, parents = _compiled()
    wanted = [name for name, node in nodes.items() if node.name in models]
    needed: set[str] = set()
    while wanted:
        name = wanted.pop()
        needed.add(name)
        wanted += parents[name]
    with contextlib.closing(duckdb.connect()) as con:
        opened = open_lake(lake)
        states = source_of(opened.source, load_settings()).application_states
        load_versions(opened, con, KEY, lake / "no warehouse before", states)
        for schema in {nodes[name].schema for name in needed}:
            con.execute(f"CREATE SCHEMA {schema}")
        for name in TopologicalSorter({name: parents[name] for name in needed}).static_order():
            con.execute(_statement(nodes[name], kind))
        con.execute("SET TimeZone = 'UTC'")
        yield con


@cache
def _compiled() -> tuple[dict[str, Any], dict[str, list[str]]]:
    """dbt's nodes by their unique id, with their SQL, and what each needs."""
    with tempfile.TemporaryDirectory(prefix="compiled-") as folder:
        profile = {"type": "duckdb", "path": ":memory:", "threads": 1}
        text = yaml.safe_dump({"join_pipeline": {"target": "memory", "outputs": {"memory": profile}}})
        (Path(folder) / "profiles.yml").write_text(text)
        result = dbtRunner().invoke(
            [
                "--no-write-json",
                *("compile", "--select", *(f"+{model}" for model in COMPILED)),
                *("--log-level", "none", "--log-level-file", "none"),
                *("--project-dir", str(project_dir()), "--profiles-dir", folder),
                *("--target-path", f"{folder}/target", "--log-path", folder),
            ]
        )
    if result.exception:
        raise result.exception
    nodes: dict[str, Any] = {one.node.unique_id: one.node for one in result.result.results}
    made = {name: node for name, node in nodes.items() if node.resource_type in {"model", "seed"}}
    parents = {
        name: [parent for parent in getattr(node.depends_on, "nodes", ()) if parent in made]
        for name, node in made.items()
    }
    return made, parents


def _statement(node: Any, kind: str) -> str:
    if node.resource_type == "seed":
        return f"CREATE TABLE {node.relation_name} AS FROM read_csv('{project_dir() / node.original_file_path}')"
    return f"CREATE {kind} {node.relation_name} AS {node.compiled_code}"
