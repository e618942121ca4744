"""What dbt made of the project, kept: its statements for each seed and model, played without dbt.

dbt takes two seconds to start, one to read what it parsed, and some forty milliseconds for a node, whatever the size of
the company. So the first build of a project keeps what dbt sent to the database. Later builds, of every company with
the same variables, ask the database only. What does not succeed at once is left to dbt, which tells what is wrong.
Belongs here: hearing the statements, keeping and playing them. Not here: any SQL (dbt_project), when they count (run).
"""

import contextlib
import graphlib
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.errors import pass_interruption
from join_pipeline.lake.files import write_whole
from join_pipeline.transform.data_tests import DataTest, compiled_tests

STATEMENT: Final = "SQLQuery"
"""dbt's event that a statement is sent."""
SEED: Final = "seed"
PROJECT: Final = "{{project}}"
"""The mark that stands for the folder of the dbt project."""
KINDS: Final = {"table", "view", SEED}
_BEFORE: Final = re.compile(r'\s*(?:/\*.*?\*/)?\s*(?:drop (?:table|view) "[^;]*";)?', re.DOTALL)
"""What comes before a node's own statement: a comment of dbt's, and the end of what an earlier build made."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A seed or model as dbt made it. `code` is Python for a model of that language, else SQL."""

    unique_id: str
    schema: str
    name: str
    message: str
    code: str
    is_python: bool = False

    @property
    def kind(self) -> str:
        return self.unique_id.partition(".")[0]

    @property
    def relation(self) -> str:
        return f'"{self.schema}"."{self.name}"'


class Compiled(msgspec.Struct, frozen=True):
    """All seeds and models in the order in which they can be made, and all data tests."""

    made: list[Made]
    tests: list[DataTest]


class Heard:
    """The last statement that dbt sent for each node, but for those that begin and end a transaction."""

    def __init__(self) -> None:
        self.statements: dict[str, str] = {}

    def hear(self, event: Any) -> None:
        """Hear an event of dbt's."""
        if event.info.name == STATEMENT and event.data.sql not in {"BEGIN", "COMMIT"}:
            self.statements[event.data.node_info.unique_id] = event.data.sql


def compiled(
    con: duckdb.DuckDBPyConnection, results: Sequence[Any], heard: Heard, paths: Mapping[str, str]
) -> Compiled | None:
    """What can be kept of a build by dbt. None if it did not succeed, or if a node is of a kind that is not played.

    `paths` are texts of this company's own that the statements may have, each by the mark that takes its place.
    """
    nodes = _in_order([result.node for result in results if result.node.resource_type.value in {SEED, "model"}])
    tests = compiled_tests(results)
    is_good = all(result.status.value in {"success", "pass", "warn"} for result in results)
    if not is_good or tests is None or any(node.config.materialized not in KINDS for node in nodes):
        return None
    said = {result.node.unique_id: result.message for result in results}
    made = [
        Made(
            unique_id=node.unique_id,
            schema=node.schema,
            name=node.alias,
            message=said[node.unique_id] or "",
            code=_marked(_code(con, node, heard), paths),
            is_python=node.language == "python",
        )
        for node in nodes
    ]
    return Compiled(made, [msgspec.structs.replace(test, sql=_marked(test.sql, paths)) for test in tests])


def _in_order(nodes: Sequence[Any]) -> list[Any]:
    """Each node after those that it reads, the same order in every process. dbt's own order is not."""
    by_id = {node.unique_id: node for node in sorted(nodes, key=lambda node: str(node.unique_id))}
    read = {name: sorted(by_id.keys() & set(getattr(by_id[name].depends_on, "nodes", ()))) for name in by_id}
    return [by_id[name] for name in graphlib.TopologicalSorter(read).static_order()]


def _code(con: duckdb.DuckDBPyConnection, node: Any, heard: Heard) -> str:
    if node.language == "python":
        return str(node.compiled_code)
    if node.resource_type.value != SEED:
        return _BEFORE.sub("", heard.statements[node.unique_id], count=1)
    # dbt guesses the types of a seed's columns with a library of its own, and cuts its statements short when it tells
    columns = con.execute(
        """SELECT column_name, data_type FROM duckdb_columns()
        WHERE schema_name = ? AND table_name = ? ORDER BY column_index""",
        [node.schema, node.alias],
    ).fetchall()
    typed = ", ".join(f'"{name}" {kind}' for name, kind in columns)
    table = f'"{node.schema}"."{node.alias}"'
    return (
        f"CREATE TABLE {table} ({typed}); COPY {table} FROM '{PROJECT}/{node.original_file_path}' (FORMAT csv, HEADER)"
    )


def keep(path: Path, made: Compiled, own: Iterable[str]) -> None:
    """Keep it for later builds of all companies, unless a text of this company's own is left in it."""
    content = msgspec.json.encode(made)
    if not any(text.encode() in content for text in own):
        write_whole(path, content)


def kept(path: Path, paths: Mapping[str, str]) -> Compiled | None:
    """What was kept, with this company's own paths; None if there is none."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Compiled)
    except (OSError, msgspec.DecodeError):
        return None
    return Compiled(
        [msgspec.structs.replace(one, code=_unmarked(one.code, paths)) for one in found.made],
        [msgspec.structs.replace(test, sql=_unmarked(test.sql, paths)) for test in found.tests],
    )


def play(
    con: duckdb.DuckDBPyConnection, made: Sequence[Made], on_node: Callable[[int], object] = lambda _n: None
) -> dict[str, float] | None:
    """Make all seeds and models, and return the seconds of each by its id. None at the first that can't be made."""
    there = {
        f'"{schema}"."{name}"': kind
        for schema, name, kind in con.execute(
            """SELECT schema_name, table_name, 'TABLE' FROM duckdb_tables()
            UNION ALL SELECT schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal"""
        ).fetchall()
    }
    seconds = {}
    try:
        for schema in {one.schema for one in made}:
            con.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        for n, one in enumerate(made):
            on_node(n)
            began = time.monotonic()
            con.execute("BEGIN")
            if one.relation in there:
                con.execute(f"DROP {there[one.relation]} {one.relation}")
            _make(con, one)
            con.execute("COMMIT")
            seconds[one.unique_id] = round(time.monotonic() - began, 3)
    except Exception as error:  # whatever a model of Python raises: dbt does it again, and tells what is wrong
        pass_interruption(error)
        with contextlib.suppress(duckdb.Error):  # none was begun
            con.execute("ROLLBACK")
        return None
    return seconds


def _make(con: duckdb.DuckDBPyConnection, one: Made) -> None:
    if not one.is_python:
        con.execute(one.code)
        return
    module = ModuleType(one.name)
    exec(compile(one.code, f"{one.name}.py", "exec"), module.__dict__)  # noqa: S102  a model of this project
    rows = module.model(module.dbtObj(lambda table: con.query(f"SELECT * FROM {table}")), con)
    rows.create(f"{one.schema}.{one.name}")


def _marked(text: str, paths: Mapping[str, str]) -> str:
    for mark, path in paths.items():
        text = text.replace(path, mark)
    return text


def _unmarked(text: str, paths: Mapping[str, str]) -> str:
    for mark, path in paths.items():
        text = text.replace(mark, path)
    return text
