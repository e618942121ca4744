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
    local_error=st.floats(-1e8, 1e8),
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


def test_only_the_first_header_counts():
    tick = Ticking()
    clock = ServerClock(tick, NOON.timestamp)
    clock.observe("nonsense", tick.now)
    clock.observe(None, tick.now)
    clock.observe("Mon, 01 Jun 2026 12:00:00 GMT", tick.now)
    clock.observe("Mon, 01 Jun 2026 18:00:00 GMT", tick.now)
    assert clock.earliest() == NOON


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
