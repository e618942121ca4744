"""Wrong clocks: dates of answers, this machine's clock, and lakes that an older release left in the future.

Whole syncs over HTTP, by JOIN and by Kombo. No time that a sync writes lies in the future, and no change is missed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.connections.doctor import examine_machine
from join_pipeline.errors import ClockError
from join_pipeline.http.server_clock import ServerClock
from join_pipeline.lake.lake import open_lake
from join_pipeline.sources.registry import open_source
from join_pipeline_tests.simulation.wrong_clocks import DAY, HOUR, MARGIN, START, YEAR, Company, cases, syncing_company

ERRORS = (HOUR, 2 * DAY, 100 * DAY, 3650 * DAY, -3 * HOUR, -3650 * DAY)


@cases([("join", 100 * DAY), ("kombo", 100 * DAY)], ERRORS)
def test_wrong_dates_move_no_instant_into_the_future_and_miss_no_change(company: Company, error: timedelta) -> None:
    company.sync()
    n = company.n_answers
    patterns: dict[str, Callable[[int], bool]] = {
        "first": lambda i: i == 0,
        "minority": lambda i: i % 3 == 1,
        "last": lambda i: i == n - 1,
        "all": lambda _: True,
    }
    for name, is_wrong in patterns.items():
        company.wait(7 * HOUR)
        record = company.sync(lambda i, w=is_wrong: error if w(i) else timedelta(0), mode="incremental")
        believed = HOUR if abs(error) <= HOUR else timedelta(0)
        assert company.complaints(margin=believed + MARGIN) == [], name
        n = company.n_answers
        n_wrong = sum(map(is_wrong, range(n)))
        assert record.clock.n_dated == n
        assert record.clock.n_astray in {0, min(n_wrong, n - n_wrong)}
        assert record.clock.is_believed or n_wrong * 2 >= n
    company.wait(7 * HOUR)
    assert company.sync(mode="incremental").clock.n_astray == 0
    assert company.missed() == set()


def test_answers_without_a_date_or_with_an_odd_one_are_dated_by_this_machines_clock(company: Company) -> None:
    company.sync()
    company.wait(5 * HOUR)
    record = company.sync(lambda _: None)
    assert (record.clock.n_dated, record.clock.is_believed) == (0, True)
    company.wait(5 * HOUR)
    record = company.sync(lambda i: None if i % 2 else timedelta(0))
    assert record.clock.n_dated > 0
    assert company.complaints() == []
    assert company.missed() == set()


@pytest.mark.slow
@settings(max_examples=5)
@given(
    st.lists(
        st.lists(st.sampled_from([None, 0, 0, 0, 1, -1, 48, -48, 2400, 87_600, -87_600]), min_size=1, max_size=5),
        min_size=2,
        max_size=3,
    )
)
def test_whatever_dates_come_nothing_lies_in_the_future_and_nothing_is_missed(
    tmp_path_factory: pytest.TempPathFactory, hours: list[list[int | None]]
) -> None:
    with (
        pytest.MonkeyPatch.context() as patched,
        syncing_company("join", tmp_path_factory.mktemp("dates"), patched, START) as company,
    ):
        for these in hours:
            company.wait(9 * HOUR)
            company.sync(lambda i, t=these: None if t[i % len(t)] is None else t[i % len(t)] * HOUR)
            assert company.complaints(margin=HOUR + MARGIN) == []
            listed = company.observed().newest.feeds["applications"].listed_since
            assert listed is not None
            assert listed <= company.observed().newest.started_at
        company.wait(9 * HOUR)
        company.sync()
        assert company.missed() == set()


# This machine's clock


@contextmanager
def machine(company: Company, off: timedelta) -> Iterator[None]:
    """This machine's clock is so far off the company's."""
    defaults = (time.monotonic, lambda: company.account.now.timestamp() + off.total_seconds())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ServerClock.__init__, "__defaults__", defaults)
        yield


@pytest.mark.parametrize("back", [2 * HOUR, YEAR])
def test_a_machine_whose_clock_was_set_back_before_the_last_sync_does_not_sync(real: Company, back: timedelta) -> None:
    with machine(real, timedelta(0)):
        real.sync()
        real.sync()  # it proves that the list is whole
    before = {path: path.read_bytes() for path in real.settings().lake.rglob("*") if path.is_file()}
    real.wait(HOUR / 2)
    with machine(real, -back):
        with pytest.raises(ClockError, match=r"This machine's clock says .* the last sync began at .* JOIN say"):
            real.sync()
        with pytest.raises(ClockError, match="have no date"):
            real.sync(lambda _: None)
    assert {path: path.read_bytes() for path in real.settings().lake.rglob("*") if path.is_file()} == before
    with machine(real, timedelta(0)):
        assert real.sync().mode == "incremental"
    assert real.complaints() == []


@pytest.mark.parametrize(
    "off", [YEAR, *(pytest.param(off, marks=pytest.mark.slow) for off in (-2 * HOUR, -HOUR / 2, HOUR / 2, 3 * HOUR))]
)
def test_a_machine_whose_clock_is_wrong_misses_nothing_and_is_put_right(real: Company, off: timedelta) -> None:
    with machine(real, timedelta(0)):
        real.sync()
    n_raw = len(real.observed().newest.files.raw["applications"])
    for _ in range(2):
        real.wait(9 * HOUR)
        with machine(real, off):
            record = real.sync(mode="incremental")
        assert record.clock.is_believed == (abs(off) <= HOUR)
        # whose clock has leapt by some hours, nobody can tell
        suspects = {""} if abs(off) <= HOUR else {"machine", "server"} if abs(off) < DAY else {"machine"}
        assert record.clock.suspect in suspects
    if off == YEAR:
        assert len(real.observed().newest.files.raw["applications"]) > n_raw  # raw is not taken for a year old
    real.wait(9 * HOUR)
    with machine(real, timedelta(0)):
        record = real.sync(mode="incremental")
        # the last sync lies in the future only if the clock was ahead by more than the time since
        assert record.mode == "full" or off <= 9 * HOUR
        assert real.complaints() == []
        assert real.missed() == set()


def test_the_doctor_tells_of_a_last_sync_in_the_future(real: Company) -> None:
    with machine(real, timedelta(0)):
        real.sync()
        real.sync()  # it proves that the list is whole
    lake = open_lake(real.settings().lake)
    record = lake.newest()
    assert record is not None
    found = {one.check: one for one in examine_machine(open_source(real.settings()), real.settings())}
    assert found["lake"].is_ok
    record.as_of = datetime.now(UTC) + 2 * DAY
    lake.commit(record)
    found = {one.check: one for one in examine_machine(open_source(real.settings()), real.settings())}
    assert "later than now" in found["lake"].message
