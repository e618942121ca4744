"""Turnbull's estimate against published tables, other implementations and known laws."""

import math

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.datasets import load_diabetes

from join_pipeline.estimates.turnbull import CENSORED, Estimate, curves, estimate

EXACTLY = 1e-11
NEVER = None
Interval = tuple[int, int | None]

# Cosmetic deterioration after breast cancer, months: Finkelstein and Wolfe, Biometrics 41 (1985), 933–945, table 4.
RADIATION: list[Interval] = [
    *((45, NEVER), (6, 10), (0, 7), (46, NEVER), (46, NEVER), (7, 16), (17, NEVER), (7, 14), (37, 44), (0, 8)),
    *((4, 11), (15, NEVER), (11, 15), (22, NEVER), (46, NEVER), (46, NEVER), (25, 37), (46, NEVER), (26, 40)),
    *((46, NEVER), (27, 34), (36, 44), (46, NEVER), (36, 48), (37, NEVER), (40, NEVER), (17, 25), (46, NEVER)),
    *((11, 18), (38, NEVER), (5, 12), (37, NEVER), (0, 5), (18, NEVER), (24, NEVER), (36, NEVER), (5, 11), (19, 35)),
    *((17, 25), (24, NEVER), (32, NEVER), (33, NEVER), (19, 26), (37, NEVER), (34, NEVER), (36, NEVER)),
]
AND_CHEMOTHERAPY: list[Interval] = [
    *((8, 12), (0, 22), (24, 31), (17, 27), (17, 23), (24, 30), (16, 24), (13, NEVER), (11, 13), (16, 20), (18, 25)),
    *((17, 26), (32, NEVER), (23, NEVER), (44, 48), (14, 17), (0, 5), (5, 8), (12, 20), (11, NEVER), (33, 40)),
    *((31, NEVER), (13, 39), (19, 32), (34, NEVER), (13, NEVER), (16, 24), (35, NEVER), (15, 22), (11, 17), (22, 32)),
    *((10, 35), (30, 34), (13, NEVER), (10, 17), (8, 21), (4, 9), (11, NEVER), (14, 19), (4, 8), (34, NEVER)),
    *((30, 36), (18, 24), (16, 60), (35, 39), (21, NEVER), (11, 20), (48, NEVER)),
]
# As R's package interval gives them: Fay and Shaw, Journal of Statistical Software 36 (2010), 2, section 4.1.
PUBLISHED = {
    "radiation": (
        RADIATION,
        {
            **{(4, 5): 0.0463, (6, 7): 0.0334, (7, 8): 0.0887, (11, 12): 0.0708, (24, 25): 0.0926, (33, 34): 0.0818},
            **{(38, 40): 0.1209, (46, 48): 0.4656},
        },
    ),
    "and chemotherapy": (
        AND_CHEMOTHERAPY,
        {
            **{(4, 5): 0.0433, (5, 8): 0.0433, (11, 12): 0.0692, (16, 17): 0.1454, (18, 19): 0.1411, (19, 20): 0.1157},
            **{(24, 25): 0.0999, (30, 31): 0.0709, (35, 36): 0.1608, (44, 48): 0.0552, (48, 60): 0.0552},
        },
    ),
}


def of(rows: list[tuple[int, int, int, float]]) -> Estimate:
    """The estimate from rows of cause, left, right and number of persons."""
    cause, left, right, n = (np.array(column) for column in zip(*rows, strict=True))
    return estimate(cause, left, right, n.astype(float), tolerance=EXACTLY, most_steps=100_000)


def single(intervals: list[Interval]) -> Estimate:
    """The estimate of one cause from single persons."""
    return of([(CENSORED, left, 0, 1) if right is None else (0, left, right, 1) for left, right in intervals])


@pytest.mark.parametrize("arm", PUBLISHED)
def test_breast_cosmesis_is_as_published(arm: str) -> None:
    intervals, published = PUBLISHED[arm]
    told = single(intervals)
    cells = {
        (int(left), int(right)): float(mass)
        for left, right, mass in zip(told.left, told.right, told.mass, strict=True)
        if mass > 1e-6
    }
    assert list(cells) == list(published)
    assert list(cells.values()) == pytest.approx(list(published.values()), abs=5.1e-5)


def test_turnbulls_example_is_as_published() -> None:
    """Doubly censored data: Turnbull, JASA 69 (1974), 169–173, as R's package survival tests it, to three digits.

    The fourth digit is that of the likelihood, maximised here a second time, step by step.
    """
    counts = {1: (12, 3, 2), 2: (6, 2, 4), 3: (2, 0, 2), 4: (3, 3, 5)}  # at t, after t, by t
    rows = [
        row
        for t, (at, after, by) in counts.items()
        for row in ((0, t - 1, t, at), (CENSORED, t, 0, after), (0, 0, t, by))
        if row[-1]
    ]
    survival = 1 - of(rows).by_day(1, np.arange(1, 5))[1][0]
    assert survival.round(3).tolist() == [0.538, 0.295, 0.210, 0.095]
    mass = np.full(5, 0.2)
    sets = [
        (members, n)
        for t, persons in counts.items()
        for members, n in zip((slice(t - 1, t), slice(t, 5), slice(0, t)), persons, strict=True)
    ]
    for _ in range(2_000):
        shares = np.zeros(5)
        for members, n in sets:
            shares[members] += n * mass[members] / mass[members].sum()
        mass = shares / shares.sum()
    assert survival == pytest.approx(1 - np.cumsum(mass)[:4], abs=1e-6)


def test_the_estimate_is_that_of_lifelines() -> None:
    """731 patients with diabetes, years until nephropathy, some known to the year; lifelines' intervals are closed."""
    data = load_diabetes()
    left, right = data["left"].to_numpy(), data["right"].to_numpy()
    first = np.where(left == right, left, left + 1)
    theirs = KaplanMeierFitter().fit_interval_censoring(first, right, tol=1e-9).survival_function_
    told = of([(0, int(low) - 1, int(high), 1.0) for low, high in zip(first, right, strict=True)])
    years = theirs.index.to_numpy()[1:]
    assert len(years) > 30
    least, _, most = told.by_day(1, years - 1)  # theirs is the share just before a year
    np.testing.assert_allclose(1 - most[0], theirs["NPMLE_estimate_lower"].loc[years], atol=5e-5)
    np.testing.assert_allclose(1 - least[0], theirs["NPMLE_estimate_upper"].loc[years], atol=5e-5)


def test_ends_that_are_known_to_the_day_give_aalen_and_johansen() -> None:
    random = np.random.default_rng(3)
    day = random.permutation(np.arange(1, 201))
    cause = random.choice([CENSORED, 0, 1, 2], 200, p=[0.3, 0.1, 0.4, 0.2])
    rows = [(int(c), int(d) if c == CENSORED else int(d) - 1, int(d), 1.0) for c, d in zip(cause, day, strict=True)]
    days = np.arange(1, 201)
    least, even, most = of(rows).by_day(3, days)
    np.testing.assert_array_equal(least, most)
    for one in range(3):
        fitter = AalenJohansenFitter(calculate_variance=False).fit(day, cause + 1, event_of_interest=one + 1)
        np.testing.assert_allclose(even[one], fitter.predict(days), atol=1e-6)


def test_causes_are_told_apart_where_they_are_looked_for_on_other_days() -> None:
    """Two causes with laws of their own; one is looked for each week, the other every three weeks."""
    random = np.random.default_rng(5)
    n, weeks = 40_000, 30
    begin = random.uniform(0, 7 * weeks - 40, n)
    is_first = random.uniform(size=n) < 0.35
    takes = np.where(is_first, random.lognormal(2.3, 0.7, n), random.lognormal(2.8, 0.5, n))
    every = np.where(is_first, 7.0, 21.0)
    seen = np.ceil((begin + takes) / every) * every
    last = 7.0 * weeks
    is_seen = seen <= last
    cause = np.where(is_seen, np.where(is_first, 0, 1), CENSORED)
    left = np.maximum(np.round(np.where(is_seen, seen - every, last) - begin), 0).astype(np.int64)
    right = np.maximum(np.round(seen - begin), left + 1).astype(np.int64)
    rows, n_persons = np.unique(
        np.stack([cause, left, np.where(is_seen, right, 0)], axis=1), axis=0, return_counts=True
    )
    told = estimate(rows[:, 0], rows[:, 1], rows[:, 2], n_persons.astype(float))
    ages = np.array([5, 10, 15, 20, 30])
    _, even, _ = told.by_day(2, ages)
    for one, (share, mean, spread) in enumerate([(0.35, 2.3, 0.7), (0.65, 2.8, 0.5)]):
        law = [share / 2 * (1 + math.erf((math.log(age) - mean) / spread / 2**0.5)) for age in ages]
        np.testing.assert_allclose(even[one], law, atol=0.015)
    naive = [(cause[is_seen] == 1)[(right - begin * 0)[is_seen] <= age].sum() / n for age in ages]
    assert abs(naive[2] - 0.65 / 2 * (1 + math.erf((math.log(15) - 2.8) / 0.5 / 2**0.5))) > 0.1, (
        "their last day is late"
    )


def test_what_the_data_leave_open_is_told_as_least_and_most() -> None:
    told = of([(0, 2, 6, 3.0), (0, 2, 6, 2.0), (CENSORED, 9, 0, 5.0)])
    least, even, most = told.by_day(1, np.arange(1, 9))
    assert least[0].tolist() == pytest.approx([0, 0, 0, 0, 0, 0.5, 0.5, 0.5])
    assert even[0].tolist() == pytest.approx([0, 0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5])
    assert most[0].tolist() == pytest.approx([0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])


def test_the_estimate_ends_where_none_is_better_and_says_how_near_it_is() -> None:
    told = single(RADIATION)
    assert told.gap <= EXACTLY
    assert told.mass.sum() == pytest.approx(1)
    hasty = estimate(np.zeros(2, int), np.array([0, 1]), np.array([2, 5]), np.array([7.0, 4.0]), most_steps=0)
    assert (hasty.steps, hasty.gap) == (0, np.inf)


def test_nobody_who_came_to_an_end_has_no_cells() -> None:
    assert len(of([(CENSORED, 4, 0, 9.0)]).mass) == 0
    empty = np.zeros(0, np.int64)
    assert len(estimate(empty, empty, empty, np.zeros(0)).mass) == 0


def intervals(*rows: tuple[int, int, int, int, float], is_summed: bool = False) -> dict[str, np.ndarray]:
    names = ("curve_number", "cause", "left_day", "right_day", "n_persons")
    columns = {name: np.array([row[place] for row in rows]) for place, name in enumerate(names)}
    n = len(rows)
    return columns | {
        "ends_at_day": np.full(n, 10),
        "least_persons": np.full(n, 5),
        "is_summed": np.full(n, is_summed),
    }


def test_a_day_is_told_when_enough_people_have_come_to_the_end_since_the_day_before() -> None:
    rows = [(7, 0, 0, 1, 6.0), (7, 0, 1, 2, 3.0), (7, 0, 2, 3, 2.0), (7, 1, 3, 4, 4.0), (7, CENSORED, 20, 0, 5.0)]
    told = curves(intervals(*rows))
    assert told["curve_number"].tolist() == [7, 7]
    assert told["cause"].tolist() == [0, 0]
    assert told["day"].tolist() == [1, 3]
    assert told["incidence"].tolist() == pytest.approx([0.3, 0.55])


def test_causes_can_be_told_together() -> None:
    rows = [(1, 0, 0, 1, 6.0), (1, 2, 1, 2, 9.0), (1, CENSORED, 20, 0, 5.0)]
    told = curves(intervals(*rows, is_summed=True))
    assert told["cause"].tolist() == [0, 0]
    assert told["incidence"].tolist() == pytest.approx([0.3, 0.75])


def test_no_interval_gives_columns_without_rows() -> None:
    told = curves(intervals())
    assert {name: len(column) for name, column in told.items()} == dict.fromkeys(told, 0)
    assert told["day"].dtype == np.int32
