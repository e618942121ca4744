"""What is hidden in tables that are drawn at random, judged by trying all whole numbers."""

import time
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.suppression.cells import Cells
from join_pipeline.suppression.equations import Equations
from join_pipeline.suppression.hiding import hide, unsafe_cells
from join_pipeline.suppression.solver import Witnesses, without_witness

K = 3


def table_of(parts: list[list[int]], k: int) -> Cells:
    """A table with its margins and total. What is from 1 to k - 1 is hidden."""
    n_rows, n_columns = len(parts), len(parts[0])
    n = np.array(parts)
    inner = np.arange(n_rows * n_columns).reshape(n.shape)
    rows = inner.size + np.arange(n_rows)
    columns = rows[-1] + 1 + np.arange(n_columns)
    total = columns[-1] + 1
    sums = [
        *zip(inner, rows, strict=True),
        *zip(inner.T, columns, strict=True),
        (rows, total),
        (columns, total),
    ]
    counts = np.concatenate([n.ravel(), n.sum(axis=1), n.sum(axis=0), [n.sum()]]).astype(float)
    is_small = (counts > 0) & (counts < k)
    return Cells(
        np.where(is_small, np.nan, counts),
        np.maximum(counts, 1),
        np.zeros(len(counts), dtype=bool),
        is_small,
        np.full(len(counts), -1),
        np.ones(len(counts), dtype=np.int64),
        Equations(
            np.concatenate([np.full(len(members) + 1, number) for number, (members, _) in enumerate(sums)]),
            np.concatenate([np.append(members, whole) for members, whole in sums]),
            np.concatenate([np.append(np.ones(len(members)), -1.0) for members, _ in sums]),
            len(sums),
            len(counts),
        ),
    )


def possible(cells: Cells, hidden: np.ndarray, parts: list[list[int]]) -> np.ndarray:
    """All counts that agree with what is shown, one row each, as long as no total is above the true one's double."""
    shape = len(parts), len(parts[0])
    most = 2 * max(sum(map(sum, parts)), K)
    ranges = [
        np.arange(most + 1) if hidden[cell] else np.array([cells.count[cell]]) for cell in range(shape[0] * shape[1])
    ]
    inner = np.stack([one.ravel() for one in np.meshgrid(*ranges)], axis=1)
    n = inner.reshape(-1, *shape)
    counts = np.concatenate([inner, n.sum(axis=2), n.sum(axis=1), n.sum(axis=(1, 2))[:, None]], axis=1)
    result: np.ndarray = counts[(hidden | (counts == cells.count)).all(axis=1)]
    return result


def in_a_minute() -> Callable[[], float]:
    ends_at = time.monotonic() + 60
    return lambda: ends_at - time.monotonic()


TABLES = st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2), min_size=2, max_size=2)


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_a_small_count_can_be_none_or_just_too_few(parts: list[list[int]]) -> None:
    cells = table_of(parts, K)
    found = hide(cells, K, in_a_minute())
    assert not found.for_time.any()
    counts = possible(cells, ~cells.is_shown | found.complementary, parts)[:, cells.is_asked]
    assert (counts.min(axis=0, initial=10**6) == 0).all() or not cells.is_asked.any()
    assert (counts.max(axis=0, initial=0) >= K - 1).all()


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_nothing_is_hidden_where_nothing_is_small(parts: list[list[int]]) -> None:
    cells = table_of([[K * n for n in row] for row in parts], K)
    found = hide(cells, K, in_a_minute())
    assert not (found.complementary | found.for_time).any()


def test_a_large_total_is_not_hidden_for_a_small_part() -> None:
    cells = table_of([[2, 9, 40], [30, 50, 60]], K)
    found = hide(cells, K, in_a_minute())
    gone = cells.count[found.complementary]
    assert gone.max() < 100
    assert 191 not in gone


def test_whatever_is_not_judged_in_time_is_hidden() -> None:
    cells = table_of([[2, 9, 40], [30, 50, 60]], K)
    found = hide(cells, K, lambda: 0.0)
    assert found.for_time.any()
    hidden = ~cells.is_shown | found.complementary | found.for_time
    assert hidden.all()


def test_sums_that_tell_a_small_count_are_seen() -> None:
    assert unsafe_cells(table_of([[2, 9, 40], [30, 50, 60]], K), K).sum() == 1


def test_what_only_several_sums_tell_together_is_found() -> None:
    # x + y, y + z and z + x are shown: no single one of them tells x, and all three do
    x, y, z = 2.0, 9.0, 7.0
    equations = Equations(
        np.repeat(np.arange(3), 3),
        np.array([0, 1, 3, 1, 2, 4, 2, 0, 5]),
        np.tile([1.0, 1.0, -1.0], 3),
        3,
        6,
    )
    counts = np.array([np.nan, np.nan, np.nan, x + y, y + z, z + x])
    asked = np.array([True, False, False, False, False, False])
    cells = Cells(
        counts,
        np.nan_to_num(counts, nan=1.0),
        np.zeros(6, dtype=bool),
        asked,
        np.full(6, -1),
        np.ones(6, dtype=np.int64),
        equations,
    )
    assert not hide(cells, K, in_a_minute(), is_solved=False).complementary.any()
    assert hide(cells, K, in_a_minute()).complementary.any()


def test_where_time_is_short_details_go_first() -> None:
    cells = table_of([[2, 9, 40], [30, 50, 60]], K)
    cells.detail[:6] = 3
    times = iter([100.0])  # of which half is gone by the next look
    found = hide(cells, K, lambda: next(times, 40.0))
    assert (found.for_time == (np.arange(len(cells.count)) < 6) & cells.is_shown).all()
    assert not found.complementary.any()


def test_whole_numbers_tell_what_fractions_leave_open() -> None:
    """Two rings of three counts, of which each two are 1 at most: a half each would make 3 in all, and whole ones 2."""
    k = 4
    rings = [[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3]]
    rest, ones, all_six = np.arange(6, 12), np.arange(12, 18), 18
    sums = [([*pair, rest[number]], ones[number]) for number, pair in enumerate(rings)] + [([*range(6)], all_six)]
    counts = np.full(19, np.nan)
    counts[ones] = 1.0
    asked = np.zeros(19, dtype=bool)
    asked[all_six] = True
    equations = Equations(
        np.concatenate([np.full(len(parts) + 1, number) for number, (parts, _) in enumerate(sums)]),
        np.concatenate([[*parts, total] for parts, total in sums]).astype(np.int64),
        np.concatenate([[*np.ones(len(parts)), -1.0] for parts, _ in sums]),
        len(sums),
        19,
    )
    fractions = np.concatenate([np.full(6, 0.5), np.zeros(6), np.ones(6), [k - 1.0]])
    assert not np.bincount(equations.equation, equations.sign * fractions[equations.cell]).any()
    low, high = equations.bounds(np.nan_to_num(counts), np.where(np.isnan(counts), np.inf, counts))
    assert (low[all_six], high[all_six]) == (0, 6), "no sum on its own tells it"
    lacking = without_witness(equations, low, high, asked, k, in_a_minute(), Witnesses(counts, k))
    assert np.flatnonzero(lacking).tolist() == [all_six]
    assert not without_witness(equations, low, high, asked, k - 1, in_a_minute(), Witnesses(counts, k - 1)).any()
