"""The gate before /v2. A request passes token, rate limit and faults, in that order, and then the endpoint."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal, error_answer
from join_pipeline.sandbox.faults import instead, spoil
from join_pipeline.sandbox.world import World

Answer = Response | Awaitable[Response]  # endpoints that need a body wait for it


def gated(
    world: World, endpoint: Callable[[Request], Answer], *, is_open: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint behind the gate. An open one also accepts requests without a token."""

    async def answer(request: Request) -> Response:
        _check_token(world, request, is_open=is_open)
        is_allowed, headers = world.limit.take()
        try:
            result = await behind(request) if is_allowed else error_answer(Refusal(429, "too many requests"))
        except Refusal as refusal:
            result = error_answer(refusal)
        for name, value in headers.items():
            result.headers.setdefault(name, value)
        return result

    async def behind(request: Request) -> Response:
        if world.strikes("slow"):
            await asyncio.sleep(world.config.slow_seconds)
        trouble = instead(world, request, world.limit, error_answer)
        if trouble is not None:
            return trouble
        result = endpoint(request)
        return spoil(world, result if isinstance(result, Response) else await result)

    return answer


def _check_token(world: World, request: Request, *, is_open: bool) -> None:
    token = request.headers.get("authorization")
    if not token and not is_open:
        raise Refusal(world.config.missing_token_status, "the Authorization header is missing")
    if token and token != world.config.token:
        raise Refusal(world.config.wrong_token_status, "the token is not valid")
    # not from `request.url`, which Starlette builds again for each request
    if request.scope["path"].startswith(world.config.forbidden or "\0"):
        raise Refusal(403, "this is not allowed")
