"""The server's time: its bounds hold for any network delay and any local clock."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.http.server_clock import ServerClock, http_date

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


class Ticking:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("Mon, 01 Jun 2026 12:00:00 GMT", NOON),
        ("Mon, 01 Jun 2026 14:00:00 +0200", NOON),
        ("Mon, 01 Jun 2026 12:00:00 -0000", NOON),
        ("1 Jun 2026 12:00:00", NOON),
        ("Monday, 01-Jun-26 12:00:00 GMT", NOON),
        ("2026-06-01T12:00:00Z", None),
        ("Mon, 31 Jun 2026 12:00:00 GMT", None),
        ("0 Jan 0 0:3000000000", None),
        ("now", None),
        ("", None),
    ],
)
def test_a_date_header_is_an_instant_or_nothing(text, instant):
    assert http_date(text) == instant


@given(st.text(max_size=60))
def test_no_header_makes_an_error(text):
    clock = ServerClock(Ticking())
    clock.observe(text, 0.0)
    assert clock.earliest() <= clock.latest()


@given(
    server=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  its own zone follows
    way_there=st.floats(0, 30),
    way_back=st.floats(0, 30),
    later=st.floats(0, 100_000),
    local_error=st.floats(-3500, 3500),
)
def test_the_true_time_lies_between_the_bounds(server, way_there, way_back, later, local_error):
    """The server stamps its answer, cut to seconds, somewhere between the question and its arrival."""
    tick = Ticking()
    truth_at_start = server.replace(tzinfo=UTC)
    begun, wall = tick.now, lambda: truth_at_start.timestamp() + local_error
    clock = ServerClock(tick, wall)
    asked_at = tick.now
    tick.now += way_there
    stamp = (truth_at_start + timedelta(seconds=tick.now - begun)).replace(microsecond=0)
    tick.now += way_back
    clock.observe(format_datetime(stamp, usegmt=True), asked_at)
    tick.now += later
    truth = truth_at_start + timedelta(seconds=tick.now - begun)
    rounding = timedelta(milliseconds=1)
    assert clock.earliest() - rounding <= truth <= clock.latest() + rounding
    assert clock.latest() - clock.earliest() <= timedelta(seconds=1 + way_there + way_back) + rounding
    assert clock.when_asked(asked_at) - rounding <= truth_at_start


def test_before_the_first_header_the_local_time_counts():
    clock = ServerClock(Ticking(), NOON.timestamp)
    assert not clock.is_set
    assert clock.earliest() == clock.latest() == NOON


def heard(*hours: float | None, every: float = 1.0) -> ServerClock:
    """A clock that heard answers whose dates are so many hours off this machine's; None is an answer without a date."""
    tick = Ticking()
    clock = ServerClock(tick, lambda: NOON.timestamp() + tick.now - 5_000)
    for off in hours:
        tick.now += every
        at = NOON + timedelta(seconds=tick.now - 5_000)
        date = None if off is None else format_datetime(at + timedelta(hours=off), usegmt=True)
        clock.observe(date, tick.now)
    tick.now = 5_100.0
    return clock


LATER = NOON + timedelta(seconds=100)
YEARS = 24 * 365.0


@pytest.mark.parametrize(
    ("hours", "offset", "is_believed", "n_astray"),
    [
        ((0, 0, 0), 0, True, 0),
        ((0.5, 0.5, 0.5), 0.5, True, 0),  # a server's clock that is not far off holds
        ((48, 0, 0), 0, True, 1),  # one wrong date: first, in the middle, last
        ((0, 100 * 24, 0), 0, True, 1),
        ((0, 0, 10 * YEARS), 0, True, 1),
        ((0, 0, -5 * YEARS), 0, True, 1),
        ((0, 48, 0, 1.5, 0), 0, True, 2),
        ((48, 0), 0, True, 1),  # of two middles the one that is nearer to this machine's clock
        ((0, -48), 0, True, 1),
        ((48, 0, 48), 0, False, 1),  # most are wrong: this machine's clock counts
        ((1.5, 1.5), 0, False, 0),
        ((-1.5, -1.5), 0, False, 0),
        ((10 * YEARS,), 0, False, 0),
        ((48, 0, -48), 0, True, 2),
        ((None, None), 0, False, 0),
        ((None, 0.5, None), 0.5, True, 0),
        ((0.5, 48, None, 0.5), 0.5, True, 1),
    ],
)
def test_the_median_of_all_dates_counts_within_an_hour_of_this_machines_clock(hours, offset, is_believed, n_astray):
    clock = heard(*hours)
    assert abs(clock.earliest() - (LATER + timedelta(hours=offset))) <= timedelta(seconds=2)
    assert clock.earliest() <= clock.latest() <= clock.earliest() + timedelta(seconds=3)
    assert (clock.is_believed, clock.n_astray) == (is_believed, n_astray)


@given(st.lists(st.one_of(st.none(), st.floats(-9e4, 9e4)), max_size=12), st.floats(-1e7, 1e7))
def test_whatever_the_answers_say_the_time_is_within_an_hour_of_this_machines_and_its_bounds_are_in_order(hours, ago):
    clock = heard(*hours)
    margin = timedelta(hours=1, seconds=2)
    assert LATER - margin <= clock.earliest() <= clock.latest() <= LATER + margin
    at = clock.earliest() - timedelta(seconds=abs(ago))
    assert datetime(1970, 1, 1, tzinfo=UTC) <= clock.changed_since(at) <= max(at, datetime(1971, 1, 3, tzinfo=UTC))
    assert clock.n_astray <= clock.n_dated == len([one for one in hours if one is not None])


def test_changes_are_asked_for_by_the_servers_own_clock_where_that_is_behind():
    assert heard(-3, -3, -3).changed_since(NOON) <= NOON - timedelta(hours=3) + timedelta(seconds=2)
    assert heard(3, 3, 3).changed_since(NOON) == NOON
    assert heard(0, 0, -3).changed_since(NOON) == NOON


@pytest.mark.parametrize(("asleep", "bounds"), [(8 * 3600.0, (0, 8 * 3600)), (20.0, (0, 20)), (0.0, (0, 0))])
def test_a_machine_that_slept_widens_the_bounds_and_moves_nothing(asleep, bounds):
    """A sleep stops the monotonic clock, and not the wall clock."""
    tick, slept = Ticking(), [0.0]
    clock = ServerClock(tick, lambda: NOON.timestamp() + tick.now - 5_000 + slept[0])
    clock.observe(format_datetime(NOON, usegmt=True), tick.now)
    slept[0] = asleep
    clock.observe(format_datetime(NOON + timedelta(seconds=asleep), usegmt=True), tick.now)
    assert clock.is_believed
    assert clock.earliest() == NOON + timedelta(seconds=bounds[0])
    assert clock.latest() == NOON + timedelta(seconds=bounds[1] + 1)


def test_an_answer_from_a_cache_is_as_old_as_it_says():
    clock = ServerClock(Ticking(), NOON.timestamp)
    clock.observe(format_datetime(NOON - timedelta(hours=20), usegmt=True), 5_000.0, age="72000")
    assert clock.is_believed
    assert clock.earliest() == NOON
    for age in ("-5", "1e999", "nan", "a day", "", "9" * 400):
        clock.observe(format_datetime(NOON, usegmt=True), 5_000.0, age=age)
    assert (clock.n_dated, clock.n_astray, clock.earliest()) == (7, 0, NOON)


def test_the_upper_bound_never_goes_back():
    """What is seen later is dated later, even if the answers that were believed first turn out to be the wrong ones."""
    tick = Ticking()
    clock = ServerClock(tick, NOON.timestamp)
    clock.observe(format_datetime(NOON + timedelta(minutes=50), usegmt=True), tick.now)
    first = clock.latest()
    for _ in range(2):
        clock.observe(format_datetime(NOON, usegmt=True), tick.now)
    assert clock.earliest() == NOON
    assert clock.latest() == first


def test_a_sandboxs_clock_stands_in_for_this_machines():
    clock = ServerClock(Ticking(), lambda: NOON.timestamp() + 400 * 86_400)
    clock.observe(format_datetime(NOON, usegmt=True), 5_000.0, simulated=NOON.timestamp())
    assert clock.is_believed
    assert clock.is_simulated
    assert (clock.earliest(), clock.skew, clock.simulated_ahead) == (NOON, timedelta(0), timedelta(days=-400))
    clock.observe(format_datetime(NOON + timedelta(days=100), usegmt=True), 5_000.0, simulated=NOON.timestamp())
    assert (clock.earliest(), clock.n_astray) == (NOON, 1)


def test_a_local_clock_that_jumps_changes_nothing():
    tick, wall = Ticking(), [NOON.timestamp()]
    clock = ServerClock(tick, lambda: wall[0])
    clock.observe("Mon, 01 Jun 2026 12:00:00 GMT", tick.now)
    wall[0] -= 86_400
    tick.now += 10
    assert clock.earliest() == NOON + timedelta(seconds=10)


@pytest.mark.parametrize("hours", [-3, 0, 5])
def test_the_skew_is_the_servers_time_against_the_local_one(hours):
    clock = ServerClock(Ticking(), (NOON - timedelta(hours=hours)).timestamp)
    clock.observe("Mon, 01 Jun 2026 12:00:00 GMT", 5_000.0)
    assert clock.skew == timedelta(hours=hours)
