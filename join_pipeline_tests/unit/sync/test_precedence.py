"""Precedence: SQL and Python choose the same observation, and it is the one that the rule names."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.lake.sql import empty_table
from join_pipeline.sync.precedence import LAST, WINNER, Precedence
from join_pipeline.sync.workspace import seen_schema
from join_pipeline_tests.unit.sync.tables import BEFORE, MINUTE, NOW, Row

COLUMNS = ("id", "priority", "parent_updated_at", "parent_id", "observed_at", "seq")
FEW = st.none() | st.integers(-1, 2)
INSTANTS = FEW.map(lambda n: None if n is None else NOW + timedelta(microseconds=n))
OBSERVATION = st.tuples(st.sampled_from("ab"), FEW, INSTANTS, FEW, INSTANTS)
CON = duckdb.connect()
CON.execute("SET TimeZone = 'UTC'")


def by_sql(precedence: Precedence, rows: list[Row]) -> dict[str, int]:
    empty_table(CON, "observed", seen_schema("tags"))
    values = [row.get(column) for row in rows for column in COLUMNS]
    places = ", ".join(f"({', '.join('?' * len(COLUMNS))})" for _ in rows)
    CON.execute(f"INSERT INTO observed ({', '.join(COLUMNS)}) VALUES {places}", values)
    return dict(CON.execute(f"SELECT id, seq FROM observed {precedence.first_by_id}").fetchall())


def by_python(precedence: Precedence, rows: list[Row]) -> dict[str, int]:
    held: dict[str, Row] = {}
    for row in rows:
        if row["id"] not in held or precedence.prefers(row, held[row["id"]]):
            held[row["id"]] = row
    return {key: row["seq"] for key, row in held.items()}


@settings(max_examples=50)
@given(observed=st.lists(OBSERVATION, min_size=1, max_size=6), precedence=st.sampled_from([LAST, WINNER]))
def test_sql_and_python_agree_on_the_observation_that_holds(observed: list[Any], precedence: Precedence) -> None:
    rows = [dict(zip(COLUMNS, (*one, seq), strict=True)) for seq, one in enumerate(observed)]
    assert by_sql(precedence, rows) == by_python(precedence, rows)


@pytest.mark.parametrize(
    ("_rule", "precedence", "loser", "winner"),
    [
        ("what came last", LAST, {"observed_at": BEFORE}, {"observed_at": NOW}),
        ("of one instant, what was read last", LAST, {"observed_at": NOW}, {"observed_at": NOW, "seq": 3}),
        (
            "what came last, whatever its parent",
            LAST,
            {"observed_at": BEFORE, "parent_updated_at": NOW, "priority": 2},
            {"observed_at": NOW},
        ),
        ("the parent updated last", WINNER, {"parent_updated_at": BEFORE}, {"parent_updated_at": NOW}),
        (
            "the parent updated last, though it came first",
            WINNER,
            {"parent_updated_at": BEFORE, "observed_at": NOW},
            {"parent_updated_at": BEFORE + MINUTE, "observed_at": BEFORE},
        ),
        (
            "of one update, the greater id, as a number",
            WINNER,
            {"parent_updated_at": NOW, "parent_id": 9},
            {"parent_updated_at": NOW, "parent_id": 10},
        ),
        (
            "of one parent, what came last",
            WINNER,
            {"parent_updated_at": NOW, "parent_id": 9, "observed_at": BEFORE},
            {"parent_updated_at": NOW, "parent_id": 9, "observed_at": NOW},
        ),
        (
            "what a record says of itself",
            WINNER,
            {"priority": 0, "parent_updated_at": NOW},
            {"priority": 1, "parent_updated_at": BEFORE},
        ),
        ("any value before none", WINNER, {"parent_updated_at": None}, {"parent_updated_at": BEFORE}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_observation_that_holds_is(_rule: str, precedence: Precedence, loser: Row, winner: Row) -> None:
    rows = [{"id": "r", "seq": 1} | winner, {"id": "r", "seq": 2} | loser]
    holds = {"r": rows[0]["seq"]}
    assert by_sql(precedence, rows) == by_python(precedence, rows) == holds
    assert by_sql(precedence, rows[::-1]) == by_python(precedence, rows[::-1]) == holds
