"""One deadline per request, over connecting, sending, the head and the body of the response.

Belongs here: ending a request in time. Not here: whether it is sent again (retry), how large a body may be (unpacking).

httpx limits the time of each read only, so a server that sends one byte a second would hold a request for ever. The
connections of a client of `bound` ask before each read and write how much time is left. A request that runs out of
time ends with httpx's own timeout error, and its connection is closed.
"""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, Final

import httpcore
import httpx

PIECE: Final = 16 * 1024


class _Time(threading.local):
    """What the request of this thread may take, and when it ends. Both are None while there is no request."""

    seconds: float | None = None
    ends: float | None = None


_TIME: Final = _Time()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give the requests of this thread so many seconds, from the first byte that they send or the connection they open.

    The wait for a place in the client's pool does not count, because other requests cause it.
    """
    before = _TIME.seconds, _TIME.ends
    _TIME.seconds, _TIME.ends = seconds, None
    try:
        yield
    finally:
        _TIME.seconds, _TIME.ends = before


def bound(client: httpx.Client) -> httpx.Client:
    """The same client, whose connections keep to the time of `within`."""
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Backend(pool._network_backend)
    return client


def _left(timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    if _TIME.seconds is None:
        return timeout
    if _TIME.ends is None:
        _TIME.ends = time.monotonic() + _TIME.seconds
    left = _TIME.ends - time.monotonic()
    if left <= 0:
        raise error(f"The request did not end within {_TIME.seconds:.0f} s")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for first in range(0, len(buffer), PIECE):
            self._stream.write(buffer[first : first + PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers. All of its addresses together have the time."""
        _left(timeout, httpcore.ConnectTimeout)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from None
        last: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("no address")
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                return _Stream(self._backend.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._backend.connect_unix_socket(path, left, socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)
