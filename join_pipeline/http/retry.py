"""Which errors are retried, and how long the wait is.

Belongs here: waiting, the error type of a request without a response. Not here: sending (client), the rate limit's
window (rate_limit), the error types of an API's responses (each API's own).
"""

import time
from collections.abc import Callable
from typing import Final

import httpx
import tenacity

from join_pipeline.errors import NoAnswerError, PermanentError, RateLimited, SourceError, TransientError

FIRST_WAIT: Final = 0.5
LONGEST_BACKOFF: Final = 60.0
ATTEMPTS: Final = 8

TRANSPORT_ERRORS: Final[dict[type[httpx.RequestError], type[SourceError]]] = {
    httpx.UnsupportedProtocol: PermanentError,
    httpx.RequestError: NoAnswerError,  # no response, or one with broken compression
}


def error_for_transport(error: httpx.RequestError) -> type[SourceError]:
    """The error type of a request without a readable response."""
    return next(kind for base, kind in TRANSPORT_ERRORS.items() if isinstance(error, base))


_backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_BACKOFF)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    jittered = float(_backoff(state))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return error.retry_after + min(jittered, 1.0)
    return jittered


def retrying(max_wait_seconds: float, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Retry `TransientError` with full jitter while the waits of one request stay below `max_wait_seconds`.

    After a 429 the wait is as long as the response asks, and it does not count as an attempt. Other errors have
    `ATTEMPTS`. Use a new object for each request, because it counts the attempts.
    """

    n_failed = 0

    def is_over(state: tenacity.RetryCallState) -> bool:
        nonlocal n_failed
        error = state.outcome.exception() if state.outcome else None
        n_failed += not isinstance(error, RateLimited)
        return n_failed >= ATTEMPTS or state.idle_for + state.upcoming_sleep > max_wait_seconds

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError), wait=_wait, stop=is_over, sleep=sleep, reraise=True
    )
