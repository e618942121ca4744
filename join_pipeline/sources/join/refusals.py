"""JOIN's error responses: the type of error for each status, and the next step for the user."""

from typing import Final

import httpx

from join_pipeline.errors import (
    AuthError,
    NotFoundError,
    PermanentError,
    RateLimited,
    RefusedError,
    SourceError,
    TransientError,
)
from join_pipeline.http.words import Words

STATUS_ERRORS: Final[dict[int, type[SourceError]]] = {
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
WORDS: Final = Words(
    api="JOIN",
    what="JOIN's API v2",
    url_setting="JOIN_API_URL",
    credential="token",
    limit_prefix="x-ratelimit",
    next_steps={
        AuthError: "Check JOIN_API_TOKEN: it may be wrong or revoked, or the plan may lack API access.",
        NotFoundError: "Check JOIN_API_URL.",
        PermanentError: "A retry gives the same result: check the request and JOIN_API_URL.",
        RateLimited: "Too many requests: another program may use the same token. Run it again later.",
        TransientError: "Run it again later. If it fails again, check the network, the proxy and JOIN_API_URL.",
    },
)


def error_for_status(status: int) -> type[SourceError]:
    """The error type of a response that is not 2xx."""
    if status in STATUS_ERRORS:
        return STATUS_ERRORS[status]
    return TransientError if status >= httpx.codes.INTERNAL_SERVER_ERROR else PermanentError
