"""Running dbt in this process, with a manifest that is parsed once.

dbt in a process of its own would ask the network for versions and take seconds to start.
Belongs here: the paths of the dbt project and its target, parsing, running, the result of each node. Not here: any SQL
(dbt_project).
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.errors import BuildError, foreign, foreign_text
from join_pipeline.lake.files import make_folder, taking_turns, write_whole
from join_pipeline.settings import Settings, without_foreign
from join_pipeline.transform import data_tests
from join_pipeline.transform.consents import CHECK as CONSENTS
from join_pipeline.transform.consents import kept_without_consent
from join_pipeline.transform.figures import copy_tables, table_vars, unknown_names
from join_pipeline.transform.maps import copy_maps, map_vars, unmapped
from join_pipeline.transform.odd import ADVICE as ODD
from join_pipeline.transform.odd import odd_records

PROFILE: Final = "join_pipeline"
THREADS: Final = 1
"""DuckDB uses all cores for each dbt model. Two threads of dbt would only wait for each other's Python."""
STARTS: Final = "LogStartLine"
"""dbt's event that a node begins. It has the node's number and how many there are."""
SKIPPED: Final = ("unit_test", "exposure")
"""Unit tests check the SQL on made-up rows: this package's own tests run them, and they cost a fifth of a build.
Exposures only say who reads what."""
# with its JSON, dbt would write the whole manifest again, which costs a tenth of a small build
BUILD: Final = ("build", "--no-write-json", "--exclude-resource-type")
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
    """The path of the manifest. dbt parses the project only if it, its profile or its vars changed.

    Dagster's processes load their definitions without the connection's lock, so they take turns here.
    """
    with taking_turns(settings.builds / "dbt" / "parse.lock"):
        return _ensure_manifest(settings)


def read_manifest(settings: Settings) -> dict[str, Any]:
    """The decoded manifest."""
    with taking_turns(settings.builds / "dbt" / "parse.lock"):
        manifest: dict[str, Any] = msgspec.json.decode(_ensure_manifest(settings).read_bytes())
    return manifest


def _ensure_manifest(settings: Settings) -> Path:
    manifest = target_dir(settings) / "manifest.json"
    fingerprint = target_dir(settings) / "fingerprint"
    now = _fingerprint(settings)
    if not manifest.exists() or not fingerprint.exists() or fingerprint.read_text() != now:
        fingerprint.unlink(missing_ok=True)  # a killed parse leaves half a manifest
        _invoke(settings, ["parse"])
        write_whole(fingerprint, now.encode())
    return manifest


def build_marts(
    settings: Settings, select: Sequence[str] = (), on_node: Callable[[int, int], None] | None = None
) -> list[Node]:
    """Make seeds and models, and test them. A failed test is a node of the result and raises no error.

    The first build of a project leaves the tests to dbt, later ones play what it compiled (`data_tests`).
    `on_node` is called with the number of nodes that have ended, and of all.

    Raises `BuildError` if dbt could not run or a model failed, `SettingsError` if a user's file is faulty.
    """
    copy_maps(settings)
    copy_tables(settings)
    ensure_manifest(settings)
    # after a killed build, the results of the one before must not count as its results
    _results(settings).unlink(missing_ok=True)
    picked = ["--select", *select] if select else []
    made_of = _fingerprint(settings)
    tests = [] if select else data_tests.kept(_tests(settings), made_of)
    with _held_open(settings) as con:
        if tests and _is_loaded_well(settings, con, tests):
            nodes = _without_dbts_tests(settings, con, tests, on_node)
        else:
            results = _invoke(settings, [*BUILD, *SKIPPED, *picked], on_node)
            nodes = [_node(result) for result in results]
            if not select:
                data_tests.keep(_tests(settings), made_of, results)
    nodes = _naming(settings, nodes)
    write_whole(_results(settings), msgspec.json.encode(nodes))
    if broken := _broken(nodes):
        raise BuildError("dbt could not build " + "; ".join(f"{node.unique_id}: {node.message}" for node in broken))
    return nodes


def _is_loaded_well(settings: Settings, con: duckdb.DuckDBPyConnection, tests: Sequence[data_tests.DataTest]) -> bool:
    """Whether the tests of loaded tables pass. If not, dbt has to skip what rests on them: it could take for ever."""
    parents = read_manifest(settings)["parent_map"]
    of_sources = [test for test in tests if all(one.startswith("source.") for one in parents[test.unique_id])]
    return all(one.status not in FAILED for one in data_tests.play(con, of_sources))


def _without_dbts_tests(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    tests: Sequence[data_tests.DataTest],
    on_node: Callable[[int, int], None] | None,
) -> list[Node]:
    """dbt makes seeds and models, and the database plays the tests.

    dbt itself would skip a model that rests on one whose test fails. Here it is tried, so it may break by that fault.
    Then it counts as skipped, as does a test that can't be played because of it.
    """
    tell = on_node or (lambda _done, _of: None)
    nodes = [
        _node(result)
        for result in _invoke(settings, [*BUILD, *SKIPPED, "test"], lambda done, of: tell(done, of + len(tests)))
    ]
    n, of = len(nodes), len(nodes) + len(tests)
    played = data_tests.play(con, tests, lambda done: tell(n + done, of))
    nodes += [Node(kind="test", **msgspec.structs.asdict(one)) for one in played]
    if not _broken(nodes):
        return nodes
    after = data_tests.resting_on(read_manifest(settings), [one.unique_id for one in played if one.status == "fail"])
    return [
        replace(node, status="skipped", message="a test of what it rests on failed")
        if node.is_failed and (node.unique_id in after or (node.kind == "test" and node.status == "error"))
        else node
        for node in nodes
    ]


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


def _tests(settings: Settings) -> Path:
    return target_dir(settings) / "tests.json"


@contextlib.contextmanager
def _held_open(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Hold the warehouse open. Otherwise dbt closes it whenever no node runs, and each time DuckDB checkpoints.

    It has dbt's configuration, because DuckDB demands the same one of all connections of a process.
    """
    config = _options(settings)
    try:
        held = duckdb.connect(settings.warehouse, config=config)
    except duckdb.Error as error:
        raise BuildError(
            f"{settings.warehouse} can't be opened ({foreign(error)}). Correct that, then build again."
        ) from None
    with contextlib.closing(held):
        held.execute("SET TimeZone = 'UTC'")
        yield held


def _invoke(settings: Settings, command: list[str], on_node: Callable[[int, int], None] | None = None) -> list[Any]:
    """Run a dbt command. Returns the results of its nodes, which may be none."""
    folder = make_folder(settings.builds / "dbt")
    write_whole(folder / "profiles.yml", _as_yaml(_profile(settings)).encode())
    with without_foreign():
        from dbt.cli.main import dbtRunner  # noqa: PLC0415  2 s of imports, and a manifest that is parsed needs none

        def hear(event: Any) -> None:
            if on_node and event.info.name == STARTS:
                on_node(event.data.index - 1, event.data.total)

        result = dbtRunner(callbacks=[hear] if on_node else None).invoke(
            [
                # even when quiet, dbt prints failures on standard output, which belongs to `--json`
                "--log-level",
                "none",
                "--no-use-colors",
                "--no-version-check",
                "--no-send-anonymous-usage-stats",
                "--log-level-file",
                "none",
                *command,
                "--project-dir",
                str(project_dir()),
                "--profiles-dir",
                str(folder),
                "--target-path",
                str(target_dir(settings)),
                "--log-path",
                str(folder),
                "--vars",
                _as_yaml(_vars(settings)),
            ]
        )
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    if result.exception is not None:
        said = foreign_text(str(result.exception))
        raise BuildError(f"dbt {command[0]} failed ({type(result.exception).__name__}: {said}).") from None
    return list(getattr(result.result, "results", ()))


def _vars(settings: Settings) -> dict[str, Any]:
    return {
        "time_zone": settings.time_zone,
        "k": settings.k,
        "minimum_n": settings.minimum_n,
        "stuck_chance": settings.stuck_chance / 100,
        "stuck_days": settings.stuck_days,
        "stuck_visits": settings.stuck_visits,
        "per_person": settings.per_person,
        "works_council": settings.works_council,
        "retention_days": settings.retention_days,
        "stale_after_days": settings.stale_after_days,
        # dbt renders a text of a var, too
        **{name: path and _literal(path) for name, path in (map_vars(settings) | table_vars(settings)).items()},
    }


def _profile(settings: Settings) -> dict[str, Any]:
    """dbt's profile. dbt closes the warehouse after each run. A path is a literal of Jinja, because dbt renders it."""
    options = _options(settings)
    target = {
        "type": "duckdb",
        "path": _literal(str(settings.warehouse)),
        "threads": THREADS,
        "keep_open": False,
        # set when connecting, not in each session as `settings` are: DuckDB refuses to set it after the first spill
        "config_options": options | {"temp_directory": _literal(options["temp_directory"])},
        "settings": {"TimeZone": "UTC"},
    }
    return {PROFILE: {"target": "warehouse", "outputs": {"warehouse": target}}}


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "memory_limit": settings.memory_limit,
        "preserve_insertion_order": False,  # nothing relies on the order, and keeping it takes memory
        "temp_directory": str(settings.builds / "spill"),
    }


def _literal(text: str) -> str:
    """A text that Jinja renders as it is: an expression in which every character but plain ones is an escape."""
    escaped = "".join(
        mark if mark.isascii() and (mark.isalnum() or mark in "/._- ") else f"\\U{ord(mark):08x}" for mark in text
    )
    return f"{{{{ '{escaped}' }}}}"


def _as_yaml(value: Any) -> str:
    """JSON that is YAML, too: characters beyond 16 bits are not written as two, which YAML does not know."""
    pair = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")
    wide = lambda found: f"\\U{0x10000 + ((int(found[1], 16) & 0x3FF) << 10) + (int(found[2], 16) & 0x3FF):08x}"  # noqa: E731
    return pair.sub(wide, json.dumps(value, indent=1))


def _fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256(json.dumps([_profile(settings), _vars(settings)]).encode())
    for path in sorted(project_dir().rglob("*")):
        if path.is_file() and "target" not in path.parts:
            digest.update(f"{path.relative_to(project_dir())}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
