"""What is retried, and how long is waited.

Belongs here: waiting, and the class of a failure that no answer came with. Not here: sending (client), the rate limit's
window (rate_limit), the classes of an API's answers (each API's own).
"""

import time
from collections.abc import Callable
from typing import Final

import httpx
import tenacity

from join_pipeline.errors import PermanentError, RateLimited, SourceError, TransientError

FIRST_WAIT: Final = 0.5
LONGEST_BACKOFF: Final = 60.0
ATTEMPTS: Final = 8

TRANSPORT_ERRORS: Final[dict[type[httpx.RequestError], type[SourceError]]] = {
    httpx.UnsupportedProtocol: PermanentError,
    httpx.RequestError: TransientError,  # no answer, or one whose compression is broken
}


def error_for_transport(error: httpx.RequestError) -> type[SourceError]:
    """The type of a request that got no answer that can be read."""
    return next(kind for base, kind in TRANSPORT_ERRORS.items() if isinstance(error, base))


_backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_BACKOFF)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    jittered = float(_backoff(state))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return error.retry_after + min(jittered, 1.0)
    return jittered


def retrying(max_wait_seconds: float, sleep: Callable[[float], None] = time.sleep) -> tenacity.Retrying:
    """Retry `TransientError` with full jitter, as long as the waits of one request stay below the bound.

    A 429 is waited out for as long as it asks and does not use up an attempt; everything else has `ATTEMPTS`.
    For one request: it counts what was tried.
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
