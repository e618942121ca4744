"""Kombo's error responses: the type of error for each code of its envelope, and the next step for the user.

The code decides, never the status: one status means several things, and Kombo has changed statuses before. The status
decides only if the body is not an envelope, such as a load balancer's page.
"""

from typing import Final

import httpx

from join_pipeline.errors import (
    AuthError,
    ModelOffError,
    NotFoundError,
    PermanentError,
    RateLimited,
    RefusedError,
    SourceError,
    TransientError,
)
from join_pipeline.http.words import Words

CODE_ERRORS: Final[dict[str, type[SourceError]]] = {
    "PLATFORM.AUTHENTICATION_INVALID": AuthError,
    "PLATFORM.INTEGRATION_NOT_FOUND": AuthError,
    "PLATFORM.IP_NOT_WHITELISTED": AuthError,
    "PLATFORM.INPUT_INVALID": RefusedError,
    "PLATFORM.RATE_LIMIT_EXCEEDED": RateLimited,
    "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED": RateLimited,
    "PLATFORM.TASK_TIMED_OUT": TransientError,
    "PLATFORM.UNKNOWN_ERROR": TransientError,
    "INTEGRATION.SETUP_SYNC_PENDING": PermanentError,
    "INTEGRATION.SETUP_INCOMPLETE": PermanentError,
    "INTEGRATION.QA_FAILED": PermanentError,
    "INTEGRATION.INACTIVE": PermanentError,
    "INTEGRATION.AUTHENTICATION_INVALID": AuthError,
    "INTEGRATION.PERMISSION_MISSING": AuthError,
    "INTEGRATION.MODEL_NOT_AVAILABLE": ModelOffError,
    "INTEGRATION.MODEL_DISABLED": ModelOffError,
    "INTEGRATION.ACTION_NOT_AVAILABLE": PermanentError,
    "INTEGRATION.ACTION_DISABLED": PermanentError,
    "REMOTE.RATE_LIMIT_EXCEEDED": RateLimited,
    "REMOTE.SERVICE_UNAVAILABLE": TransientError,
    "REMOTE.UNKNOWN_HTTP_ERROR": TransientError,
    "REMOTE.INPUT_INVALID": RefusedError,
    "ATS.JOB_CLOSED": PermanentError,
    "ATS.APPLICATION_ALREADY_EXISTS": PermanentError,
}
STATUS_ERRORS: Final[dict[int, type[SourceError]]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    408: TransientError,
    425: TransientError,
    429: RateLimited,
}
CURES: Final[dict[str, str]] = {
    "PLATFORM.AUTHENTICATION_INVALID": "Check KOMBO_API_KEY, and that KOMBO_API_URL is of the region it was made for.",
    "PLATFORM.INTEGRATION_NOT_FOUND": "Check KOMBO_INTEGRATION_ID: this API key has no such integration.",
    "PLATFORM.IP_NOT_WHITELISTED": "Add this machine's address to the IP allow list in Kombo's dashboard.",
    "INTEGRATION.SETUP_SYNC_PENDING": "Kombo's first sync of the integration is not done. Run it again in some hours.",
    "INTEGRATION.SETUP_INCOMPLETE": "Finish the integration's setup in Kombo's dashboard, then run it again.",
    "INTEGRATION.QA_FAILED": "Kombo holds the integration back after its checks: ask Kombo's support.",
    "INTEGRATION.INACTIVE": "Switch the integration on in Kombo's dashboard.",
    "INTEGRATION.AUTHENTICATION_INVALID": "JOIN refuses Kombo's token: reconnect the integration in Kombo's dashboard.",
    "INTEGRATION.PERMISSION_MISSING": "Kombo's token lacks a permission in JOIN: reconnect with an admin's token.",
    "INTEGRATION.MODEL_DISABLED": "Switch the model on in the scope of the integration in Kombo's dashboard.",
}
WORDS: Final = Words(
    api="Kombo",
    what="Kombo's API, with /v1",
    url_setting="KOMBO_API_URL",
    credential="API key",
    limit_prefix="ratelimit",
    next_steps={
        AuthError: "Check KOMBO_API_KEY and KOMBO_INTEGRATION_ID.",
        ModelOffError: "The integration does not offer this model.",
        NotFoundError: "Check KOMBO_API_URL; it ends in /v1.",
        PermanentError: "A retry gives the same result: check the integration in Kombo's dashboard.",
        RateLimited: "Too many requests: another program may use the same API key. Run it again later.",
        TransientError: "Run it again later. If it fails again, check the network, the proxy and KOMBO_API_URL.",
    },
)


def error_for(code: str | None, status: int) -> type[SourceError]:
    """The error type of a response: by its code, or by its status if there is no known code."""
    if code in CODE_ERRORS:
        return CODE_ERRORS[code]
    if status in STATUS_ERRORS:
        return STATUS_ERRORS[status]
    return TransientError if status >= httpx.codes.INTERNAL_SERVER_ERROR else PermanentError
