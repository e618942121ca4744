"""Forecasts of hires: the chances behind them, their intervals, what is in them and what is not."""

from dataclasses import replace

import numpy as np
import pytest

from join_pipeline.estimates.backtest import backtest, interval, intervals
from join_pipeline.estimates.forecast import HORIZONS, Calibration, Forecast, fit, forecast
from join_pipeline.estimates.forecast_tables import TYPES, told
from join_pipeline.estimates.hazards import AGES, SHOWN_AGES, chances, counts
from join_pipeline.estimates.pipeline_history import HIRED, OUT, STILL, Floats, History
from join_pipeline_tests.unit.estimates.forecast_coverage import judged
from join_pipeline_tests.unit.estimates.pipelines import Drawn, Law, draw

PLAIN = Calibration((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def company() -> Drawn:
    """A company of some size."""
    return max(draw(3, 6), key=lambda drawn: (drawn.history.exit == HIRED).sum())


def history(*stays: tuple[int, int, int, float, float, int], until: float = 100, closed: float = np.inf) -> History:
    """Stays as (application, job, milestone, start, end, exit)."""
    application, job, milestone, start, end, exits = (np.array(column) for column in zip(*stays, strict=True))
    jobs = int(job.max()) + 1
    end = end.astype(np.float64)
    return History(
        application=application,
        job=job,
        milestone=milestone,
        start=start.astype(np.float64),
        end=end,
        exit=exits,
        is_waiting=np.isinf(end),
        is_timed=np.ones(len(job), dtype=bool),
        opened=np.zeros(jobs),
        closed=np.full(jobs, closed),
        until=until,
    ).as_of(until)


def told_of(drawn: History) -> Forecast:
    return forecast(fit(drawn), PLAIN, 400)


def test_chances_equal_powers_of_a_chain_whose_hazards_know_no_age() -> None:
    daily = np.array([[0.0, 0.05, 0.01, 0.002, 0.08], [0.02, 0.0, 0.1, 0.01, 0.06], [0.0, 0.03, 0.0, 0.2, 0.1]])
    chain = np.zeros((5, 5))
    chain[:3] = daily
    chain[:3, :3] += np.diag(1 - daily.sum(axis=1))
    chain[3, 3] = chain[4, 4] = 1
    hazard = np.repeat(daily[None, :, None, :], len(AGES), axis=2)
    days = np.array([1, 2, 30, 90])
    expected = np.stack([np.linalg.matrix_power(chain, day)[:3, HIRED] for day in days], axis=-1)
    got = chances(hazard, days)[0]
    np.testing.assert_allclose(got, np.repeat(expected[:, None], len(SHOWN_AGES), axis=1), atol=1e-12)


def test_chances_know_how_long_somebody_has_been_there() -> None:
    hazard = np.zeros((1, 3, len(AGES), 5))
    hazard[0, 2, AGES >= 14, HIRED] = 0.5
    hazard[0, 0, :, 2] = 0.5
    got = chances(hazard, np.array([7, 14, 16]))[0]
    fresh, week_old = 0, int(np.flatnonzero(SHOWN_AGES == 9)[0])
    np.testing.assert_allclose(got[2, fresh], [0, 0, 0.75])
    np.testing.assert_allclose(got[2, week_old], [1 - 0.5**2, 1 - 0.5**9, 1 - 0.5**11])
    # from SCREENING: an offer on the first day leaves one day beyond the fourteen
    np.testing.assert_allclose(got[0, fresh], [0, 0, 0.5 * 0.5])


def test_days_at_risk_are_those_from_the_first_look_on_in_open_jobs() -> None:
    counted = counts(
        history(
            (0, 0, 0, -5.0, 2.5, 1),  # five days old at the first look; moves on its day 7
            (0, 0, 1, 2.5, 3.5, HIRED),
            (1, 0, 0, 10.0, np.inf, STILL),  # waits when the job closes: eleven days with the day of the closing
            (2, 0, 0, 1.0, 30.0, OUT),  # out in a closed job: 20 days
            closed=20,
        )
    )
    by_age = dict(zip(AGES.tolist(), counted.at_risk[0, 0], strict=True))
    assert (by_age[0], by_age[5], by_age[7]) == (2, 2 + 2 + 2, 3 + 3 + 1)
    assert counted.at_risk[0, 0].sum() == 3 + 11 + 20
    assert counted.ends[0, 0].sum() == 1
    assert counted.ends[0, 0, list(AGES).index(7), 1] == 1
    assert counted.at_risk[0, 1].sum() == 2
    assert counted.ends[0, 1, 1, HIRED] == 1


def test_a_stay_since_an_unknown_time_tells_no_hazard() -> None:
    one = history((0, 0, 0, -5.0, 2.5, 1))
    assert counts(replace(one, is_timed=np.array([False]))).at_risk.sum() == 0


def test_as_of_an_earlier_day_nothing_later_is_known(company: Drawn) -> None:
    then = company.history.as_of(100)
    assert then.start.max() < 100
    assert then.end.max() <= 100
    assert (then.exit[then.is_waiting] == STILL).all()
    assert not ((then.closed > 100) & np.isfinite(then.closed)).any()
    again = company.history.as_of(200).as_of(100)
    np.testing.assert_array_equal(again.end, then.end)
    np.testing.assert_array_equal(again.exit, then.exit)


def test_hires_are_those_of_who_waited() -> None:
    whole = history(
        (0, 0, 2, 1.0, 60.0, HIRED),
        (1, 1, 2, 1.0, 90.0, HIRED),  # too late
        (2, 1, 0, 55.0, 60.0, HIRED),  # had yet to apply
        (3, 1, 2, 1.0, 40.0, HIRED),  # before
        (4, 1, 2, 1.0, 55.0, HIRED),  # hired twice: the first was undone
        (4, 1, 2, 56.0, 58.0, HIRED),
    )
    assert whole.hires_of(whole.as_of(50), 30).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("draws", "level", "ends"),
    [
        ([0] * 95 + [1] * 5, 80, (0, 0)),
        ([0] * 60 + [1] * 30 + [2] * 10, 80, (0, 1)),
        ([5] * 10, 95, (5, 5)),
        (list(range(100)), 80, (10, 89)),
        # nine of ten would be 90 %, and seven 70 %: eight are nearest
        (list(range(10)) * 10, 80, (1, 8)),
    ],
)
def test_ends_are_the_whole_hires_nearest_to_the_level(draws: list[int], level: int, ends: tuple[int, int]) -> None:
    assert interval(np.array(draws), level) == ends


def test_intervals_hold_as_many_draws_as_they_say_and_the_wider_holds_the_other() -> None:
    random = np.random.default_rng(1)
    shares: list[list[float]] = []
    for mean in random.uniform(1, 12, 300):
        draws = random.poisson(mean, 2000)
        (low, high), (lower, higher) = intervals(draws)
        assert lower <= low <= high <= higher
        shares.append([np.mean((draws >= least) & (draws <= most)) for least, most in ((low, high), (lower, higher))])
    np.testing.assert_allclose(np.mean(shares, axis=0), [0.80, 0.95], atol=0.015)


def test_intervals_of_few_hires_hold_no_more_than_they_say_on_average() -> None:
    """Most jobs expect one to three hires. There the nearest share lies above 80 % more often than below."""
    random = np.random.default_rng(2)
    shares = []
    for mean in np.linspace(1, 3, 200):
        draws = random.poisson(mean * random.gamma(4, 0.25, 2000))
        low, high = interval(draws, 80)
        shares.append(np.mean((draws >= low) & (draws <= high)))
    assert np.mean(shares) == pytest.approx(0.80, abs=0.01)


def test_a_rebuild_gives_the_same_forecast(company: Drawn) -> None:
    first, second = told_of(company.history), told_of(company.history)
    np.testing.assert_array_equal(first.by_job, second.by_job)
    known = company.history.as_of(150)
    assert backtest(known) == backtest(known)


def test_a_past_forecast_knows_nothing_of_what_came(company: Drawn) -> None:
    """The past of a company whose last days went otherwise has the same forecasts for the days before."""
    known, day = company.history.as_of(280), 140
    other = replace(known, exit=np.where(~known.is_waiting & (known.end > day), OUT, known.exit))
    ours, theirs = (
        {(one.day, one.horizon): (one.expected, one.low, one.high) for one in backtest(whole)[0]}
        for whole in (known, other)
    )
    keys = [key for key in ours if key[0] <= day]
    assert len(keys) > 6
    assert [ours[key] for key in keys] == [theirs[key] for key in keys]
    assert ours != theirs


def test_closed_jobs_hire_less(company: Drawn) -> None:
    shut = replace(company.history, closed=np.minimum(company.history.closed, company.history.until - 2))
    assert told_of(shut).total.mean() < 0.5 * told_of(company.history).total.mean()


def test_jobs_that_hired_more_than_others_are_expected_to_go_on() -> None:
    stays: list[tuple[int, int, int, float, float, int]] = []
    for number in range(400):
        job = number % 8
        hired = (job == 0 and number % 16 == 0) or number % 80 == 41
        stays.append((number, job, 2, number / 8, number / 8 + 12, HIRED if hired else OUT))
    stays += [(400 + job, job, 2, 70.0, np.inf, STILL) for job in range(8)]
    by_job = told_of(history(*stays, until=80)).by_job[:, :, -1].mean(axis=0)
    assert by_job[0] > 2 * by_job[2:].mean()


def test_calibration_moves_and_widens(company: Drawn) -> None:
    model = fit(company.history)
    plain = forecast(model, PLAIN, 1000).total[:, -1]
    less = forecast(model, Calibration((0.5,) * 3, (0.0,) * 3), 1000).total[:, -1]
    wide = forecast(model, Calibration((1.0,) * 3, (0.5,) * 3), 1000).total[:, -1]
    assert 0.4 < less.mean() / plain.mean() < 0.7
    assert wide.std() > 1.3 * plain.std()


def test_more_days_never_mean_fewer_hires(company: Drawn) -> None:
    made = told_of(company.history)
    assert (np.diff(made.by_job, axis=2) >= 0).all()
    np.testing.assert_array_equal(made.by_job.sum(axis=1), made.total)
    assert (made.by_job <= made.n_waiting[None, :, None]).all()


def columns(drawn: History) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, np.ndarray]]:
    stays = {
        "application_number": drawn.application,
        "job_number": drawn.job,
        "milestone_number": drawn.milestone,
        "start_days": drawn.start,
        "end_days": np.where(drawn.is_waiting, np.inf, drawn.end),
        "exit_number": drawn.exit,
        "is_timed": drawn.is_timed,
    }
    first = np.datetime64("2024-01-01T00:00:00", "us")
    until = first + np.timedelta64(round(drawn.until * 86_400e6), "us")
    follow_up = {"followed_from": np.array([first]), "followed_until": np.array([until])}
    return stays, {"opened_days": drawn.opened, "closed_days": drawn.closed}, follow_up


def test_the_table_has_past_forecasts_and_the_next_of_all_and_of_each_job(company: Drawn) -> None:
    table = told(*columns(company.history))
    assert {name: column.dtype for name, column in table.items()} == TYPES
    is_next = table["n_hired"] < 0
    assert set(table["origin_days"][is_next]) == {company.history.until}
    jobs = np.unique(company.history.job[company.history.is_waiting])
    assert set(table["job_number"][is_next]) == {-1, *jobs.tolist()}
    assert (table["job_number"][~is_next] == -1).all()
    assert set(table["horizon_days"]) == set(HORIZONS)
    assert (table["origin_days"] + table["horizon_days"])[~is_next].max() <= company.history.until
    assert (np.diff(table["n_hires_before"][~is_next]) >= 0).all()


NOBODY = ((0, 0, 0, 1.0, 5.0, OUT),)
CASES = {
    "nobody waits": history(*NOBODY, until=100),
    "nobody was ever hired": history((0, 0, 0, 1.0, np.inf, STILL), until=100),
    "only at the first look": history((0, 0, 1, -40.0, np.inf, STILL), until=0.5),
    "a job that closed before it opened": history((0, 0, 0, 1.0, np.inf, STILL), until=100, closed=-3),
    "all are hired at once": history(*((n, 0, 0, 1.0, 1.0, HIRED) for n in range(30)), until=100),
    "very long ago": history((0, 0, 2, -4000.0, np.inf, STILL), (1, 0, 0, 3.0, 3000.0, HIRED), until=4000),
}


@pytest.mark.parametrize("case", CASES)
def test_odd_histories_have_a_table(case: str) -> None:
    table = told(*columns(CASES[case]))
    waits = int(CASES[case].is_waiting.sum())
    is_next = (table["n_hired"] < 0) & (table["job_number"] < 0)
    assert table["n_waiting"][is_next].tolist() == [waits] * 3
    assert (table["hires_expected"] <= table["n_waiting"]).all()
    assert (table["hires_low_80"] <= table["hires_high_80"]).all()


def test_before_the_first_sync_there_is_an_empty_table() -> None:
    stays, jobs, follow_up = columns(CASES["nobody waits"])
    nothing = {name: column[:0] for name, column in stays.items()}
    missing = {name: np.ma.masked_all(1, dtype="datetime64[us]") for name in follow_up}
    for table in (told(nothing, jobs, follow_up), told(stays, jobs, missing), told(nothing, jobs, missing)):
        assert {name: (column.dtype, len(column)) for name, column in table.items()} == {
            name: (kind, 0) for name, kind in TYPES.items()
        }


def test_forecasts_hold_about_as_often_as_they_say() -> None:
    """Of few companies and their jobs; `make coverage` measures a thousand."""
    cases = judged(11, 20, Law())
    level = np.array([one.level for one in cases])
    assert len(cases) > 150
    assert 0.68 <= np.mean(abs(level - 0.5) <= 0.4) <= 0.92
    assert 0.88 <= np.mean(abs(level - 0.5) <= 0.475) <= 1
    ratio = sum(one.expected for one in cases) / sum(one.hired for one in cases)
    assert 0.7 < ratio < 1.4
