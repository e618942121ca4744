"""Steps of a curve are put together until k people took each of them."""

import duckdb
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.suppression.curves import Curve, coarsen, steps

K = 5


@given(st.lists(st.lists(st.integers(0, 8), max_size=12), max_size=4))
def test_every_step_has_k_people_and_nobody_is_lost(curves: list[list[int]]) -> None:
    curve = np.repeat(np.arange(len(curves)), [len(one) for one in curves])
    people = np.array([n for one in curves for n in one], dtype=float)
    is_left, sums = steps(curve, people, K)
    assert (sums[is_left] >= K).all()
    for number, one in enumerate(curves):
        mine = curve == number
        assert sums[mine].sum() == (sum(one) if sum(one) >= K else 0)
        if sum(one) >= K:
            assert is_left[mine][-1], "the end of a curve stays where it is"
            assert is_left[mine].sum() > sum(one) // (2 * K + 8) - 1


def test_rows_are_taken_out_of_the_table() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE fct_curve (scope VARCHAR, day INTEGER, n_events BIGINT, survival DOUBLE)")
        con.execute(
            """INSERT INTO fct_curve VALUES
            ('a', 3, 1, 0.9), ('a', 5, 4, 0.5), ('a', 9, 2, 0.3), ('b', 1, 6, 0.4), ('c', 2, 4, 0.6)"""
        )
        assert coarsen(con, K, [Curve("fct_curve", "scope", "n_events", sums="n_events")]) == (3, 5)
        assert con.execute("FROM fct_curve ORDER BY ALL").fetchall() == [("a", 9, 7, 0.3), ("b", 1, 6, 0.4)]
