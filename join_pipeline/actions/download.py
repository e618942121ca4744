"""Download a file from a URL that somebody else wrote, without calling addresses that it must not reach.

Belongs here: which addresses may be called, limits of bytes and time, redirects. Not here: what the file is for.

A host is resolved once, its addresses are checked, and the connection goes to an address that was checked: a name that
resolves differently the second time gains nothing. No proxy is used, because a proxy would resolve the name itself.
JOIN's own origin, and those that the user names, are called as every other call is, and only they get the token.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx

from join_pipeline.errors import InputError, RateLimited, SourceError, TransientError
from join_pipeline.http.client import USER_AGENT
from join_pipeline.http.deadline import bound, within
from join_pipeline.http.network import http_client, is_public
from join_pipeline.http.unpacking import TooLargeError, UnpackingError, codings_of, unpacking

MAX_REDIRECTS: Final = 5
READ_SECONDS: Final = 15.0
TOTAL_SECONDS: Final = 120.0
ATTEMPTS: Final = 4
FIRST_WAIT: Final = 1.0
HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # some storages pack what they keep, all the same
}
Resolve = Callable[[str, int], list[str]]

UNREADABLE: Final = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""Codings that pack a body and are not unpacked. Storages also keep charsets, `aws-chunked` and nothing there: such a
body is the file."""
BUSY: Final = frozenset({408, 425, 429})
NEEDS_TOKEN: Final = frozenset({401, 403})
GONE: Final = frozenset({400, 404, 410}) | NEEDS_TOKEN
TakenT = TypeVar("TakenT")


class DownloadError(SourceError):
    """The file can't be downloaded, and another attempt would fail, too."""


class GoneError(DownloadError):
    """The server refuses the file: its URL has expired, or the file is not there."""


def parse_url(text: str) -> httpx.URL:
    """The URL in a text, if its form allows a download. Raises `InputError` for the field `url` otherwise."""
    try:
        url = httpx.URL(text)
        url.host.encode("idna")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise InputError("url", "is no URL") from None
    if url.scheme not in {"http", "https"} or not url.host or "%" in url.host:
        raise InputError("url", "must begin with https:// or http:// and a host")
    if url.userinfo:
        raise InputError("url", "must not hold a user or a password")
    return url


def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a host, as the operating system resolves it: `127.1` and `0x7f000001` are addresses, too."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise OSError("no address")
    return addresses


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a server that may get the token."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL) -> "Origin":
        return cls(url.scheme, url.host.lower().rstrip("."), url.port or {"http": 80, "https": 443}.get(url.scheme, 0))


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads files. Only `trusted` gets `token`, and may have any address; every other host must be public.

    `setting` is the one that a user changes where a host is not allowed, or wants the token.
    """

    trusted: Origin | None = None
    token: str | None = field(default=None, repr=False)
    allow_private: bool = False
    total_seconds: float = TOTAL_SECONDS
    resolve: Resolve = resolve_host
    further: tuple[Origin, ...] = ()
    setting: str = "JOIN_PIPELINE_PRIVATE_DATA_URLS=true"
    sleep: Callable[[float], None] = time.sleep

    def download(self, url: str, max_bytes: int) -> tuple[bytes, httpx.Headers]:
        """The whole file. Raises `DownloadError` if it is larger than `max_bytes`."""
        return self.fetch(url, lambda answer: (b"".join(answer.chunks(max_bytes)), answer.headers))

    def fetch(self, url: str, take: Callable[["FileResponse"], TakenT]) -> TakenT:
        """What `take` makes of the response. A failure that may pass is repeated, all within `total_seconds`.

        `take` is called anew for each response, as a body can break off at any byte.
        """
        deadline, wait = time.monotonic() + self.total_seconds, FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.open(url, deadline) as answer:
                    return take(answer)
            except TransientError as error:
                asked = error.retry_after if isinstance(error, RateLimited) else None
                pause = max(wait, asked or 0.0)
                if attempt == ATTEMPTS or time.monotonic() + pause > deadline:
                    raise
            self.sleep(pause)
            wait *= 2
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def open(self, url: str, deadline: float | None = None) -> Iterator["FileResponse"]:
        """The response to a GET, with its body unread. Follows redirects and checks each like the first URL."""
        ends = time.monotonic() + self.total_seconds if deadline is None else deadline
        target = parse_url(url)
        options: dict[str, Any] = {
            "timeout": max(min(READ_SECONDS, ends - time.monotonic()), 0.1),
            "follow_redirects": False,
        }
        with (
            within(max(ends - time.monotonic(), 0.1)),
            http_client(target, **options) as own,
            bound(httpx.Client(trust_env=False, verify=httpx.create_ssl_context(), **options)) as http,
        ):
            for _ in range(MAX_REDIRECTS + 1):
                is_trusted = Origin.of(target) in (self.trusted, *self.further)
                response = self._trusted(own, target, ends) if is_trusted else self._public(http, target, ends)
                try:
                    location = response.headers.get("location")
                    if not response.is_redirect or location is None:
                        advice = "" if is_trusted or self.token is None else f" {self._advice(target)}"
                        yield FileResponse(_checked(response, advice), ends, advice)
                        return
                finally:
                    response.close()
                target = _redirect_target(target, location)
        raise DownloadError(f"The file at {target.host} is redirected more than {MAX_REDIRECTS} times.")

    def _trusted(self, http: httpx.Client, target: httpx.URL, ends: float) -> httpx.Response:
        """Call the trusted origin as every other call does: through the environment's proxy, with the token."""
        headers = HEADERS | ({"Authorization": self.token} if self.token else {})
        request = http.build_request("GET", target, headers=headers, extensions={"host": target.host})
        return _response(http, request, ends)

    def _public(self, http: httpx.Client, target: httpx.URL, ends: float) -> httpx.Response:
        """Call any other host: at the address that was checked, and without the token."""
        address = self._address(target)
        headers = {"Host": target.netloc.decode("ascii"), **HEADERS}
        # the certificate is checked against the name, not against the address
        extensions = {"host": target.host, "sni_hostname": target.host}
        there = target.copy_with(host=address)
        return _response(http, http.build_request("GET", there, headers=headers, extensions=extensions), ends)

    def _address(self, target: httpx.URL) -> str:
        try:
            addresses = self.resolve(target.host, Origin.of(target).port)
        except (OSError, UnicodeError):
            raise TransientError(f"{target.host} has no address. Check the URL and the network.") from None
        # all of them must be public: which one is used must not depend on chance
        if not self.allow_private and not all(is_public(address) for address in addresses):
            raise DownloadError(
                f"{target.host} is an address of this machine or of a private network, and files are taken from public "
                f"hosts only. {self._advice(target) if self.token else f'{self.setting} allows it.'}"
            )
        return addresses[0]

    def _advice(self, target: httpx.URL) -> str:
        """What to do if a host that is not trusted should be."""
        where = target.netloc.decode("ascii")
        return f"If {target.host} is JOIN's and should get the token, name it in {self.setting}, as {where}."


@dataclass(frozen=True, slots=True)
class FileResponse:
    """A successful response whose body is still unread."""

    response: httpx.Response
    ends: float
    advice: str = ""

    @property
    def host(self) -> str:
        name: str = self.response.request.extensions["host"]
        return name

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    def chunks(self, max_bytes: int) -> Iterator[bytes]:
        """The file, unpacked, limited in bytes and in time, whatever the headers say."""
        codings = codings_of(self.response.headers)
        if not UNREADABLE.isdisjoint(codings):
            raise DownloadError(f"{self.host} packs the file in a way that can't be unpacked, and was asked not to.")
        try:
            yield from unpacking(self._sent(max_bytes), codings, max_bytes)
        except TooLargeError:
            raise _too_large(self.host, max_bytes) from None
        except UnpackingError as error:
            raise DownloadError(f"The file at {self.host} can't be unpacked: {error}.") from None

    def _sent(self, max_bytes: int) -> Iterator[bytes]:
        """The body as it is sent."""
        host, n_bytes = self.host, 0
        promised = self.response.headers.get("content-length", "")
        if promised.isascii() and promised.isdigit() and int(promised) > max_bytes:
            raise _too_large(host, max_bytes)
        try:
            for chunk in self.response.iter_raw():
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise _too_large(host, max_bytes)
                if time.monotonic() >= self.ends:
                    raise DownloadError(f"The file at {host} takes too long.")
                yield chunk
        except httpx.RequestError as error:
            raise _broken(host, "broke off", error, self.ends) from None


def _too_large(host: str, max_bytes: int) -> DownloadError:
    return DownloadError(f"The file at {host} is larger than {max_bytes:,} bytes.")


def _response(http: httpx.Client, request: httpx.Request, ends: float) -> httpx.Response:
    try:
        return http.send(request, stream=True)
    except httpx.RequestError as error:
        raise _broken(request.extensions["host"], "gave no file", error, ends) from None


def _broken(host: str, fault: str, error: httpx.RequestError, ends: float) -> SourceError:
    """The error of a connection that failed: by itself, or because its time was over."""
    if time.monotonic() >= ends:
        return DownloadError(f"The file at {host} takes too long.")
    return TransientError(f"{host} {fault} ({type(error).__name__}). Run it again later.")


def _redirect_target(target: httpx.URL, location: str) -> httpx.URL:
    try:
        following = parse_url(str(target.join(location)))
    except (InputError, httpx.InvalidURL, ValueError):
        raise DownloadError(f"{target.host} redirects to what is no web address.") from None
    if target.scheme == "https" and following.scheme == "http":
        raise DownloadError(f"{target.host} redirects from https to http.")
    return following


def _checked(response: httpx.Response, advice: str) -> httpx.Response:
    if response.is_success:
        return response
    status, host = response.status_code, response.request.extensions["host"]
    message = f"{host} answered {status} where a file should be."
    if status in GONE:
        raise GoneError(message + (advice if status in NEEDS_TOKEN else ""))
    if status in BUSY or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        asked = response.headers.get("retry-after", "")
        raise RateLimited(message, float(asked)) if asked.isascii() and asked.isdigit() else TransientError(message)
    raise DownloadError(message)
