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
from typing import ClassVar, Final, NamedTuple, Self, TypedDict, TypeVar, cast

import httpx

from join_pipeline.errors import PermanentError, RateLimited, SourceError, TransientError, UnexpectedAnswerError
from join_pipeline.http.bodies import as_json
from join_pipeline.http.deadline import within
from join_pipeline.http.network import http_client, is_on_this_machine
from join_pipeline.http.rate_limit import RateLimit, wait_asked_for
from join_pipeline.http.retry import error_for_transport, retrying
from join_pipeline.http.server_clock import SANDBOX_CLOCK, ServerClock, seconds_of
from join_pipeline.http.unpacking import ACCEPTED, Unpacked, as_utf8, codings_of, why_not_unpacked
from join_pipeline.http.words import Words

MAX_REDIRECTS: Final = 3
USER_AGENT: Final = "join-pipeline"
SLOWEST_UPLOAD: Final = 50_000
"""The bytes per second at which a request's own body may be sent, beside the time of the response."""
EMPTY: Final = (httpx.codes.NO_CONTENT, httpx.codes.RESET_CONTENT)
T = TypeVar("T")


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


class Asked(NamedTuple):
    """What a request asks for. Messages show `shown_as` in place of a path with a secret, and `due`: what is due."""

    path: str
    params: Mapping[str, str] | None = None
    shown_as: str = ""
    due: str = "JSON"
    when_empty: bytes | None = None
    """The JSON that a response without content (204) stands for; None if it stands for none."""

    @property
    def shown(self) -> str:
        return self.shown_as or self.path


def _anything(body: bytes) -> bytes:
    return body


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
            event_hooks={"response": [_unpack]},
            headers={"Accept": "application/json", "Accept-Encoding": ACCEPTED, "User-Agent": USER_AGENT},
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
        body, _, fetched_at = self.fetch(Asked(path, params, shown_as or path), _anything)
        return body, fetched_at

    def fetch(self, asked: Asked, read: Callable[[bytes], T | None]) -> tuple[T, int, datetime]:
        """What `read` makes of the JSON that is asked for, the body's size, and when it was fetched, as `get` does.

        JSON of which `read` makes None is not what is due. It is asked for again, and then an `UnexpectedAnswerError`.
        """
        for attempt in retrying(self._max_wait_seconds, self._sleep):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    with self._lock:
                        self.n_retries += 1
                body, fetched_at = self._get_once(asked)
                found = read(body)
                if found is None:
                    raise UnexpectedAnswerError(
                        f"GET {asked.shown} returned JSON that is not {asked.due}. {self._check_url()}"
                    )
                return found, len(body), fetched_at
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

    def _get_once(self, asked: Asked) -> tuple[bytes, datetime]:
        request = self._http.build_request("GET", self._url(asked.path), params=asked.params)
        response = self._send(request, asked.shown)
        for _ in range(MAX_REDIRECTS):
            following = response.next_request
            if following is None or origin_of(following.url) != origin_of(self._base):
                break
            wanted, found = request.url.params, following.url.params
            if any(found.get_list(name) != wanted.get_list(name) for name in wanted):
                raise PermanentError(
                    f"GET {asked.shown} was redirected to an address that lacks its query, and so would show something "
                    f"else than was asked for. {self._check_url()}"
                )
            response = self._send(following, asked.shown)
        if not response.is_success:
            raise self.refusal(response, asked.shown)
        return self._json(response, asked), self.clock.latest()

    def _json(self, response: httpx.Response, asked: Asked) -> bytes:
        """The JSON of a successful response, in UTF-8. What is not JSON is transient: a retry may get the JSON."""
        returned = f"GET {asked.shown} returned {response.status_code}"
        if response.status_code in EMPTY:
            if asked.when_empty is not None:
                return asked.when_empty
            raise TransientError(f"{returned}, which has no content, where {asked.due} is due. {self._check_url()}")
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            raise TransientError(f"{returned}, a part of what was asked for. {self._check_url()}")
        kind = response.headers.get("content-type", "")
        try:
            body = as_json(as_utf8(response.content, kind))
        except httpx.DecodingError as error:
            raise TransientError(f"{returned} with a body that can't be unpacked: {why_not_unpacked(error)}.") from None
        if body is None:
            is_page = "html" in kind.lower() or response.content.lstrip()[:1] == b"<"
            page = " It is a web page, as a proxy, a sign-in page or an outage sends it." if is_page else ""
            raise TransientError(f"{returned} with a body that is not JSON.{page} {self._check_url()}")
        complaint = self.complaint(body)
        if complaint is not None:
            told = f": {complaint.reason}" if complaint.reason else ""
            next_step = complaint.cure or self.words.next_step(complaint.kind)
            raise complaint.kind(f"{returned} with an error in its body{told}. {next_step}")
        return body

    def _check_url(self) -> str:
        return f"Check that {self.words.url_setting} is {self.words.what}."

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
            with within(self._timeout_seconds + _n_bytes(request) / SLOWEST_UPLOAD):
                response = self._http.send(request)
            with self._lock:
                self._hear(response.headers, asked_at)
        except httpx.RequestError as error:
            kind = error_for_transport(error)
            what = f"got no response ({type(error).__name__})"
            if isinstance(error, httpx.DecodingError):
                what = f"got a response that can't be unpacked ({why_not_unpacked(error)})"
            raise kind(f"{request.method} {path} at {self._base.host} {what}. {self.words.next_step(kind)}") from None
        finally:
            headers = None if response is None else response.headers
            is_refused = response is not None and response.status_code == httpx.codes.TOO_MANY_REQUESTS
            self.rate_limit.release(headers, self.clock.told_epoch(), asked_at, is_refused=is_refused)
        return response

    def _hear(self, headers: httpx.Headers, asked_at: float) -> None:
        """Let the clock hear what time it is at the server. Only a server on this machine can be a sandbox."""
        is_sandbox = self._base.scheme == "http" and is_on_this_machine(self._base.host)
        simulated = seconds_of(headers.get(SANDBOX_CLOCK)) if is_sandbox else None
        self.clock.observe(headers.get("date"), asked_at, age=headers.get("age"), simulated=simulated)

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
            return kind(message, wait_asked_for(response.headers, self.clock.told_epoch(), self.words.limit_prefix))
        return kind(message)

    @abstractmethod
    def judge(self, response: httpx.Response) -> Judgement:
        """The meaning of a response that is not 2xx."""

    @abstractmethod
    def complaint(self, body: bytes) -> Judgement | None:
        """The meaning of JSON that came with 2xx and is an error all the same; None if it is none."""

    def _url(self, path: str) -> httpx.URL:
        return self._base.copy_with(path=self._base.path.rstrip("/") + path)


def _unpack(response: httpx.Response) -> None:
    """Unpack the body as it is read, in place of httpx, which knows no limit and one member of a gzip body only."""
    codings = codings_of(response.headers)
    response.headers.pop("content-encoding", None)
    response.stream = Unpacked(cast(httpx.SyncByteStream, response.stream), codings)


def _n_bytes(request: httpx.Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdigit() else 0


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    return (url.scheme, url.host, url.port)
