"""What is retried, and how long is waited: one table.

Belongs here: the class of every failure, and waiting. Not here: sending (client), the rate limit's window (rate_limit).
"""

import time
from collections.abc import Callable
from typing import Final

import httpx
import tenacity

from join_pipeline.errors import (
    AuthError,
    JoinError,
    NotFoundError,
    PermanentError,
    RateLimited,
    RefusedError,
    TransientError,
)

FIRST_WAIT: Final = 0.5
LONGEST_BACKOFF: Final = 60.0
ATTEMPTS: Final = 8

STATUS_ERRORS: Final[dict[int, type[JoinError]]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    408: TransientError,
    422: RefusedError,
    425: TransientError,
    429: RateLimited,
    500: TransientError,
    502: TransientError,
    503: TransientError,
    504: TransientError,
}
TRANSPORT_ERRORS: Final[dict[type[httpx.RequestError], type[JoinError]]] = {
    httpx.UnsupportedProtocol: PermanentError,
    httpx.RequestError: TransientError,  # no answer, or one whose compression is broken
}
NEXT_STEP: Final[dict[type[JoinError], str]] = {
    AuthError: "Check JOIN_API_TOKEN: it may be wrong or revoked, or the plan may lack API access.",
    NotFoundError: "Check JOIN_API_URL.",
    PermanentError: "Asking again gives the same: check the request and JOIN_API_URL.",
    RateLimited: "Too many requests: another program may use the same token. Run it again later.",
    TransientError: "Run it again later; if it stays so, check the network, the proxy and JOIN_API_URL.",
}


def error_for_status(status: int) -> type[JoinError]:
    """The type of an answer that is not 2xx."""
    if status in STATUS_ERRORS:
        return STATUS_ERRORS[status]
    return TransientError if status >= httpx.codes.INTERNAL_SERVER_ERROR else PermanentError


def error_for_transport(error: httpx.RequestError) -> type[JoinError]:
    """The type of a request that got no answer that can be read."""
    return next(kind for base, kind in TRANSPORT_ERRORS.items() if isinstance(error, base))


def next_step(kind: type[JoinError]) -> str:
    """What a user does about an error of this type."""
    return next((NEXT_STEP[base] for base in kind.__mro__ if base in NEXT_STEP), "")


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
