"""dbt's data tests without dbt: the SQL that dbt compiled for each, played on the warehouse that was built.

dbt takes some thirty milliseconds for a test of one, since it compiles each one again. So the first build of a project
keeps what dbt compiled, and later builds of the same project ask the database only.
Belongs here: the SQL, playing it, and dbt's verdict on a count. Not here: keeping it (compiled), any SQL of a test
(dbt_project).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import duckdb
import msgspec

from join_pipeline.errors import foreign_text

USUAL: Final = {"fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0", "limit": None, "where": None}
"""The config that `play` does as dbt does. One test that has another is left to dbt, and so are all."""


class DataTest(msgspec.Struct, frozen=True):
    """A data test as dbt compiled it: it finds the rows that are wrong.

    `is_of_sources`: it reads loaded tables only.
    """

    unique_id: str
    sql: str
    is_warning: bool
    is_of_sources: bool = False


class Played(msgspec.Struct, frozen=True):
    """The result of a data test, in dbt's words."""

    unique_id: str
    status: str
    seconds: float
    message: str
    failures: int | None


def compiled_tests(results: Iterable[Any]) -> list[DataTest] | None:
    """The data tests of a build by dbt. None if one was not compiled, or is unusual."""
    nodes = [result.node for result in results if result.node.resource_type.value == "test"]
    if not all(node.compiled_code and _is_usual(node.config) for node in nodes):
        return None
    return [
        DataTest(
            node.unique_id,
            node.compiled_code,
            is_warning=node.config.severity.lower() == "warn",
            is_of_sources=all(parent.startswith("source.") for parent in node.depends_on.nodes),
        )
        for node in sorted(nodes, key=lambda node: str(node.unique_id))
    ]


def play(
    con: duckdb.DuckDBPyConnection, tests: Sequence[DataTest], on_test: Callable[[int], object] = lambda _n: None
) -> list[Played]:
    """Play each test. `on_test` is called with the number of those that have ended before one begins."""
    return [_play(con, test, on_test, n) for n, test in enumerate(tests)]


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
