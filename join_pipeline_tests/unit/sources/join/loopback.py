"""A small real HTTP server in a thread, and a client against it whose waits take no time."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from join_pipeline.sources.join.client import JoinClient

TOKEN = "tok-4f7Zq-secret"


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]

    @property
    def page(self) -> int:
        return int(self.params.get("page", 1))


@dataclass(frozen=True)
class Answer:
    """What is sent back. `cut` bytes of the body are kept back; `is_dropped` closes without any answer.

    With `drip` the body comes byte by byte, so many seconds apart.
    """

    body: bytes = b"[]"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    is_dropped: bool = False
    drip: float = 0.0


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json", **named})


@dataclass
class Loopback:
    """A running server: where it is, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Loopback]:
    """Serve on a free port of 127.0.0.1 until the block ends; `answer` runs in the request's thread."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): text for name, text in self.headers.items()}
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), headers)
            loopback.asked.append(asked)
            given = answer(asked)
            if given.is_dropped:
                self.close_connection = True
                return
            self.send_response_only(given.status)  # with no header that nobody asked for
            for name, text in ({"Content-Length": str(len(given.body))} | given.headers).items():
                self.send_header(name, text)
            self.end_headers()
            whole = given.body[: len(given.body) - given.cut]
            for part in [whole[n : n + 1] for n in range(len(whole))] if given.drip else [whole]:
                self.wfile.write(part)
                if given.drip:
                    self.wfile.flush()
                    time.sleep(given.drip)
            self.close_connection = given.cut > 0

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    loopback = Loopback(f"http://127.0.0.1:{server.server_port}/v2")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """Each answer once, the last one again and again."""
    left = list(answers)
    lock = threading.Lock()

    def answer(_: Asked) -> Answer:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


def records(*ids: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, "lastUpdatedAt": "2026-05-01T08:00:00Z", **more} for number in ids]


def paged(everything: list[Any], size: int = 50) -> Callable[[Asked], Answer]:
    """A list as JOIN pages it, by pages of at most `size`."""

    def answer(asked: Asked) -> Answer:
        step = min(size, int(asked.params["pageSize"]))
        return as_json(everything[(asked.page - 1) * step : asked.page * step])

    return answer


@contextmanager
def reading(url: str, slept: list[float] | None = None, **options: Any) -> Iterator[JoinClient]:
    """A client whose waits are noted, and pass on its clock at once."""
    waits: list[float] = [] if slept is None else slept
    clock = {"sleep": waits.append, "monotonic": lambda: time.monotonic() + sum(waits)}
    with JoinClient(url, TOKEN, **{"timeout_seconds": 5.0, **clock, **options}) as client:
        yield client
