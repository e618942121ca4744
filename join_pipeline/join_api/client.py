"""The client: one connection pool to one JOIN account.

Belongs here: sending requests, turning answers and failures into types, reading lists page by page. Not here: which
lists there are (feeds), when a list ends (paging), what is retried (retry), what is in a body (bodies).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Event, Lock
from types import TracebackType
from typing import Final, Self, cast

import httpx

from join_pipeline.errors import ContractError, JoinError, RateLimited, TransientError
from join_pipeline.join_api.bodies import Record, as_json, message_of, records_of
from join_pipeline.join_api.network import http_client
from join_pipeline.join_api.paging import PAGE_SIZE, Paging
from join_pipeline.join_api.rate_limit import RateLimit, wait_asked_for
from join_pipeline.join_api.retry import error_for_status, error_for_transport, next_step, retrying
from join_pipeline.join_api.server_clock import ServerClock

MAX_REDIRECTS: Final = 3
USER_AGENT: Final = "join-pipeline"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: its records as they came, and when (an upper bound of the server's time)."""

    number: int
    records: list[Record]
    fetched_at: datetime
    n_bytes: int


class _TokenAuth(httpx.Auth):
    """The raw token, without `Bearer`, to the configured origin only."""

    def __init__(self, token: str, base: httpx.URL) -> None:
        self.token = token
        self._origin = _origin(base)

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        if _origin(request.url) == self._origin:
            request.headers["Authorization"] = self.token
        yield request


class _InTime(httpx.SyncByteStream):
    """A body that comes within so many seconds or not at all. httpx bounds each read of it only."""

    def __init__(self, body: httpx.SyncByteStream, seconds: float) -> None:
        self._body = body
        self._ends = time.monotonic() + seconds
        self._seconds = seconds

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            if time.monotonic() > self._ends:
                raise httpx.ReadTimeout(f"The body did not come within {self._seconds:.0f} s")
            yield chunk

    def close(self) -> None:
        self._body.close()


class JoinClient:
    """Talks to JOIN. Usable from several threads; a context manager."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        in_flight: int = 8,
        timeout_seconds: float = 30.0,
        max_wait_seconds: float = 900.0,
        sleep: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = httpx.URL(url.rstrip("/"))
        self._auth = _TokenAuth(token, self._base)
        self._http = http_client(
            self._base,
            auth=self._auth,
            verify=self._base.scheme == "https",  # no other origin is asked, and loading certificates takes a while
            # a place in the pool is waited for as long as it takes: the requests that hold one are bounded
            timeout=httpx.Timeout(timeout_seconds, pool=None),
            event_hooks={"response": [self._bound]},
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            limits=httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight),
        )
        self._timeout_seconds = timeout_seconds
        self._in_flight = in_flight
        self._max_wait_seconds = max_wait_seconds
        self._sleep = sleep or self._pause
        self._monotonic = monotonic
        self._lock = Lock()
        self._closed = Event()
        self._sending = 0
        self._sent = Condition(self._lock)
        self.clock = ServerClock(monotonic)
        self.rate_limit = RateLimit(self._sleep, monotonic, max_wait_seconds)
        self.n_requests = 0
        self.n_retries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()  # wakes every thread that waits for its turn
        with self._sent:
            self._sent.wait_for(lambda: self._sending == 0)
        self._http.close()

    def _bound(self, response: httpx.Response) -> None:
        response.stream = _InTime(cast(httpx.SyncByteStream, response.stream), self._timeout_seconds)

    def _pause(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise JoinError("The client was closed.")

    def get(self, path: str, params: Mapping[str, str] | None = None) -> tuple[bytes, datetime]:
        """The JSON body at `path` and when it was fetched. Raises a `JoinError`; retries what is worth it."""
        for attempt in retrying(self._max_wait_seconds, self._sleep):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    with self._lock:
                        self.n_retries += 1
                return self._get_once(path, params)
        raise AssertionError("tenacity returns or raises")

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        files: list[tuple[str, tuple[str | None, bytes, str | None]]] | None = None,
    ) -> httpx.Response:
        """One request, sent once, and its answer whatever its status: for what must not be repeated blindly.

        Raises a `JoinError` only where no answer came. Redirects are answers, too: nothing is sent on.
        """
        url = self._url(path)
        request = self._http.build_request(method, url, params=params, headers=headers, content=content, files=files)
        return self._send(request, path)

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, in_flight: int | None = None, first: int = 1
    ) -> Iterator[Page]:
        """A paged list from page `first` on, in order; at most `in_flight` asked for side by side, and no more kept."""
        paging = Paging(in_flight or self._in_flight, first=first)
        pool = ThreadPoolExecutor(paging.in_flight, thread_name_prefix="join-page")
        try:
            while window := paging.window():
                asked = [
                    pool.submit(self._page, path, {**(params or {}), "page": str(n), "pageSize": str(PAGE_SIZE)}, n)
                    for n in window
                ]
                for future in asked:
                    page = future.result()
                    # what came after the end is still an observation: the list may have grown meanwhile
                    if paging.tell(page.number, len(page.records), _fingerprint(page)):
                        yield page
        finally:
            # after an error or an interrupt, pages may still wait for the rate limit: nobody waits for them
            pool.shutdown(wait=False, cancel_futures=True)

    def whole(self, path: str, params: Mapping[str, str] | None = None) -> Page:
        """A list that is not paged."""
        return self._page(path, dict(params or {}), 1)

    def _page(self, path: str, params: dict[str, str], number: int) -> Page:
        body, fetched_at = self.get(path, params)
        records = records_of(body)
        if records is None:
            raise ContractError(f"GET {path} answered JSON that is no list. Check that JOIN_API_URL is JOIN's API v2.")
        return Page(number, records, fetched_at, len(body))

    def _get_once(self, path: str, params: Mapping[str, str] | None) -> tuple[bytes, datetime]:
        request = self._http.build_request("GET", self._url(path), params=params)
        response = self._send(request, path)
        for _ in range(MAX_REDIRECTS):
            following = response.next_request
            if following is None or _origin(following.url) != _origin(self._base):
                break
            response = self._send(following, path)
        if not response.is_success:
            raise self.refusal(response, path)
        body = as_json(response.content)
        if body is None:
            # a proxy's page, or an answer that was cut off on its way: may go through at the next try
            raise TransientError(
                f"GET {path} answered {response.status_code} with a body that is not JSON. "
                f"Check that JOIN_API_URL is JOIN's API v2."
            )
        return body, self.clock.latest()

    def _send(self, request: httpx.Request, path: str) -> httpx.Response:
        with self._sent:
            if self._closed.is_set():
                raise JoinError("The client was closed.")
            self._sending += 1
        try:
            return self._send_in_turn(request, path)
        finally:
            with self._sent:
                self._sending -= 1
                self._sent.notify_all()

    def _send_in_turn(self, request: httpx.Request, path: str) -> httpx.Response:
        asked_at = self.rate_limit.acquire()
        response: httpx.Response | None = None
        try:
            with self._lock:
                self.n_requests += 1
            response = self._http.send(request)
            with self._lock:
                self.clock.hear(response.headers.get("date"), asked_at)
        except httpx.RequestError as error:
            kind = error_for_transport(error)
            what = type(error).__name__
            raise kind(
                f"{request.method} {path} at {self._base.host} got no answer ({what}). {next_step(kind)}"
            ) from None
        finally:
            headers = None if response is None else response.headers
            is_refused = response is not None and response.status_code == httpx.codes.TOO_MANY_REQUESTS
            self.rate_limit.release(headers, self.clock.epoch(), asked_at, is_refused=is_refused)
        return response

    def refusal(self, response: httpx.Response, path: str) -> JoinError:
        """An answer that is not 2xx, as an error of its type."""
        status = response.status_code
        if response.next_request is not None:
            is_elsewhere = _origin(response.next_request.url) != _origin(self._base)
            where = "on to another host, where the token does not go" if is_elsewhere else "round in a circle"
            return error_for_status(status)(f"{response.request.method} {path} was sent {where}. Check JOIN_API_URL.")
        kind = error_for_status(status)
        reason = message_of(response.content, self._auth.token) or httpx.codes.get_reason_phrase(status)
        answer = f"{status} {reason}".rstrip()
        message = f"{response.request.method} {path} was answered {answer}. {next_step(kind)}"
        if issubclass(kind, RateLimited):
            return kind(message, wait_asked_for(response.headers, self.clock.epoch()))
        return kind(message)

    def _url(self, path: str) -> httpx.URL:
        return self._base.copy_with(path=self._base.path.rstrip("/") + path)


def _fingerprint(page: Page) -> int:
    # by id: signed URLs in a record may differ at each read
    return hash(tuple(record.id or record.payload for record in page.records))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)
