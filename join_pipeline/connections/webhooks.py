"""The receiver of a source's webhooks. A genuine webhook about new data sets the trigger.

By default it listens on this machine only, and a proxy before it speaks TLS. Each connection serves one request.
Belongs here: HTTP, and its limits. Not here: which webhook is genuine (sources), what a trigger leads to (defs).
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from join_pipeline.connections.trigger import set_trigger
from join_pipeline.errors import PipelineError, SettingsError
from join_pipeline.sources.base import Source, Webhooks

MAX_BYTES: Final = 1_000_000
SECONDS: Final = 10.0
BACKLOG: Final = 128
MOST_CONNECTIONS: Final = 100
IDLE_SECONDS: Final = 2.0
"""If more than so many connections are open, those that have waited so long for their head are closed."""
CLOSE: Final = {"connection": "close"}


class TooLargeError(Exception):
    """The request's body is longer than any webhook."""


def receive_webhooks(source: Source, home: Path, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Receive webhooks until interrupted. It calls `ready` with the port once it listens.

    Raises `SettingsError` if the source sends no webhooks, if their secret is not set, or if the port is in use.
    """
    with bound(host, port) as taken:
        server = receiver(source, home)
        ready(taken.getsockname()[1])
        server.run(sockets=[taken])


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """Bind the port and listen. A client that connects early waits until the receiver runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such address"
        raise SettingsError(f"{host}:{port} can't be opened ({reason}). --port 0 takes any free one.") from None
    with taken:
        yield taken


def receiver(source: Source, home: Path) -> uvicorn.Server:
    """The receiver of a source's webhooks for the connection in this folder, not yet serving."""
    webhooks = source.webhooks
    if webhooks is None:
        raise SettingsError(
            f"{source.title} sends no webhooks, so there is nothing to receive. Check JOIN_PIPELINE_SOURCE."
        )
    webhooks.check()
    config = uvicorn.Config(
        Receiver(webhooks, home),
        http=_Bounded,
        ws="none",
        lifespan="off",
        server_header=False,
        access_log=False,  # the sender chooses the request line, so it must not reach the log
        log_level="critical",
        timeout_graceful_shutdown=int(SECONDS),
    )
    return uvicorn.Server(config)


@dataclass(frozen=True, slots=True)
class Receiver:
    """The ASGI application. POST takes a webhook; GET and HEAD answer that it is up."""

    webhooks: Webhooks
    home: Path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        if request.method in {"GET", "HEAD"}:
            return PlainTextResponse("ok\n", headers=CLOSE)
        if request.method != "POST":
            return Response(status_code=405, headers=CLOSE | {"allow": "GET, HEAD, POST"})
        try:
            async with asyncio.timeout(SECONDS):
                body = await _body(request)
        except TooLargeError:
            return Response(status_code=413, headers=CLOSE)
        except TimeoutError:
            return Response(status_code=408, headers=CLOSE)
        except ClientDisconnect:
            return None
        # in a thread: a disk that is slow must not hold up the other senders
        status = await asyncio.to_thread(self._take, _headers(request), body)
        return Response(status_code=status, headers=CLOSE)

    def _take(self, headers: Headers, body: bytes) -> int:
        """Take one webhook and return the HTTP status. A webhook that is not genuine changes nothing."""
        if not self.webhooks.is_genuine(headers, body):
            return 401
        try:
            if self.webhooks.is_about_data(body):
                set_trigger(self.home)
        except PipelineError:
            return 503  # for example a full disk: the sender retries
        return 204


def _headers(request: Request) -> Headers:
    """The headers, each once. A header that came twice has both values, so two signatures are none."""
    return Headers({name: ", ".join(request.headers.getlist(name)) for name in request.headers})


async def _body(request: Request) -> bytes:
    """The whole body, with or without a Content-Length. If the header states too much, nothing is read."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > MAX_BYTES:
        raise TooLargeError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise TooLargeError
    return bytes(body)


class _Bounded(H11Protocol):
    """HTTP that closes a connection without a complete request head after `SECONDS`, or if too many others wait.

    uvicorn itself limits only the pause between two requests. Idle connections would take all files that the process
    may open, and a sender sends its head at once.
    """

    cycle: Any  # None until a request's head is complete
    opened_at: float

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.opened_at = self.loop.time()
        self.loop.call_later(SECONDS, self._end_silent)
        if len(self.connections) > MOST_CONNECTIONS:
            for one in list(self.connections):
                if isinstance(one, _Bounded) and self.opened_at - one.opened_at > IDLE_SECONDS:
                    one._end_silent()

    def _end_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()
