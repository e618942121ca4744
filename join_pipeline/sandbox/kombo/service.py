"""One Kombo: its copy of the account, its limits, and the checks of every request.

A request passes key, rate limit, faults, integration and setup, in this order, and then the endpoint.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.faults import instead, spoil
from join_pipeline.sandbox.kombo.answers import KomboRefusal, error_answer, invalid
from join_pipeline.sandbox.kombo.records import Records
from join_pipeline.sandbox.kombo.replica import Replica
from join_pipeline.sandbox.limits import RateLimit
from join_pipeline.sandbox.world import World

Answer = Response | Awaitable[Response]
Endpoint = Callable[[Request], Answer]

CONDITIONS: Final = {
    "setup_incomplete": "INTEGRATION.SETUP_INCOMPLETE",
    "setup_pending": "INTEGRATION.SETUP_SYNC_PENDING",
    "qa_failed": "INTEGRATION.QA_FAILED",
    "inactive": "INTEGRATION.INACTIVE",
    "credentials_invalid": "INTEGRATION.AUTHENTICATION_INVALID",
}


class Kombo:
    """What the endpoints work on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.replica = Replica(world)
        self.records = Records(self.replica)
        self.limit = RateLimit(world.config.kombo.rate_limit, prefix="ratelimit")
        self._in_flight = 0

    def condition(self) -> str:
        """The integration's condition now; before its first sync there is nothing to be ready."""
        if self.world.clock.now() < self.replica.connected:
            return "setup_pending"
        return self.replica.settings.condition

    def general(self, endpoint: Endpoint, *, is_action: bool = False) -> Endpoint:
        """An endpoint of the platform itself."""

        async def answer(request: Request) -> Response:
            try:
                self._check_key(request)
            except Refusal as refusal:
                return error_answer(refusal)
            is_allowed, headers = self.limit.take()
            try:
                if not is_allowed:
                    raise KomboRefusal("PLATFORM.RATE_LIMIT_EXCEEDED", "too many requests in this window")
                result = await (self._counted if is_action else self._behind)(endpoint, request)
            except Refusal as refusal:
                result = error_answer(refusal)
            for name, value in headers.items():
                result.headers.setdefault(name, value)
            return result

        return answer

    def of_integration(self, endpoint: Endpoint, *, is_action: bool = False) -> Endpoint:
        """An endpoint that needs an integration, in whatever condition."""

        def answer(request: Request) -> Answer:
            named = request.headers.get("x-integration-id")
            if not named:
                raise invalid("the X-Integration-Id header is missing")
            if named != self.world.config.kombo.integration_id:
                raise KomboRefusal("PLATFORM.INTEGRATION_NOT_FOUND", "no integration has this id")
            return endpoint(request)

        return self.general(answer, is_action=is_action)

    def of_data(self, endpoint: Endpoint, *, is_action: bool = False) -> Endpoint:
        """An endpoint that needs an integration in working order; of actions only so many go on at once."""

        def answer(request: Request) -> Answer:
            condition = self.condition()
            if condition != "ready":
                raise KomboRefusal(CONDITIONS[condition], f"the integration is in condition {condition}")
            self.replica.look(self.world.clock.now())
            return endpoint(request)

        return self.of_integration(answer, is_action=is_action)

    async def _counted(self, endpoint: Endpoint, request: Request) -> Response:
        allowed = self.world.config.kombo.actions_in_flight
        headers = {"Concurrency-Limit": str(allowed), "Concurrency-Remaining": "0"}
        if self._in_flight >= allowed:
            raise KomboRefusal("PLATFORM.CONCURRENCY_LIMIT_EXCEEDED", f"{allowed} actions are under way", headers)
        self._in_flight += 1
        try:
            result = await self._behind(endpoint, request)
        finally:
            self._in_flight -= 1
        result.headers.update(headers | {"Concurrency-Remaining": str(allowed - self._in_flight)})
        return result

    def _check_key(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.world.config.kombo.api_key}":
            raise KomboRefusal("PLATFORM.AUTHENTICATION_INVALID", "the API key is missing or not valid")

    async def _behind(self, endpoint: Endpoint, request: Request) -> Response:
        if self.world.strikes("slow"):
            await asyncio.sleep(self.world.config.slow_seconds)
        trouble = instead(self.world, request, self.limit, error_answer)
        if trouble is not None:
            return trouble
        result = endpoint(request)
        return spoil(self.world, result if isinstance(result, Response) else await result)
