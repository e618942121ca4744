"""The gate before /v2: token, rate limit, faults, in that order; then the endpoint."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal, error_answer
from join_pipeline.sandbox.faults import instead, spoil
from join_pipeline.sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]


def gated(
    world: World, endpoint: Callable[[Request], Response] | None = None, *, post: Endpoint | None = None
) -> Endpoint:
    """An endpoint behind the gate: one that reads (`endpoint`) or one that waits for a body (`post`)."""

    async def answer(request: Request) -> Response:
        _check_token(world, request)
        is_allowed, headers = world.limit.take()
        try:
            result = await _behind(request) if is_allowed else error_answer(Refusal(429, "too many requests"))
        except Refusal as refusal:
            result = error_answer(refusal)
        for name, value in headers.items():
            result.headers.setdefault(name, value)
        return result

    async def _behind(request: Request) -> Response:
        if world.strikes("slow"):
            await asyncio.sleep(world.config.slow_seconds)
        trouble = instead(world)
        if trouble is not None:
            return trouble
        if post is not None:
            return spoil(world, await post(request))
        assert endpoint is not None  # noqa: S101 - one of the two is given
        return spoil(world, endpoint(request))

    return answer


def _check_token(world: World, request: Request) -> None:
    token = request.headers.get("authorization")
    if not token:
        raise Refusal(422, "the Authorization header is missing")
    if token != world.config.token:
        raise Refusal(401, "the token is not valid")
