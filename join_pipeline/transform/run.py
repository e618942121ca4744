"""Builds of the marts: by what dbt compiled, which the package ships or the first build keeps.

Belongs here: the paths of the dbt project and of what is made of it, parsing, building, the result of each node. Not
here: how dbt is called (invoke), how statements are kept and played (compiled), what is shipped (shipped), any SQL
(dbt_project).
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.errors import BuildError, foreign, foreign_text
from join_pipeline.lake.files import make_folder, taking_turns, write_whole
from join_pipeline.settings import Settings
from join_pipeline.transform import compiled, data_tests, shipped
from join_pipeline.transform.consents import CHECK as CONSENTS
from join_pipeline.transform.consents import kept_without_consent
from join_pipeline.transform.figures import copy_tables, table_vars, unknown_names
from join_pipeline.transform.invoke import invoke, options, variables
from join_pipeline.transform.maps import copy_maps, map_vars, unmapped
from join_pipeline.transform.odd import ADVICE as ODD
from join_pipeline.transform.odd import odd_records

STARTS: Final = "LogStartLine"
"""dbt's event that a node begins. It has the node's number and how many there are."""
SKIPPED: Final = ("unit_test", "exposure")
"""Unit tests check the SQL on made-up rows: this package's own tests run them, and they cost a fifth of a build.
Exposures only say who reads what."""
# with its JSON, dbt would write the whole manifest again, which costs a tenth of a small build
BUILD: Final = ("build", "--no-write-json", "--exclude-resource-type")
PACKAGES: Final = ("join-pipeline", "dbt-core", "dbt-duckdb", "duckdb")
FAILED: Final = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class Node:
    """The result of one dbt node: a model, a seed or a test."""

    unique_id: str
    kind: str
    status: str
    seconds: float
    message: str
    failures: int | None

    @property
    def is_failed(self) -> bool:
        return self.status in FAILED


def project_dir() -> Path:
    """The dbt project: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(str(resources.files("join_pipeline")))
    bundled = package / "_dbt_project"
    return bundled if bundled.is_dir() else package.parent / "dbt_project"


def target_dir(settings: Settings) -> Path:
    """The folder that dbt writes to. It is outside of the project, which may be read-only."""
    return settings.builds / "dbt" / "target"


def ensure_manifest(settings: Settings) -> Path:
    """The path of the manifest. dbt parses the project once for all connections that give it the same variables, if
    what the package ships is not for these.

    Processes of several connections, and Dagster's, which load their definitions without a lock, take turns here.
    """
    with taking_turns(settings.compiled / "parse.lock"):
        return _ensure_manifest(settings)


def read_manifest(settings: Settings) -> dict[str, Any]:
    """The decoded manifest."""
    with taking_turns(settings.compiled / "parse.lock"):
        manifest: dict[str, Any] = msgspec.json.decode(_ensure_manifest(settings).read_bytes())
    return manifest


def forget_compiled(settings: Settings) -> None:
    """Forget what dbt made of the project with this connection's variables, so that it parses and compiles again.

    The folder stays, and is empty: what is shipped is put only where there is none.
    """
    folder = _compiled(settings)
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)


def _ensure_manifest(settings: Settings) -> Path:
    folder = _compiled(settings)
    manifest = folder / "manifest.json"
    if manifest.exists():
        return manifest
    if not folder.exists() and (ready := _shipped(settings)):
        statements, parsed = ready
        write_whole(folder / "compiled.json", msgspec.json.encode(statements))
    else:
        invoke(settings, project_dir(), target_dir(settings), ["parse"], lambda _event: None)
        whole = msgspec.json.decode((target_dir(settings) / "manifest.json").read_bytes())
        parsed = msgspec.json.encode(shipped.kept_of(whole))
    write_whole(manifest, parsed)
    _forget_others(settings)
    return manifest


def _shipped(settings: Settings) -> tuple[compiled.Compiled, bytes] | None:
    files = [name for name, path in _user_files(settings).items() if path]
    return shipped.shipped(shipped.digest_of(project_dir()), variables_digest(settings), files)


def _forget_others(settings: Settings) -> None:
    """Remove what was made of other releases' projects. It would only be in the way."""
    kept = _compiled(settings).parent
    for folder in settings.compiled.iterdir():
        if folder.is_dir() and folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


def build_marts(
    settings: Settings, select: Sequence[str] = (), on_node: Callable[[int, int], None] | None = None
) -> list[Node]:
    """Make seeds and models, and test them. A failed test is a node of the result and raises no error.

    If nothing is shipped for this project and these variables, the first build is dbt's. All others, of all
    connections, play what it compiled (`compiled`).
    `on_node` is called with the number of nodes that have ended, and of all.

    Raises `BuildError` if dbt could not run or a model failed, `SettingsError` if a user's file is faulty.
    """
    copy_maps(settings)
    copy_tables(settings)
    # after a killed build, the results of the one before must not count as its results
    _results(settings).unlink(missing_ok=True)
    ensure_manifest(settings)
    with _held_open(settings) as con:
        nodes = None if select else _played(settings, con, on_node)
        nodes = nodes or _built(settings, con, select, on_node)
    nodes = _naming(settings, nodes)
    write_whole(_results(settings), msgspec.json.encode(nodes))
    if broken := _broken(nodes):
        raise BuildError("dbt could not build " + "; ".join(f"{node.unique_id}: {node.message}" for node in broken))
    return nodes


def _built(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    select: Sequence[str],
    on_node: Callable[[int, int], None] | None,
) -> list[Node]:
    """A build by dbt. What it sent to the database is kept, if all of it went well."""
    heard = compiled.Heard()

    def hear(event: Any) -> None:
        heard.hear(event)
        if on_node and event.info.name == STARTS:
            on_node(event.data.index - 1, event.data.total)

    picked = ["--select", *select] if select else []
    results = invoke(settings, project_dir(), target_dir(settings), [*BUILD, *SKIPPED, *picked], hear)
    if not select and (made := compiled.compiled(con, results, heard, _paths(settings))):
        compiled.keep(_compiled(settings) / "compiled.json", made, (str(settings.home), str(project_dir())))
    return [_node(result) for result in results]


def _played(
    settings: Settings, con: duckdb.DuckDBPyConnection, on_node: Callable[[int, int], None] | None
) -> list[Node] | None:
    """A build of what was kept. None if nothing is, or if anything does not succeed: then dbt has to tell.

    The tests of loaded tables come first: what rests on one that fails could take for ever.
    """
    kept = compiled.kept(_compiled(settings) / "compiled.json", _paths(settings))
    if kept is None or not _is_well(data_tests.play(con, [test for test in kept.tests if test.is_of_sources])):
        return None
    of, tell = len(kept.made) + len(kept.tests), on_node or (lambda _done, _of: None)
    seconds = compiled.play(con, kept.made, lambda done: tell(done, of))
    if seconds is None:
        return None
    played = data_tests.play(con, kept.tests, lambda done: tell(len(kept.made) + done, of))
    if not _is_well(played):
        return None
    made = [
        Node(one.unique_id, one.kind, "success", seconds[one.unique_id], one.message, failures=None)
        for one in kept.made
    ]
    return made + [Node(kind="test", **msgspec.structs.asdict(one)) for one in played]


def _is_well(played: Sequence[data_tests.Played]) -> bool:
    return all(one.status not in FAILED for one in played)


def _broken(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.is_failed and node.kind in {"model", "seed"}]


def _naming(settings: Settings, nodes: list[Node]) -> list[Node]:
    """The nodes, where a warning lists the missing names or the odd records; dbt itself only counts them."""
    if all(node.status != "warn" for node in nodes):
        return nodes
    told = unmapped(settings.warehouse, "recruiting") | odd_records(settings.warehouse)
    told |= unknown_names(settings.warehouse, "recruiting") | kept_without_consent(settings.warehouse)
    return [
        replace(node, message=told.get(node.unique_id.split(".")[-1], node.message)) if node.status == "warn" else node
        for node in nodes
    ]


def last_build(settings: Settings) -> list[Node]:
    """The results of the last build. Raises `BuildError` if there is none or it did not finish."""
    if not _results(settings).exists():
        raise BuildError("The last build of the marts did not finish. Run `join-pipeline build` first.")
    return msgspec.json.decode(_results(settings).read_bytes(), type=list[Node])


def odd_in_last_build(settings: Settings) -> dict[str, str]:
    """What the last build said of odd records, by the test that warned; empty if no build is there that finished."""
    if not _results(settings).exists():
        return {}
    names = ((node.unique_id.split(".")[-1], node) for node in last_build(settings))
    return {name: node.message for name, node in names if name in {*ODD, CONSENTS} and node.status == "warn"}


def _node(result: Any) -> Node:
    """A node's result in our type, with dbt's words."""
    return Node(
        unique_id=result.node.unique_id,
        kind=result.node.resource_type.value,
        status=result.status.value,
        seconds=round(result.execution_time, 3),
        message=_told(result.message or "", result.status.value),
        failures=result.failures,
    )


def _told(message: str, status: str) -> str:
    """dbt's message of a node. That of an error can quote a value of a row, that of a test counts rows."""
    return foreign_text(message) if status in {"error", "runtime error"} else message


def _results(settings: Settings) -> Path:
    return target_dir(settings) / "nodes.json"


def _compiled(settings: Settings) -> Path:
    """The folder of what dbt made of this project, with the variables of this connection but for its paths."""
    project, variables = _fingerprints(settings)
    return settings.compiled / project / variables


def _paths(settings: Settings) -> dict[str, str]:
    """Texts of this machine and connection in dbt's statements, by the marks that stand for them in what is kept."""
    return {
        compiled.PROJECT: _in_sql(str(project_dir())),
        **{f"{{{{{name}}}}}": _in_sql(path) for name, path in _user_files(settings).items() if path},
    }


def _in_sql(path: str) -> str:
    return path.replace("'", "''")


@contextlib.contextmanager
def _held_open(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Hold the warehouse open. Otherwise dbt closes it whenever no node runs, and each time DuckDB checkpoints.

    It has dbt's configuration, because DuckDB demands the same one of all connections of a process.
    """
    config = options(settings)
    try:
        held = duckdb.connect(settings.warehouse, config=config)
    except duckdb.Error as error:
        raise BuildError(
            f"{settings.warehouse} can't be opened ({foreign(error)}). Correct that, then build again."
        ) from None
    with contextlib.closing(held):
        held.execute("SET TimeZone = 'UTC'")
        yield held


def variables_digest(settings: Settings) -> str:
    """A digest of the variables that this connection gives the project, but for the user's files."""
    own = _user_files(settings)
    return _digest({name: value for name, value in variables(settings).items() if name not in own})


def _fingerprints(settings: Settings) -> tuple[str, str]:
    """Digests of the project with the packages that read it, and of the variables that this connection gives it.

    Of a path only counts that it is set.
    """
    project = [shipped.digest_of(project_dir()), *(f"{name} {version(name)}" for name in PACKAGES)]
    given = variables(settings) | {name: path is not None for name, path in _user_files(settings).items()}
    return _digest(project), _digest(given)


def _user_files(settings: Settings) -> dict[str, str | None]:
    """The variables that name a user's file, with its path if it is set."""
    return map_vars(settings) | table_vars(settings)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
