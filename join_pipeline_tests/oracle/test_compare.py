"""Comparing: what counts as a difference, and what is only another spelling of the same value."""

from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest

from join_pipeline_tests.oracle.compare import MOST, differences, fetched


def frame(**cells):
    return pd.DataFrame([{"id": "a", **cells}], dtype=object)


@pytest.mark.parametrize(
    ("column", "expected", "actual"),
    [
        ("name", None, float("nan")),
        ("at", None, pd.NaT),
        ("at", datetime(2026, 1, 1, tzinfo=UTC), pd.Timestamp("2026-01-01T01:00:00", tz="Europe/Zurich")),
        ("n", 3, np.float64(3.0)),
        ("flag", True, np.True_),
        ("remote_data", {"/jobs/{id}": {"b": 1, "a": [None]}}, '{"/jobs/{id}": {"a": [null], "b": 1}}'),
        ("roles", ["A", "B"], np.array(["B", "A"], dtype=object)),
        ("phone_numbers", [], None),
        ("location", None, {"city": None, "raw": None}),
        ("format", {"type": "TEXT"}, '{"type": "TEXT", "max_length": null}'),
        ("format", {"type": "SINGLE_SELECT", "options": []}, '{"type": "SINGLE_SELECT"}'),
        ("custom_fields", {"language": None}, "{}"),
    ],
)
def test_spellings_of_the_same(column, expected, actual):
    assert differences(frame(**{column: expected}), frame(**{column: actual}, changed_at=1)) == []


@pytest.mark.parametrize(
    ("column", "expected", "actual", "line"),
    [
        ("name", "x", None, "'a'  name: expected 'x', found None"),
        ("name", "1", 1, "'a'  name: expected '1', found 1"),
        ("flag", True, 1, "'a'  flag: expected True, found 1"),
        ("at", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1), "expected 2026-01-01 00:00:00+00:00, found"),  # noqa: DTZ001
        ("at", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "00:00:00.000001"),
        ("remote_data", {"p": {"a": None}}, '{"p": {}}', "'a'  remote_data.p.a: missing"),
        ("remote_data", {"p": {}}, '{"p": {"a": null}}', "'a'  remote_data.p.a: not expected"),
        ("phones", [{"n": "1"}], [{"n": "2"}], "'a'  phones[0].n: expected '1', found '2'"),
        ("phones", ["1"], ["1", "2"], "expected ['1'], found ['1', '2']"),
        ("tags", ["A", "B"], ["B", "A"], "tags[0]"),
        ("name", '{"a": 1}', '{"a":1}', "expected"),
    ],
)  # fmt: skip
def test_differences_are_named(column, expected, actual, line):
    found = differences(frame(**{column: expected}), frame(**{column: actual}))
    assert any(line in text for text in found), found


def test_rows_too_many_too_few_and_twice():
    expected = pd.DataFrame({"id": ["a", "b"], "remote_id": ["1", "2"]})
    actual = pd.DataFrame({"id": ["b", "b", "c"], "remote_id": ["2", "2", "3"]})
    lines = differences(expected, actual)
    assert lines == ["id 'b' is there 2 times", "missing: 'a' (1)", "not expected: 'c' (3)"]


def test_missing_columns_are_told_and_long_lists_cut():
    assert differences(frame(a=1, b=2), frame(a=1)) == ["columns missing: b"]
    many = pd.DataFrame({"id": range(100), "x": 1})
    lines = differences(many, many.assign(x=2))
    assert len(lines) == MOST + 1
    assert lines[-1] == "… and 80 more"


def test_what_duckdb_hands_out_is_understood():
    query = """
        select 'a' as id, timestamptz '2026-01-01 00:00:00+00' as at, [{'n': 'x', 't': null}] as phones,
               {'city': 'Z', 'raw': null} as location, '{"x": [1.5]}' as remote_data, null::bigint as index
        union all select 'b', null, null, null, null, 4 order by id
    """
    expected = pd.DataFrame(
        [
            [
                "a",
                datetime(2026, 1, 1, tzinfo=UTC),
                [{"n": "x", "t": None}],
                {"city": "Z", "raw": None},
                {"x": [1.5]},
                None,
            ],
            ["b", None, [], None, None, 4],
        ],
        columns=["id", "at", "phones", "location", "remote_data", "index"],
        dtype=object,
    )
    with duckdb.connect() as connection:
        assert differences(expected, fetched(connection, query)) == []
