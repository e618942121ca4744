"""The sandbox over HTTP: routes, and starting and stopping it."""

import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from types import FrameType
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from join_pipeline.sandbox.answers import Refusal, on_refusal
from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.control import Control
from join_pipeline.sandbox.faults import dated, written
from join_pipeline.sandbox.gate import gated
from join_pipeline.sandbox.kombo.routes import kombo_routes
from join_pipeline.sandbox.kombo.service import Kombo
from join_pipeline.sandbox.read_endpoints import Reading
from join_pipeline.sandbox.world import World
from join_pipeline.sandbox.write_endpoints import create_application, create_note

SIMULATED: Final = "x-sandbox-clock"
"""The header in which a sandbox says that its clock is simulated, and what it shows, in epoch seconds. JOIN and Kombo
have no such header.
"""


def make_app(world: World, kombo: Kombo | None = None) -> ASGIApp:
    """The ASGI application of one sandbox. A caller that inspects Kombo's copy passes its own `kombo`."""
    reading, control = Reading(world), Control(world)

    def nothing(_: Request) -> Response:
        raise Refusal(404, "no such path")

    def writing(write: Callable[[World, Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        return lambda request: written(world, request, partial(write, world))

    has_open_files = not world.config.files_need_token
    app = Starlette(
        routes=[
            Route("/v2/jobs", gated(world, reading.jobs), methods=["GET"]),
            Route("/v2/jobs/{id}", gated(world, reading.job), methods=["GET"]),
            Route("/v2/applications", gated(world, reading.applications), methods=["GET"]),
            Route("/v2/applications", gated(world, writing(create_application)), methods=["POST"]),
            Route("/v2/applications/{id}", gated(world, reading.application), methods=["GET"]),
            Route("/v2/attachments/{id}/{file}", gated(world, reading.attachment, is_open=has_open_files)),
            Route("/v2/candidates/{id}/notes", gated(world, writing(create_note)), methods=["POST"]),
            Route("/v2/offices", gated(world, reading.offices), methods=["GET"]),
            Route("/v2/categories", gated(world, reading.categories), methods=["GET"]),
            Route("/v2/employmentTypes", gated(world, reading.employment_types), methods=["GET"]),
            Route("/v2/seniorityLevels", gated(world, reading.seniority_levels), methods=["GET"]),
            Route("/v2/{path:path}", gated(world, nothing), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            *kombo_routes(kombo or Kombo(world)),
            Route("/control/truth", control.truth, methods=["GET"]),
            Route("/control/clock", control.clock, methods=["GET", "POST"]),
            Route("/control/faults", control.faults, methods=["GET", "POST"]),
            Route("/control/notes", control.notes, methods=["GET"]),
        ],
        exception_handlers={HTTPException: on_refusal},
    )
    app.router.redirect_slashes = False
    return _dated(app, world)


def _dated(app: ASGIApp, world: World) -> ASGIApp:
    """Every response has the sandbox's clock as its `Date`, and says that it is simulated. uvicorn's own is off."""

    async def with_date(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[SIMULATED] = f"{world.clock.now() / 1000:.3f}"
                if date := dated(world):
                    headers["date"] = date
            await send(message)

        await app(scope, receive, send_dated)

    return with_date


class _Server(uvicorn.Server):
    """A server that reports when it listens, and that stops silently."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; uvicorn's own raises them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_signal: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(config: SandboxConfig) -> tuple[socket.socket, str]:
    """A listening socket and the base URL. It opens first, so that a busy port fails before the company is made."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.create_server((config.host, config.port), family=family, backlog=128)
    host = f"[{config.host}]" if family == socket.AF_INET6 else config.host
    return listener, f"http://{host}:{listener.getsockname()[1]}"


def _server(config: SandboxConfig, url: str, on_started: Callable[[], None]) -> _Server:
    app = make_app(World(config, url))
    settings = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return _Server(settings, on_started)


def serve(config: SandboxConfig, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` gets the base URL once it listens."""
    listener, url = _listen(config)
    with listener:
        _server(config, url, lambda: ready(url)).run(sockets=[listener])


@contextlib.contextmanager
def running(config: SandboxConfig) -> Iterator[str]:
    """Serve from a thread of this process, and yield the base URL."""
    listener, url = _listen(config)
    started = threading.Event()
    with listener:
        server = _server(config, url, started.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
        thread.start()
        try:
            if not started.wait(30):
                raise TimeoutError("the sandbox did not start within 30 seconds")
            yield url
        finally:
            server.should_exit = True
            thread.join(10)
