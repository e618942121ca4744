"""Download a file from a URL that somebody else wrote, without calling addresses that it must not reach.

Belongs here: which addresses may be called, limits of bytes and time, redirects. Not here: what the file is for.

A host is resolved once, its addresses are checked, and the connection goes to an address that was checked: a name that
resolves differently the second time gains nothing. No proxy is used, because a proxy would resolve the name itself.
JOIN's own origin is called as every other call calls it, and only that origin gets the token.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from join_pipeline.errors import InputError, SourceError, TransientError
from join_pipeline.http.client import USER_AGENT
from join_pipeline.http.network import http_client

MAX_REDIRECTS: Final = 5
READ_SECONDS: Final = 15.0
TOTAL_SECONDS: Final = 120.0
CHUNK: Final = 64 * 1024
HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # a small compressed body can unpack without end
}
Resolve = Callable[[str, int], list[str]]

# blocks that wrap an IPv4 address, which is where the connection goes
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_CARRIER: Final = ipaddress.IPv4Network("100.64.0.0/10")


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


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet. An address that wraps another one counts as that one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return ip.is_global and not (ip.is_multicast or ip.is_site_local)
    return ip.is_global and not ip.is_multicast and ip not in _CARRIER


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
        return cls(url.scheme, url.host.lower(), url.port or {"http": 80, "https": 443}.get(url.scheme, 0))


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads files. Only `trusted` gets `token`, and it may have any address; every other host must be public."""

    trusted: Origin | None = None
    token: str | None = field(default=None, repr=False)
    allow_private: bool = False
    total_seconds: float = TOTAL_SECONDS
    resolve: Resolve = resolve_host

    def download(self, url: str, max_bytes: int) -> tuple[bytes, httpx.Headers]:
        """The whole file. Raises `DownloadError` if it is larger than `max_bytes`."""
        with self.open(url) as answer:
            content = b"".join(answer.chunks(max_bytes))
            return content, answer.headers

    @contextmanager
    def open(self, url: str) -> Iterator["FileResponse"]:
        """The response to a GET, with its body unread. Follows redirects and checks each like the first URL."""
        deadline = time.monotonic() + self.total_seconds
        target = parse_url(url)
        options: dict[str, Any] = {"timeout": READ_SECONDS, "follow_redirects": False}
        with (
            http_client(target, **options) as own,
            httpx.Client(trust_env=False, verify=httpx.create_ssl_context(), **options) as http,
        ):
            for _ in range(MAX_REDIRECTS + 1):
                response = (
                    self._from_trusted(own, target)
                    if Origin.of(target) == self.trusted
                    else self._from_public(http, target)
                )
                try:
                    location = response.headers.get("location")
                    if not response.is_redirect or location is None:
                        yield FileResponse(_checked(response), deadline)
                        return
                finally:
                    response.close()
                target = _redirect_target(target, location)
        raise DownloadError(f"The file at {target.host} is redirected more than {MAX_REDIRECTS} times.")

    def _from_trusted(self, http: httpx.Client, target: httpx.URL) -> httpx.Response:
        """Call the trusted origin as every other call does: through the environment's proxy, with the token."""
        headers = HEADERS | ({"Authorization": self.token} if self.token else {})
        return _response(http, http.build_request("GET", target, headers=headers, extensions={"host": target.host}))

    def _from_public(self, http: httpx.Client, target: httpx.URL) -> httpx.Response:
        """Call any other host: at the address that was checked, and without the token."""
        address = self._address(target)
        headers = {"Host": target.netloc.decode("ascii"), **HEADERS}
        # the certificate is checked against the name, not against the address
        extensions = {"host": target.host, "sni_hostname": target.host}
        return _response(
            http, http.build_request("GET", target.copy_with(host=address), headers=headers, extensions=extensions)
        )

    def _address(self, target: httpx.URL) -> str:
        try:
            addresses = self.resolve(target.host, Origin.of(target).port)
        except (OSError, UnicodeError):
            raise TransientError(f"{target.host} has no address. Check the URL and the network.") from None
        # all of them must be public: which one is used must not depend on chance
        if not self.allow_private and not all(is_public(address) for address in addresses):
            raise DownloadError(
                f"{target.host} is an address of this machine or of a private network, and files are taken from public "
                "hosts only. JOIN_PIPELINE_PRIVATE_DATA_URLS=true allows it."
            )
        return addresses[0]


@dataclass(frozen=True, slots=True)
class FileResponse:
    """A successful response whose body is still unread."""

    response: httpx.Response
    deadline: float

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    def chunks(self, max_bytes: int) -> Iterator[bytes]:
        """The body, limited in bytes and in time, whatever its headers say."""
        host, n_bytes = self.response.request.extensions["host"], 0
        if self.response.headers.get("content-encoding", "identity").lower() != "identity":
            raise DownloadError(f"{host} packs the file although it was asked not to.")
        promised = self.response.headers.get("content-length", "")
        if promised.isascii() and promised.isdigit() and int(promised) > max_bytes:
            raise DownloadError(f"The file at {host} is larger than {max_bytes:,} bytes.")
        try:
            for chunk in self.response.iter_raw(CHUNK):
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise DownloadError(f"The file at {host} is larger than {max_bytes:,} bytes.")
                if time.monotonic() > self.deadline:
                    raise DownloadError(f"The file at {host} takes too long.")
                yield chunk
        except httpx.RequestError as error:
            raise TransientError(f"{host} broke off ({type(error).__name__}). Run it again later.") from None


def _response(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    try:
        return http.send(request, stream=True)
    except httpx.RequestError as error:
        host = request.extensions["host"]
        raise TransientError(f"{host} gave no file ({type(error).__name__}). Run it again later.") from None


def _redirect_target(target: httpx.URL, location: str) -> httpx.URL:
    try:
        following = parse_url(str(target.join(location)))
    except (InputError, httpx.InvalidURL, ValueError):
        raise DownloadError(f"{target.host} redirects to what is no web address.") from None
    if target.scheme == "https" and following.scheme == "http":
        raise DownloadError(f"{target.host} redirects from https to http.")
    return following


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    status, host = response.status_code, response.request.extensions["host"]
    is_gone = status in {400, 401, 403, 404, 410}
    is_busy = status >= httpx.codes.INTERNAL_SERVER_ERROR or status in {408, 425, 429}
    kind = GoneError if is_gone else TransientError if is_busy else DownloadError
    raise kind(f"{host} answered {status} where a file should be.")
