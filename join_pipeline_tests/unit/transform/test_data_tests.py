"""Data tests that are played without dbt: its verdicts and words, and when what was kept no longer counts."""

import contextlib
from pathlib import Path
from types import SimpleNamespace as Made

import duckdb

from join_pipeline.transform.data_tests import USUAL, DataTest, keep, kept, play, resting_on


def result(name: str, sql: str | None, severity: str = "ERROR", kind: str = "test", **config: object) -> Made:
    """A result as dbt gives it, of a node of this config."""
    node = Made(unique_id=name, compiled_code=sql, resource_type=Made(value=kind))
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


def test_it_keeps_the_tests_of_the_same_project_only(tmp_path: Path) -> None:
    path = tmp_path / "tests.json"
    assert kept(path, "made of this") == []
    keep(
        path, "made of this", [result("a model", None, kind="model"), result("a", "SELECT 1"), result("b", "x", "warn")]
    )
    assert kept(path, "made of this") == [DataTest("a", "SELECT 1", False), DataTest("b", "x", True)]
    assert kept(path, "made of that") == []
    path.write_bytes(path.read_bytes()[:20])  # a full disk
    assert kept(path, "made of this") == []


def test_it_leaves_all_to_dbt_if_one_is_unusual_or_was_not_compiled(tmp_path: Path) -> None:
    path = tmp_path / "tests.json"
    good = result("a", "SELECT 1")
    for other in (result("b", None), result("b", "x", warn_if=">10"), result("b", "x", fail_calc="sum(n)")):
        keep(path, "made of this", [good])
        keep(path, "made of this", [good, other])
        assert kept(path, "made of this") == []


def test_what_rests_on_a_failed_test_is_all_that_is_made_of_what_it_reads() -> None:
    children = {"source": ["a", "test"], "a": ["b", "c", "other"], "b": ["c"], "c": [], "other": [], "aside": []}
    manifest = {"child_map": children | {"test": []}, "parent_map": {"test": ["source"]}}
    assert resting_on(manifest, ["test"]) == {"a", "b", "c", "other"}
    assert resting_on(manifest, []) == set()
