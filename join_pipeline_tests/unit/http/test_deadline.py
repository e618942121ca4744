"""One deadline per request, over connecting, sending, the head and the body, whatever the server does with the time."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from join_pipeline.errors import SourceError, TransientError
from join_pipeline.sources.join.client import JoinClient

SECONDS = 0.4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Talk = Callable[[socket.socket], None]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@contextmanager
def talking(talk: Talk) -> Iterator[tuple[str, list[float]]]:
    """A server that does `talk` with each connection; when the client closed each of them."""
    closed: list[float] = []
    ends = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            connection.recv(65_536)
            with suppress(OSError):
                while not ends.is_set():
                    talk(connection)
            closed.append(time.monotonic())

    def listen() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v2", closed
        finally:
            ends.set()
            listener.shutdown(socket.SHUT_RDWR)


def dripping(begin: bytes, again: bytes, pause: float = 0.05) -> Talk:
    """Send `begin` at first, then `again` for ever; to a client that is gone, fail."""
    begun: set[int] = set()

    def talk(connection: socket.socket) -> None:
        connection.sendall(again if id(connection) in begun else begin or again)
        begun.add(id(connection))
        time.sleep(pause)

    return talk


def silent(connection: socket.socket) -> None:
    if not connection.recv(1):
        raise OSError


TALKS = {
    "nothing": silent,
    "a status line that drips": dripping(b"", b"H"),
    "a head without end": dripping(HEAD, b"X-A: b\r\n"),
    "one header without end": dripping(HEAD + b"X-A: ", b"b"),
    "interim responses without end": dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body that drips": dripping(HEAD + b"Content-Length: 100000\r\n\r\n[", b" "),
    "a chunked body without end": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", b"1\r\n \r\n"),
    "a body until the connection closes": dripping(HEAD + b"\r\n[", b" "),
    "an error that drips": dripping(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n{", b" "),
    "a redirect that drips": dripping(b"HTTP/1.1 302 No\r\nLocation: /v2/x\r\n", b"X-A: b\r\n"),
}


@pytest.mark.parametrize("ask", ["get", "ask"])
@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_a_request_ends_in_time_and_its_connection_is_closed(talk: Talk, ask: str) -> None:
    with talking(talk) as (url, closed):
        began = time.monotonic()
        with JoinClient(url, "token", timeout_seconds=SECONDS, max_wait_seconds=1e-9) as client:
            with pytest.raises(TransientError, match="got no response"):
                client.get("/jobs") if ask == "get" else client.ask("GET", "/jobs")
            took = time.monotonic() - began
            assert took < SECONDS + 1.5, "all of it, on a slow machine"
            for _ in range(100):
                if closed:
                    break
                time.sleep(0.05)
            assert len(closed) == 1, "while the client is still open"


def test_a_request_that_is_given_up_is_sent_again() -> None:
    n_connections = 0

    def talk(connection: socket.socket) -> None:
        nonlocal n_connections
        n_connections += 1
        if n_connections == 1:
            while True:
                connection.sendall(b"X")
                time.sleep(0.05)
        connection.sendall(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n[]")
        connection.recv(1)

    with (
        talking(talk) as (url, _),
        JoinClient(url, "token", timeout_seconds=SECONDS, sleep=lambda _: None) as client,
    ):
        assert client.whole("/jobs").records == []
        assert client.n_retries == 1


def test_a_body_that_nobody_takes_is_given_up() -> None:
    def talk(connection: socket.socket) -> None:
        time.sleep(0.05)
        if connection.fileno() < 0:
            raise OSError

    with talking(talk) as (url, _), JoinClient(url, "token", timeout_seconds=SECONDS) as client:
        began = time.monotonic()
        with pytest.raises(SourceError, match="got no response"):
            client.ask("POST", "/applications", content=b"x" * 20_000_000)
        assert time.monotonic() - began < 5


def test_those_who_wait_for_a_connection_do_not_lose_their_time() -> None:
    def talk(connection: socket.socket) -> None:
        time.sleep(SECONDS / 2)
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n[]")
        if not connection.recv(65_536):
            raise OSError

    with (
        talking(talk) as (url, _),
        JoinClient(url, "token", in_flight=1, timeout_seconds=SECONDS * 1.5, max_wait_seconds=1e-9) as client,
    ):
        found: list[bytes] = []
        threads = [threading.Thread(target=lambda: found.append(client.get("/jobs")[0])) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert found == [b"[]"] * 6
