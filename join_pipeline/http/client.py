"""The client: one connection pool to one account of an API.

Belongs here: sending requests, raising errors. Not here: which response is which error, and how lists are paged (each
API's own client), what is retried (retry), what is in a body (bodies).
"""

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Event, Lock
from types import TracebackType
from typing import ClassVar, Final, Self, TypedDict, cast

import httpx

from join_pipeline.errors import RateLimited, SourceError, TransientError
from join_pipeline.http.bodies import as_json
from join_pipeline.http.network import http_client
from join_pipeline.http.rate_limit import RateLimit, wait_asked_for
from join_pipeline.http.retry import error_for_transport, retrying
from join_pipeline.http.server_clock import ServerClock
from join_pipeline.http.words import Words

MAX_REDIRECTS: Final = 3
USER_AGENT: Final = "join-pipeline"


class Options(TypedDict, total=False):
    """The options of a client's constructor, beside address and credentials. Times are in seconds."""

    in_flight: int
    timeout_seconds: float
    max_wait_seconds: float
    sleep: Callable[[float], None] | None
    monotonic: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The meaning of an error response: the error's type, the API's reason if it may be shown, and the next step.

    If `cure` is None, the next step is the one of the type.
    """

    kind: type[SourceError]
    reason: str | None = None
    cure: str | None = None


class OriginAuth(httpx.Auth):
    """Adds the headers with credentials to requests to the configured origin, and to no other request."""

    def __init__(self, headers: Mapping[str, str], base: httpx.URL) -> None:
        self._headers = dict(headers)
        self._origin = origin_of(base)

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        if origin_of(request.url) == self._origin:
            request.headers.update(self._headers)
        yield request


class _InTime(httpx.SyncByteStream):
    """A body that must arrive within `seconds`. httpx limits the time of each read only, not of the whole body."""

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


class HttpClient(ABC):
    """A client of one API. It is a context manager, and several threads may use it."""

    words: ClassVar[Words]

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        in_flight: int = 8,
        timeout_seconds: float = 30.0,
        max_wait_seconds: float = 900.0,
        sleep: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = httpx.URL(url.rstrip("/"))
        self._identity = "\n".join((str(self._base), *sorted(f"{name}: {value}" for name, value in headers.items())))
        self._auth = OriginAuth(headers, self._base)
        self._http = http_client(
            self._base,
            auth=self._auth,
            verify=self._base.scheme == "https",  # there is one origin only, and loading certificates takes a while
            # no limit for the wait for a place in the pool: the requests that use the places have limits
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
        words = self.words
        self.rate_limit = RateLimit(
            self._sleep,
            monotonic,
            max_wait_seconds,
            prefix=words.limit_prefix,
            whose=f"{words.api}'s",
            credential=words.credential,
        )
        self.n_requests = 0
        self.n_retries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()  # wakes every waiting thread
        with self._sent:
            self._sent.wait_for(lambda: self._sending == 0)
        self._http.close()

    def mark(self, salt: str) -> str:
        """A mark of the address and the credentials. Without the salt, or from the mark, nobody learns them."""
        return hashlib.blake2b(self._identity.encode(), key=salt.encode()).hexdigest()

    def _bound(self, response: httpx.Response) -> None:
        response.stream = _InTime(cast(httpx.SyncByteStream, response.stream), self._timeout_seconds)

    def _pause(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise SourceError("The client was closed.")

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, shown_as: str | None = None
    ) -> tuple[bytes, datetime]:
        """Fetch the JSON at `path`: the body, and an upper bound of the server time of the fetch.

        Retries transient errors, and raises a `SourceError` if that does not help. Messages show `shown_as` in place of
        a path with a secret.
        """
        for attempt in retrying(self._max_wait_seconds, self._sleep):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    with self._lock:
                        self.n_retries += 1
                return self._get_once(path, params, shown_as or path)
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
        """Send one request once and return its response, whatever the status. For requests that must not be repeated.

        Raises a `SourceError` only if there is no response. It does not follow redirects.
        """
        url = self._url(path)
        request = self._http.build_request(method, url, params=params, headers=headers, content=content, files=files)
        return self._send(request, path)

    def _get_once(self, path: str, params: Mapping[str, str] | None, shown_as: str) -> tuple[bytes, datetime]:
        request = self._http.build_request("GET", self._url(path), params=params)
        response = self._send(request, shown_as)
        for _ in range(MAX_REDIRECTS):
            following = response.next_request
            if following is None or origin_of(following.url) != origin_of(self._base):
                break
            response = self._send(following, shown_as)
        if not response.is_success:
            raise self.refusal(response, shown_as)
        body = as_json(response.content)
        if body is None:
            # a proxy's page or a truncated response: a retry may get the JSON
            raise TransientError(
                f"GET {shown_as} returned {response.status_code} with a body that is not JSON. "
                f"Check that {self.words.url_setting} is {self.words.what}."
            )
        return body, self.clock.latest()

    def _send(self, request: httpx.Request, path: str) -> httpx.Response:
        with self._sent:
            if self._closed.is_set():
                raise SourceError("The client was closed.")
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
                self.clock.observe(response.headers.get("date"), asked_at)
        except httpx.RequestError as error:
            kind = error_for_transport(error)
            what = type(error).__name__
            raise kind(
                f"{request.method} {path} at {self._base.host} got no response ({what}). {self.words.next_step(kind)}"
            ) from None
        finally:
            headers = None if response is None else response.headers
            is_refused = response is not None and response.status_code == httpx.codes.TOO_MANY_REQUESTS
            self.rate_limit.release(headers, self.clock.epoch(), asked_at, is_refused=is_refused)
        return response

    def refusal(self, response: httpx.Response, path: str) -> SourceError:
        """The error for a response that is not 2xx."""
        if response.next_request is not None:
            is_elsewhere = origin_of(response.next_request.url) != origin_of(self._base)
            where = f"to another host, which must not get the {self.words.credential}"
            where = where if is_elsewhere else "in a circle"
            return self.judge(response).kind(
                f"{response.request.method} {path} was redirected {where}. Check {self.words.url_setting}."
            )
        judged = self.judge(response)
        kind, reason = judged.kind, judged.reason or httpx.codes.get_reason_phrase(response.status_code)
        answer = f"{response.status_code} {reason}".rstrip()
        message = f"{response.request.method} {path} returned {answer}. {judged.cure or self.words.next_step(kind)}"
        if issubclass(kind, RateLimited):
            return kind(message, wait_asked_for(response.headers, self.clock.epoch(), self.words.limit_prefix))
        return kind(message)

    @abstractmethod
    def judge(self, response: httpx.Response) -> Judgement:
        """The meaning of a response that is not 2xx."""

    def _url(self, path: str) -> httpx.URL:
        return self._base.copy_with(path=self._base.path.rstrip("/") + path)


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    return (url.scheme, url.host, url.port)
