"""dbt's data tests without dbt: the SQL that dbt compiled for each, played on the warehouse that was built.

dbt takes some thirty milliseconds for a test of one, since it compiles each one again. So the first build of a project
keeps what dbt compiled, and later builds of the same project ask the database only.
Belongs here: keeping the SQL, playing it, and dbt's verdict on a count. Not here: any SQL of a test (dbt_project).
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.errors import foreign_text
from join_pipeline.lake.files import write_whole

USUAL: Final = {"fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0", "limit": None, "where": None}
"""The config that `play` does as dbt does. One test that has another is left to dbt, and so are all."""


class DataTest(msgspec.Struct, frozen=True):
    """A data test as dbt compiled it: it finds the rows that are wrong."""

    unique_id: str
    sql: str
    is_warning: bool


class Kept(msgspec.Struct, frozen=True):
    """All data tests of a project, and the fingerprint of what it was made of."""

    fingerprint: str
    tests: list[DataTest]


class Played(msgspec.Struct, frozen=True):
    """The result of a data test, in dbt's words."""

    unique_id: str
    status: str
    seconds: float
    message: str
    failures: int | None


def keep(path: Path, fingerprint: str, results: Iterable[Any]) -> None:
    """Keep the data tests of a build by dbt. If one was not compiled, or is unusual, none is kept."""
    nodes = [result.node for result in results if result.node.resource_type.value == "test"]
    path.unlink(missing_ok=True)
    if all(node.compiled_code and _is_usual(node.config) for node in nodes):
        tests = [DataTest(node.unique_id, node.compiled_code, node.config.severity.lower() == "warn") for node in nodes]
        write_whole(path, msgspec.json.encode(Kept(fingerprint, tests)))


def kept(path: Path, fingerprint: str) -> list[DataTest]:
    """The data tests that were kept of this very project; none if there are none."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return []
    return found.tests if found.fingerprint == fingerprint else []


def play(
    con: duckdb.DuckDBPyConnection, tests: Sequence[DataTest], on_test: Callable[[int], object] = lambda _n: None
) -> list[Played]:
    """Play each test. `on_test` is called with the number of those that have ended before one begins."""
    return [_play(con, test, on_test, n) for n, test in enumerate(tests)]


def resting_on(manifest: Mapping[str, Any], tests: Sequence[str]) -> set[str]:
    """Every node that rests on what one of these tests reads."""
    found: set[str] = set()
    todo = [parent for test in tests for parent in manifest["parent_map"][test]]
    while todo:
        children = set(manifest["child_map"][todo.pop()]) - found
        found |= children
        todo += children
    return found - set(tests)


def _play(con: duckdb.DuckDBPyConnection, test: DataTest, on_test: Callable[[int], object], n: int) -> Played:
    on_test(n)
    began = time.monotonic()
    try:
        failures: int = con.execute(f"SELECT count(*) FROM (\n{test.sql}\n) AS found").fetchall()[0][0]
    except duckdb.Error as error:
        return Played(test.unique_id, "error", _since(began), foreign_text(str(error)), None)
    verdict = "warn" if test.is_warning else "fail"
    status, said = (verdict, _said(failures, verdict)) if failures else ("pass", "")
    return Played(test.unique_id, status, _since(began), said, failures)


def _said(failures: int, verdict: str) -> str:
    return f"Got {failures} result{'s' * (failures != 1)}, configured to {verdict} if != 0"


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _is_usual(config: Any) -> bool:
    return all(getattr(config, name) == value for name, value in USUAL.items())
