"""The rate limit: the meaning of its headers, and that a server that counts never has to answer 429."""

import math
import random
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from join_pipeline.errors import RateLimited
from join_pipeline.http.rate_limit import LONGEST_WAIT, POLL_SECONDS, PROBE_SECONDS, RateLimit, wait_asked_for
from join_pipeline_tests.unit.http.virtual_time import VirtualTime

limit_of = partial(RateLimit, prefix="x-ratelimit", whose="JOIN's", credential="token")

NOW = 1_780_000_000.0  # 2026-05-28T20:26:40Z


def told(remaining: object, reset: object) -> dict[str, str]:
    return {"x-ratelimit-limit": "60", "x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": str(reset)}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-reset": "17"}, 17.0),
        ({"x-ratelimit-reset": "0.25"}, 0.25),
        ({"x-ratelimit-reset": str(int(NOW) + 42)}, 42.0),
        ({"x-ratelimit-reset": str((int(NOW) + 42) * 1000)}, 42.0),
        ({"x-ratelimit-reset": str(int(NOW) - 42)}, 0.0),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "Thu, 28 May 2026 20:27:10 GMT"}, 30.0),
        ({"retry-after": "Thu, 28 May 2026 22:27:10 +0200"}, 30.0),
        ({"retry-after": "Thu, 28 May 2026 20:27:10 -0000"}, 30.0),
        ({"retry-after": "Thu, 28 May 2026 20:00:00 GMT"}, 0.0),
        ({"retry-after": "3", "x-ratelimit-reset": "17"}, 3.0),
        ({"retry-after": "soon", "x-ratelimit-reset": "17"}, 17.0),
        ({"retry-after": "", "x-ratelimit-reset": " 17 "}, 17.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "86400"}, LONGEST_WAIT),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": "nan"}, None),
        ({"x-ratelimit-reset": "inf"}, None),
        ({"retry-after": "Thu, 99 May 2026 20:27:10 GMT"}, None),
        ({"retry-after": "0 Jan 0 0:3000000000"}, None),
    ],
)
def test_the_wait_that_an_answer_asks_for(headers, seconds):
    assert wait_asked_for(headers, NOW, "x-ratelimit") == seconds


@given(st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining"]), st.text()))
def test_no_header_whatever_it_holds_is_an_error_or_an_endless_wait(headers):
    time = VirtualTime()
    limit = limit_of(time.sleep, time.monotonic, max_wait_seconds=LONGEST_WAIT)
    limit.release(headers, NOW, limit.acquire())
    limit.release(headers, NOW, limit.acquire(), is_refused=True)
    limit.acquire()
    assert time.now - 1_000.0 <= LONGEST_WAIT


@dataclass
class One:
    """A client with one request at a time, in virtual time."""

    time: VirtualTime = field(default_factory=VirtualTime)
    max_wait: float = 900.0

    def __post_init__(self) -> None:
        self.limit = limit_of(self.time.sleep, self.time.monotonic, self.max_wait)

    def ask(self, headers: dict[str, str] | None, *, is_refused: bool = False) -> float:
        """How long the request had to wait before it went."""
        before = self.time.now
        asked_at = self.limit.acquire()
        self.limit.release(headers, NOW, asked_at, is_refused=is_refused)
        return asked_at - before


def test_a_server_that_tells_nothing_is_not_waited_for():
    one = One()
    assert [one.ask({}) for _ in range(200)] == [0.0] * 200


def test_an_empty_window_is_waited_out_before_the_next_request():
    one = One()
    assert one.ask(told(1, 40)) == 0.0
    assert one.ask(told(0, 30)) == 0.0
    assert one.ask(told(59, 60)) == 30.0
    assert one.ask(told(58, 60)) == 0.0


def test_a_reset_that_is_an_epoch_is_a_moment_of_the_servers_time():
    one = One()
    one.ask(told(0, int(NOW) + 25))
    assert one.ask({}) == 25.0


def test_a_refusal_without_a_count_holds_up_every_request_for_as_long_as_it_asks():
    one = One()
    one.ask({"retry-after": "7"}, is_refused=True)
    assert one.ask({}) == 7.0


def test_a_refusal_that_asks_for_nothing_holds_up_nobody_here():
    one = One()
    one.ask({}, is_refused=True)
    assert one.ask({}) == 0.0


@pytest.mark.parametrize("headers", [told("many", 60), told(5, "soon"), told("", ""), {"x-ratelimit-limit": "60"}])
def test_headers_that_make_no_sense_say_nothing(headers):
    one = One()
    assert [one.ask(headers) for _ in range(20)] == [0.0] * 20


def test_a_request_without_an_answer_counts_as_one_that_the_server_counted():
    one = One()
    one.ask(told(2, 50))
    assert [one.ask(None), one.ask(None)] == [0.0, 0.0]
    assert one.ask(None) == 50.0


def test_a_server_that_stops_telling_is_asked_freely_once_the_window_is_over():
    one = One()
    one.ask(told(0, 50))
    assert one.ask({}) == 50.0
    assert [one.ask({}) for _ in range(20)] == [0.0] * 20


def test_requests_on_their_way_are_counted_before_their_answers_tell():
    time = VirtualTime()
    limit = limit_of(time.sleep, time.monotonic)
    limit.release(told(3, 60), NOW, limit.acquire())
    went: list[float] = []

    def ask() -> None:
        went.append(limit.acquire())
        time.sleep(5.0)
        limit.release(told(0, 55), NOW, went[-1])

    start = time.now
    time.run(*[ask] * 4)
    assert [round(at - start) for at in sorted(went)] == [0, 0, 0, 60]


def test_answers_that_cross_on_their_way_do_not_make_room_again():
    time = VirtualTime()
    limit = limit_of(time.sleep, time.monotonic)
    limit.release(told(2, 60), NOW, limit.acquire())
    first, second = limit.acquire(), limit.acquire()
    limit.release(told(0, 60), NOW, second)
    limit.release(told(1, 60), NOW, first)  # counted before, arrived after
    assert limit.acquire() == pytest.approx(1_060.0)


def test_after_the_reset_one_request_goes_ahead_until_it_is_answered():
    time = VirtualTime()
    limit = limit_of(time.sleep, time.monotonic)
    limit.release(told(0, 10), NOW, limit.acquire())
    went: list[float] = []

    def ask() -> None:
        went.append(limit.acquire())
        time.sleep(0.2)
        limit.release(told(59, 60), NOW, went[-1])

    time.run(*[ask] * 8)
    assert min(went) == pytest.approx(1_010.0)
    assert sorted(went)[1] >= 1_010.2
    assert max(went) <= 1_010.2 + POLL_SECONDS


def test_an_answer_that_never_comes_does_not_hold_up_the_new_window():
    time = VirtualTime()
    limit = limit_of(time.sleep, time.monotonic)
    limit.release(told(0, 10), NOW, limit.acquire())
    assert limit.acquire() == pytest.approx(1_010.0)  # never answered
    assert limit.acquire() == pytest.approx(1_010.0 + PROBE_SECONDS)


def test_a_wait_longer_than_the_bound_ends_the_request():
    one = One(max_wait=30.0)
    one.ask(told(0, 3_000))
    with pytest.raises(RateLimited, match="JOIN_PIPELINE_MAX_WAIT_SECONDS") as caught:
        one.ask({})
    assert caught.value.retry_after == 3_000
    assert one.time.slept == []


@dataclass
class CountingServer:
    """A server that counts requests in windows, and refuses what is too many."""

    time: VirtualTime
    limit: int
    seconds: float
    is_fixed: bool  # windows begin on their own; else each begins with its first request
    ends: float = 0.0
    used: int = 0
    n_answers: int = 0
    n_refused: int = 0

    def answer(self) -> tuple[dict[str, str], bool]:
        now = self.time.now
        if now >= self.ends:
            self.used = 0
            self.ends = math.floor(now / self.seconds + 1) * self.seconds if self.is_fixed else now + self.seconds
        self.used += 1
        is_refused = self.used > self.limit
        self.n_refused += is_refused
        self.n_answers += not is_refused
        return told(max(self.limit - self.used, 0), math.ceil(self.ends - now)), is_refused


@settings(max_examples=80, deadline=None)
@given(
    limit=st.integers(1, 80),
    seconds=st.sampled_from([1.0, 10.0, 60.0]),
    n_threads=st.integers(1, 8),
    n_requests=st.integers(1, 120),
    is_fixed=st.booleans(),
    loss=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 1_000),
)
# windows so short that one looks like the next
@example(limit=2, seconds=1.0, n_threads=1, n_requests=18, is_fixed=True, loss=0.0, seed=0)
def test_a_counting_server_never_refuses_and_is_used_to_the_full(
    limit, seconds, n_threads, n_requests, is_fixed, loss, seed
):
    """Any window, any number of threads, answers that cross or never come."""
    time, luck = VirtualTime(), random.Random(seed)
    server = CountingServer(time, limit, seconds, is_fixed)
    client = limit_of(time.sleep, time.monotonic, max_wait_seconds=1e6)
    todo = list(range(n_requests))
    lost: list[bool] = []

    def work(n: int = 10**9) -> None:
        while todo and n:
            n -= 1
            asked_at = client.acquire()
            time.sleep(luck.uniform(0.01, 0.3))
            headers, is_refused = server.answer()
            is_lost = luck.random() < loss
            lost.append(is_lost)
            time.sleep(luck.uniform(0.01, 0.3))
            client.release(None if is_lost else headers, NOW, asked_at, is_refused=is_refused and not is_lost)
            if not is_refused and not is_lost and todo:
                todo.pop()

    start = time.now
    time.run(lambda: work(1))  # page 1 alone
    time.run(*[work] * n_threads)
    # an answer that never comes hides its place in the window: each may cost one refusal of every thread
    assert server.n_refused <= sum(lost) * n_threads
    windows = server.n_answers / limit + 1
    # per window at most: rounding of the reset, one lonely request, the last places left unused while answers cross
    assert time.now - start <= windows * (seconds + 3.0) + server.n_answers * 0.7 + 1.0
