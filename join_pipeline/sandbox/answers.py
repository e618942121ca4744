"""The responses of all endpoints: JSON, and errors in JOIN's shape."""

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "PayloadTooLarge",
    422: "ValidationError",
    429: "TooManyRequests",
}


class Refusal(HTTPException):
    """An error response with its message."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers)


def json_answer(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def error_answer(refusal: HTTPException) -> Response:
    error = {"type": _TYPES.get(refusal.status_code, "ServerError"), "message": refusal.detail}
    answer = json_answer({"error": error}, refusal.status_code)
    answer.headers.update(refusal.headers or {})
    return answer


async def on_refusal(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)  # noqa: S101 - registered for these alone
    return error_answer(refusal)


async def json_body(request: Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise Refusal(422, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal(422, "the body must be an object")
    return body
