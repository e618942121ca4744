"""/control: the endpoints for testers, which JOIN does not have. They answer on loopback only."""

from ipaddress import ip_address

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from join_pipeline.sandbox import instants
from join_pipeline.sandbox.answers import Refusal, json_answer, json_body
from join_pipeline.sandbox.truth import truth
from join_pipeline.sandbox.world import World


class Control:
    """The control endpoints of one sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def truth(self, request: Request) -> Response:
        check_loopback(request)
        return StreamingResponse(truth(self._world, self._world.clock.now()), media_type="application/x-ndjson")

    async def clock(self, request: Request) -> Response:
        check_loopback(request)
        if request.method == "POST":
            now = (await json_body(request)).get("now")
            if not isinstance(now, str):
                raise Refusal(422, "now must be an ISO 8601 instant")
            try:
                self._world.clock.set(instants.parse(now))
            except ValueError as error:
                raise Refusal(422, "now must be an ISO 8601 instant") from error
            self._world.look()
        return json_answer({"now": instants.iso(self._world.clock.now())})

    async def faults(self, request: Request) -> Response:
        """Replace all faults by those of the body."""
        check_loopback(request)
        if request.method == "POST":
            try:
                self._world.set_faults(msgspec.convert(await json_body(request), dict[str, float]))
            except (ValueError, msgspec.ValidationError) as error:
                raise Refusal(422, str(error)) from error
        return json_answer(self._world.faults)

    async def notes(self, request: Request) -> Response:
        """The written notes, which the API itself never shows."""
        check_loopback(request)
        return json_answer(self._world.written.notes)


def check_loopback(request: Request) -> None:
    host = request.client.host if request.client else ""
    if not (host and ip_address(host).is_loopback):
        raise Refusal(403, "the control path answers on loopback only")
