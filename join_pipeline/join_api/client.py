"""The client: one connection pool to one JOIN account.

Belongs here: sending requests, turning answers and failures into types, reading lists page by page. Not here: which
lists there are (feeds), when a list ends (paging), what is retried (retry), what a record means (mapping).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec

from join_pipeline.errors import ContractError, JoinError, RateLimited, TransientError
from join_pipeline.join_api.paging import PAGE_SIZE, Paging
from join_pipeline.join_api.rate_limit import RateLimit, wait_asked_for
from join_pipeline.join_api.retry import error_for_status, error_for_transport, next_step, retrying
from join_pipeline.join_api.server_clock import ServerClock

MAX_REDIRECTS: Final = 3
MAX_MESSAGE: Final = 200
USER_AGENT: Final = "join-pipeline"


class _Keyed(msgspec.Struct, rename="camel"):
    id: int | str
    last_updated_at: str | None = None


_KEYED: Final = msgspec.json.Decoder(_Keyed)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came; JOIN's own id and lastUpdatedAt are None where they can't be read."""

    id: str | None
    updated: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: its records as they came, and when (an upper bound of the server's time)."""

    number: int
    records: list["Record"]
    fetched_at: datetime
    n_bytes: int


class _TokenAuth(httpx.Auth):
    """The raw token, without `Bearer`, to the configured origin only."""

    def __init__(self, token: str, base: httpx.URL) -> None:
        self._token = token
        self._origin = _origin(base)

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        if _origin(request.url) == self._origin:
            request.headers["Authorization"] = self._token
        yield request


class JoinClient:
    """Reads from JOIN. Usable from several threads; close it, or use it as a context manager."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        in_flight: int = 8,
        timeout_seconds: float = 30.0,
        max_wait_seconds: float = 900.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        clock: ServerClock | None = None,
    ) -> None:
        self._base = httpx.URL(url.rstrip("/"))
        self._http = httpx.Client(
            auth=_TokenAuth(token, self._base),
            timeout=timeout_seconds,
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            limits=httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight),
            transport=transport,
        )
        self._in_flight = in_flight
        self._max_wait_seconds = max_wait_seconds
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = Lock()
        self.clock = clock or ServerClock(monotonic)
        self.rate_limit = RateLimit(sleep, monotonic)
        self.n_requests = 0
        self.n_retries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> tuple[bytes, datetime]:
        """The JSON body at `path` and when it was fetched. Raises a `JoinError`; retries what is worth it."""
        for attempt in retrying(self._max_wait_seconds, self._sleep):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    with self._lock:
                        self.n_retries += 1
                return self._get_once(path, params)
        raise AssertionError("tenacity returns or raises")

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, in_flight: int | None = None
    ) -> Iterator[Page]:
        """A paged list, in the order of pages; at most `in_flight` asked for side by side, and no more kept."""
        paging = Paging(in_flight or self._in_flight)
        with ThreadPoolExecutor(paging.in_flight, thread_name_prefix="join-page") as pool:
            while window := paging.window():
                asked = [
                    pool.submit(self._page, path, {**(params or {}), "page": str(n), "pageSize": str(PAGE_SIZE)}, n)
                    for n in window
                ]
                try:
                    for future in asked:
                        page = future.result()
                        # what came after the end is still an observation: the list may have grown meanwhile
                        if paging.tell(page.number, len(page.records), _fingerprint(page)):
                            yield page
                finally:
                    for future in asked:
                        future.cancel()

    def whole(self, path: str, params: Mapping[str, str] | None = None) -> Page:
        """A list that is not paged."""
        return self._page(path, dict(params or {}), 1)

    def _page(self, path: str, params: dict[str, str], number: int) -> Page:
        body, fetched_at = self.get(path, params)
        try:
            records = [read_record(bytes(raw)) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
        except (msgspec.ValidationError, msgspec.DecodeError):
            raise ContractError(
                f"GET {path} answered JSON that is no list. Check that JOIN_API_URL is JOIN's API v2."
            ) from None
        return Page(number, records, fetched_at, len(body))

    def _get_once(self, path: str, params: Mapping[str, str] | None) -> tuple[bytes, datetime]:
        request = self._http.build_request("GET", self._url(path), params=params)
        for _ in range(MAX_REDIRECTS):
            response = self._send(request, path)
            following = response.next_request
            if following is None or _origin(following.url) != _origin(self._base):
                break
            request = following
        if not response.is_success:
            raise self._refusal(response, path)
        if not _is_json(response.content):
            # a proxy's page, or an answer that was cut off on its way: may go through at the next try
            raise TransientError(
                f"GET {path} answered {response.status_code} with a body that is not JSON. "
                f"Check that JOIN_API_URL is JOIN's API v2."
            )
        return response.content, self.clock.latest()

    def _send(self, request: httpx.Request, path: str) -> httpx.Response:
        self.rate_limit.acquire()
        asked_at = self._monotonic()
        headers: httpx.Headers | None = None
        try:
            with self._lock:
                self.n_requests += 1
            response = self._http.send(request)
            headers = response.headers
            with self._lock:
                self.clock.hear(headers.get("date"), asked_at)
        except httpx.TransportError as error:
            kind = error_for_transport(error)
            what = type(error).__name__
            raise kind(f"GET {path} at {self._base.host} got no answer ({what}). {next_step(kind)}") from None
        finally:
            self.rate_limit.release(headers, self.clock.epoch())
        return response

    def _refusal(self, response: httpx.Response, path: str) -> JoinError:
        status = response.status_code
        if response.is_redirect:
            kind = error_for_status(400)
            return kind(f"GET {path} was sent on to another host, where the token does not go. Check JOIN_API_URL.")
        kind = error_for_status(status)
        message = f"GET {path} was answered {status} {_reason(response)}. {next_step(kind)}"
        if issubclass(kind, RateLimited):
            return kind(message, wait_asked_for(response.headers, self.clock.epoch()))
        return kind(message)

    def _url(self, path: str) -> httpx.URL:
        return self._base.copy_with(path=self._base.path.rstrip("/") + path)


def read_record(payload: bytes) -> Record:
    """A record with its id, where it has one."""
    try:
        keyed = _KEYED.decode(payload)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        return Record(None, None, payload)
    return Record(str(keyed.id), keyed.last_updated_at, payload)


def _fingerprint(page: Page) -> int:
    # by id: signed URLs in a record may differ at each read
    return hash(tuple(record.id or record.payload for record in page.records))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _reason(response: httpx.Response) -> str:
    """What JOIN says went wrong, short, and without anything that looks like a person's data."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return response.reason_phrase
    text = None
    if isinstance(body, dict):
        error = body.get("error")
        text = (error.get("message") if isinstance(error, dict) else None) or body.get("message")
    if not isinstance(text, str) or "@" in text:
        return response.reason_phrase
    return f"“{' '.join(text.split())[:MAX_MESSAGE]}”"
