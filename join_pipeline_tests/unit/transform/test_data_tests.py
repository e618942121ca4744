"""Data tests that are played without dbt: its verdicts and words, and which tests are left to dbt."""

import contextlib
from collections.abc import Sequence
from types import SimpleNamespace as Made

import duckdb

from join_pipeline.transform.data_tests import USUAL, DataTest, compiled_tests, play


def result(
    name: str,
    sql: str | None,
    severity: str = "ERROR",
    kind: str = "test",
    parents: Sequence[str] = ("source.a", "model.b"),
    **config: object,
) -> Made:
    """A result as dbt gives it, of a node of this config."""
    node = Made(unique_id=name, compiled_code=sql, resource_type=Made(value=kind), depends_on=Made(nodes=parents))
    node.config = Made(severity=severity, **(USUAL | config))
    return Made(node=node)


def test_it_judges_and_speaks_as_dbt_does() -> None:
    tests = [
        DataTest("good", "SELECT 1 WHERE false", is_warning=False),
        DataTest("one", "SELECT 1 -- a comment at the end", is_warning=False),
        DataTest("two", "SELECT unnest([1, 2])", is_warning=True),
        DataTest("odd", "SELECT * FROM somewhere", is_warning=False),
    ]
    ended: list[int] = []
    with contextlib.closing(duckdb.connect()) as con:
        good, one, two, odd = play(con, tests, ended.append)
    assert (good.status, good.failures, good.message) == ("pass", 0, "")
    assert (one.status, one.failures, one.message) == ("fail", 1, "Got 1 result, configured to fail if != 0")
    assert (two.status, two.failures, two.message) == ("warn", 2, "Got 2 results, configured to warn if != 0")
    assert (odd.status, odd.failures) == ("error", None)
    assert "somewhere" in odd.message
    assert ended == [0, 1, 2, 3]


def test_it_knows_how_grave_a_test_is_and_whether_it_reads_loaded_tables_only() -> None:
    found = compiled_tests(
        [result("a model", None, kind="model"), result("a", "SELECT 1"), result("b", "x", "warn", parents=["source.a"])]
    )
    assert found == [DataTest("a", "SELECT 1", False, False), DataTest("b", "x", True, True)]


def test_it_leaves_all_to_dbt_if_one_is_unusual_or_was_not_compiled() -> None:
    good = result("a", "SELECT 1")
    assert compiled_tests([good])
    for other in (result("b", None), result("b", "x", warn_if=">10"), result("b", "x", fail_calc="sum(n)")):
        assert compiled_tests([good, other]) is None
