"""Retries: which errors are retried and how long the client waits, as one table."""

import httpx
import pytest

from join_pipeline.errors import (
    AuthError,
    ContractError,
    LakeError,
    NoAnswerError,
    NotFoundError,
    PermanentError,
    PipelineError,
    RateLimited,
    RefusedError,
    SourceError,
    TransientError,
)
from join_pipeline.http.retry import ATTEMPTS, FIRST_WAIT, LONGEST_BACKOFF, error_for_transport, retrying
from join_pipeline.sources.join.refusals import WORDS, error_for_status
from join_pipeline_tests.unit.http.virtual_time import VirtualTime


@pytest.mark.parametrize(
    ("status", "kind", "is_retried"),
    [
        (301, PermanentError, False),
        (304, PermanentError, False),
        (400, PermanentError, False),
        (401, AuthError, False),
        (402, PermanentError, False),
        (403, AuthError, False),
        (404, NotFoundError, False),
        (405, PermanentError, False),
        (408, TransientError, True),
        (409, PermanentError, False),
        (410, PermanentError, False),
        (418, PermanentError, False),
        (422, RefusedError, False),
        (425, TransientError, True),
        (429, RateLimited, True),
        (500, TransientError, True),
        (502, TransientError, True),
        (503, TransientError, True),
        (504, TransientError, True),
        (520, TransientError, True),
    ],
)
def test_every_status_has_one_type_and_the_type_says_whether_it_is_retried(status, kind, is_retried):
    assert error_for_status(status) is kind
    assert (tries(kind("no")) > 1) == is_retried


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError, NoAnswerError),
        (httpx.ConnectTimeout, NoAnswerError),
        (httpx.ReadTimeout, NoAnswerError),
        (httpx.WriteTimeout, NoAnswerError),
        (httpx.PoolTimeout, NoAnswerError),
        (httpx.ReadError, NoAnswerError),
        (httpx.WriteError, NoAnswerError),
        (httpx.CloseError, NoAnswerError),
        (httpx.RemoteProtocolError, NoAnswerError),
        (httpx.ProxyError, NoAnswerError),
        (httpx.DecodingError, NoAnswerError),
        (httpx.UnsupportedProtocol, PermanentError),
    ],
)
def test_every_failure_to_get_an_answer_has_one_type(failure, kind):
    assert error_for_transport(failure("broken")) is kind


@pytest.mark.parametrize("kind", [AuthError, PermanentError, NotFoundError, RefusedError, RateLimited, TransientError])
def test_every_type_that_an_answer_can_have_says_what_to_do_next(kind):
    assert WORDS.next_step(kind).endswith(".")


class Flaky:
    """Fails with each error in turn, and works from then on; in virtual time."""

    def __init__(self, *errors: Exception, max_wait: float = 900.0) -> None:
        self.time = VirtualTime()
        self.errors = list(errors)
        self.max_wait = max_wait
        self.n_tries = 0

    def run(self) -> str:
        for attempt in retrying(self.max_wait, self.time.sleep):
            with attempt:
                self.n_tries += 1
                if self.errors:
                    raise self.errors.pop(0)
                return "done"
        raise AssertionError("retrying returns or raises")


def tries(error: Exception, max_wait: float = 1e9) -> int:
    """How often something is tried that always fails the same way (1,000 stands for always)."""
    flaky = Flaky(*[error] * 999, max_wait=max_wait)
    try:
        flaky.run()
    except type(error):
        return flaky.n_tries
    return 1_000


@pytest.mark.parametrize(
    "error",
    [AuthError("no"), PermanentError("no"), ContractError("no"), SourceError("no"), LakeError("no"), ValueError("no")],
    ids=lambda error: type(error).__name__,
)
def test_what_stays_wrong_is_never_retried(error):
    assert tries(error) == 1


def test_a_failure_that_passes_is_nobodys_problem():
    assert Flaky(*[TransientError("no")] * (ATTEMPTS - 1)).run() == "done"


def test_a_failure_that_stays_is_tried_so_often_and_then_raised_as_itself():
    assert tries(TransientError("no")) == ATTEMPTS


@pytest.mark.parametrize("asked", [0.0, 3.0, 60.0, 400.0])
def test_a_429_waits_what_it_asks_for_and_at_most_a_second_more(asked):
    flaky = Flaky(RateLimited("slow down", asked))
    assert flaky.run() == "done"
    (slept,) = flaky.time.slept
    assert asked <= slept <= asked + 1.0


def test_a_429_that_asks_for_nothing_is_backed_off_from():
    flaky = Flaky(RateLimited("slow down"))
    assert flaky.run() == "done"
    assert len(flaky.time.slept) == 1


def test_429s_use_up_no_attempt_of_the_failures_after_them():
    slow = [RateLimited("slow down", 1.0)] * (ATTEMPTS + 5)
    flaky = Flaky(*slow, *[TransientError("no")] * (ATTEMPTS - 1))
    assert flaky.run() == "done"


@pytest.mark.parametrize("asked", [0.0, 1.0, 30.0, 700.0])
@pytest.mark.parametrize("max_wait", [1.0, 60.0, 900.0])
def test_429s_without_end_are_waited_for_up_to_the_bound(asked, max_wait):
    flaky = Flaky(*[RateLimited("slow down", asked)] * 10_000, max_wait=max_wait)
    with pytest.raises(RateLimited):
        flaky.run()
    assert sum(flaky.time.slept) <= max_wait


@pytest.mark.parametrize("max_wait", [0.5, 2.0, 10.0])
def test_failures_are_waited_for_up_to_the_bound(max_wait):
    flaky = Flaky(*[TransientError("no")] * 100, max_wait=max_wait)
    with pytest.raises(TransientError):
        flaky.run()
    assert sum(flaky.time.slept) <= max_wait


def test_waits_grow_by_doubling_with_full_jitter():
    runs = []
    for _ in range(200):
        flaky = Flaky(*[TransientError("no")] * 100)
        with pytest.raises(TransientError):
            flaky.run()
        runs.append(flaky.time.slept)
    for n in range(ATTEMPTS - 1):
        bound = min(FIRST_WAIT * 2**n, LONGEST_BACKOFF)
        waits = [slept[n] for slept in runs]
        assert max(waits) <= bound
        assert min(waits) < 0.1 * bound  # full jitter reaches down to none
        assert len(set(waits)) > 150


def test_every_error_is_a_pipeline_error_with_an_exit_code():
    kinds = [PipelineError, *PipelineError.__subclasses__(), *SourceError.__subclasses__()]
    assert {kind.exit_code for kind in kinds} == {1, 2, 4}
