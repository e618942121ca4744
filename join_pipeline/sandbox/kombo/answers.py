"""Kombo's envelope: successes, warnings, and errors with a code of the closed list."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal, json_answer

# Status and title of every code that this sandbox gives. Statuses are told by Kombo for a few of them only.
CODES: Final = {
    "PLATFORM.AUTHENTICATION_INVALID": (401, "The API key is not valid."),
    "PLATFORM.INTEGRATION_NOT_FOUND": (404, "The integration was not found."),
    "PLATFORM.INPUT_INVALID": (400, "The request is not valid."),
    "PLATFORM.RATE_LIMIT_EXCEEDED": (429, "Too many requests."),
    "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED": (429, "Too many actions at once."),
    "PLATFORM.UNKNOWN_ERROR": (500, "Something went wrong."),
    "INTEGRATION.SETUP_INCOMPLETE": (409, "The setup was not finished."),
    "INTEGRATION.SETUP_SYNC_PENDING": (409, "The first sync is still running."),
    "INTEGRATION.QA_FAILED": (409, "The integration did not pass the quality checks."),
    "INTEGRATION.INACTIVE": (400, "The integration is switched off."),
    "INTEGRATION.AUTHENTICATION_INVALID": (401, "The credentials of the connected tool are no longer valid."),
    "INTEGRATION.MODEL_NOT_AVAILABLE": (400, "This data model isn't available for the integration."),
    "INTEGRATION.MODEL_DISABLED": (403, "This data model is switched off."),
    "INTEGRATION.ACTION_NOT_AVAILABLE": (400, "This action isn't available for the integration."),
    "REMOTE.SERVICE_UNAVAILABLE": (503, "The connected tool can't be reached."),
    "ATS.JOB_CLOSED": (400, "The job does not take applications."),
    "ATS.APPLICATION_ALREADY_EXISTS": (400, "The candidate applied to this job before."),
}
_BY_STATUS: Final = {429: "PLATFORM.RATE_LIMIT_EXCEEDED", 500: "PLATFORM.UNKNOWN_ERROR"}
_LOGS: Final = "https://kombo.example/logs/sandbox"


class KomboRefusal(Refusal):
    """An error by its code."""

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(CODES[code][0], message, headers)
        self.code = code


def invalid(message: str) -> KomboRefusal:
    return KomboRefusal("PLATFORM.INPUT_INVALID", message)


async def json_object(request: Request) -> dict[str, Any]:
    """The body of a request; none is an empty one."""
    try:
        body = msgspec.json.decode(await request.body() or b"{}")
    except msgspec.DecodeError as error:
        raise invalid("the body is not JSON") from error
    if not isinstance(body, dict):
        raise invalid("the body must be an object")
    return body


def success(data: Any, *, warnings: Sequence[str] | None = None) -> Response:
    """A read without `warnings`, an action with them, be there any or none."""
    told = {} if warnings is None else {"warnings": [{"message": message} for message in warnings]}
    return json_answer({"status": "success", "data": data} | told)


def error_answer(refusal: HTTPException) -> Response:
    code = getattr(refusal, "code", _BY_STATUS.get(refusal.status_code))
    title = CODES[code][1] if code else None
    error = {"code": code, "title": title, "message": refusal.detail, "log_url": _LOGS if code else None}
    body = msgspec.json.encode({"status": "error", "error": error})
    return Response(body, refusal.status_code, refusal.headers, media_type="application/json")
