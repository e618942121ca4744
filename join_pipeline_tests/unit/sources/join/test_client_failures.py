"""Failures over real HTTP: each raises its type, with a message that says what to do and shows no secret."""

import socket
import threading
import time

import httpx
import pytest

from join_pipeline.errors import (
    AuthError,
    NotFoundError,
    PermanentError,
    RateLimited,
    RefusedError,
    SourceError,
    TransientError,
)
from join_pipeline.http.client import OriginAuth
from join_pipeline.http.retry import ATTEMPTS
from join_pipeline_tests.unit.sources.join.loopback import (
    TOKEN,
    Answer,
    as_json,
    in_turn,
    reading,
    records,
    serving,
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def error(message: object, status: int) -> Answer:
    """An error in JOIN's shape."""
    return as_json({"error": {"type": "whatever", "message": message}}, status)


def failing(answer: Answer, **options: object) -> tuple[SourceError, int]:
    """The error that a server gives rise to which always answers the same, and how often it was asked."""
    with serving(in_turn(answer)) as server, reading(server.url, **options) as client:
        with pytest.raises(SourceError) as caught:
            client.get("/applications/12", {"jobId": "3"})
        return caught.value, len(server.asked)


@pytest.mark.parametrize(
    ("status", "kind", "n_asked", "advice"),
    [
        (400, PermanentError, 1, "A retry gives the same result"),
        (401, AuthError, 1, "JOIN_API_TOKEN"),
        (403, AuthError, 1, "JOIN_API_TOKEN"),
        (404, NotFoundError, 1, "JOIN_API_URL"),
        (409, PermanentError, 1, "A retry gives the same result"),
        (422, RefusedError, 1, "A retry gives the same result"),
        (500, TransientError, ATTEMPTS, "Run it again later"),
        (502, TransientError, ATTEMPTS, "Run it again later"),
        (503, TransientError, ATTEMPTS, "Run it again later"),
        (599, TransientError, ATTEMPTS, "Run it again later"),
    ],
)
def test_an_error_has_its_type_and_names_what_was_asked_what_came_and_what_to_do(status, kind, n_asked, advice):
    found, asked = failing(error("It did not work", status))
    assert type(found) is kind
    assert asked == n_asked
    assert f"GET /applications/12 returned {status} “It did not work”. " in str(found)
    assert advice in str(found)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"error": {"type": "t", "message": "Bad page"}}', "422 “Bad page”."),
        (b'{"message": "Bad page"}', "422 “Bad page”."),
        (b'{"error": {"type": "t"}, "message": "Bad page"}', "422 “Bad page”."),
        (b'{"error": "text", "message": "Bad page"}', "422 “Bad page”."),
        (b'{"error": {"message": "two\\nlines \\u001b[31m\\t red"}}', "422 “two lines [31m red”."),
        (b'{"error": {"message": 17}}', "422 Unprocessable Entity."),
        (b'{"error": null}', "422 Unprocessable Entity."),
        (b'["message"]', "422 Unprocessable Entity."),
        (b"<html>no</html>", "422 Unprocessable Entity."),
        (b"", "422 Unprocessable Entity."),
        (b'{"message": "\xff"}', "422 Unprocessable Entity."),
    ],
)
def test_the_message_that_is_shown_is_joins_own_or_the_status(body, shown):
    found, _ = failing(Answer(body, 422))
    assert shown in str(found)


@pytest.mark.parametrize(
    "message",
    [
        "anna.muster@example.com already exists",
        f"Token {TOKEN} is not known",
        f"Bearer{TOKEN}",
    ],
)
def test_a_message_that_holds_the_token_or_an_address_is_not_shown(message):
    found, _ = failing(error(message, 401))
    assert "returned 401 Unauthorized." in str(found)
    assert TOKEN not in str(found)
    assert "@" not in str(found)


@pytest.mark.parametrize("status", [200, 401, 404, 422, 429, 500])
def test_no_error_holds_the_payload_the_token_or_the_query(status):
    body = f'{{"candidate": "Anna Muster", "email": "anna@example.com", "sent": "{TOKEN}"'.encode()
    found, _ = failing(Answer(body, status))
    for secret in ("Anna", "example", TOKEN, "jobId"):
        assert secret not in str(found)


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_drips_is_given_up_in_time(status):
    with serving(in_turn(Answer(b"[" + b" " * 10_000 + b"]", status, drip=0.05))) as server:
        began = time.monotonic()
        with (
            reading(server.url, timeout_seconds=0.2, max_wait_seconds=1e-9) as client,
            pytest.raises(TransientError, match=r"got no response \(ReadTimeout\)"),
        ):
            client.get("/jobs")
    assert time.monotonic() - began < 100, "the whole of it would take 500 s"


def test_a_long_message_is_cut():
    found, _ = failing(error("x" * 5_000, 400))
    assert len(str(found)) < 400


@pytest.mark.parametrize(
    ("headers", "asked"),
    [({"Retry-After": "9"}, 9.0), ({"x-ratelimit-reset": "9"}, 9.0), ({}, None)],
)
def test_a_429_that_outlasts_the_bound_says_who_else_may_ask(headers, asked):
    answer = Answer(error("slow", 429).body, 429, headers)
    slept: list[float] = []
    with serving(in_turn(answer)) as server, reading(server.url, slept, max_wait_seconds=30.0) as client:
        with pytest.raises(RateLimited, match="another program may use the same token") as caught:
            client.get("/jobs")
        assert caught.value.retry_after == asked
        assert len(server.asked) > 1
    assert sum(slept) <= 30.0


def test_a_rate_limit_that_is_longer_than_the_bound_ends_at_once_without_asking_on():
    answer = as_json(records(1), x_ratelimit_remaining="0", x_ratelimit_reset="3000")
    slept: list[float] = []
    with serving(in_turn(answer)) as server, reading(server.url, slept, max_wait_seconds=60.0) as client:
        client.get("/jobs")
        with pytest.raises(RateLimited, match="3000 s"):
            client.get("/jobs")
        assert len(server.asked) == 1
    assert slept == []


def test_a_port_where_nobody_listens_is_retried_and_then_says_what_to_check():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused, and nobody else can take it
        slept: list[float] = []
        with (
            reading(f"http://127.0.0.1:{taken.getsockname()[1]}/v2", slept) as client,
            pytest.raises(
                TransientError, match=r"GET /jobs at 127\.0\.0\.1 got no response \(ConnectError\).*JOIN_API_URL"
            ),
        ):
            client.get("/jobs")
    assert client.n_requests == ATTEMPTS
    assert len(slept) == ATTEMPTS - 1


def test_an_unknown_host_is_named():
    with (
        reading("http://api.join.invalid/v2") as client,
        pytest.raises(TransientError, match=r"GET /jobs at api\.join\.invalid got no response.*JOIN_API_URL"),
    ):
        client.get("/jobs")


def test_an_answer_that_takes_too_long_is_given_up_and_asked_for_again():
    enough = threading.Event()
    quick = in_turn(as_json(records(1)))
    asked = []

    def answer(request: object) -> Answer:
        asked.append(request)
        if len(asked) == 1:
            enough.wait(10)
        return quick(request)

    with serving(answer) as server, reading(server.url, timeout_seconds=0.2) as client:
        assert len(client.whole("/jobs").records) == 1
        enough.set()
    assert len(asked) == 2


def test_a_connection_that_is_dropped_is_asked_again():
    with serving(in_turn(Answer(is_dropped=True), as_json(records(1)))) as server, reading(server.url) as client:
        assert len(client.whole("/jobs").records) == 1
        assert client.n_retries == 1


# The token, and redirects


def test_the_token_goes_raw_in_its_header_and_nowhere_else():
    with serving(in_turn(as_json([]))) as server, reading(server.url) as client:
        client.get("/jobs", {"page": "1"})
    (asked,) = server.asked
    assert asked.headers["authorization"] == TOKEN
    assert [name for name, text in asked.headers.items() if TOKEN in text] == ["authorization"]
    assert TOKEN not in asked.path + str(asked.params)


def sending_on(to: str, status: int = 302) -> Answer:
    return Answer(b"", status, {"Location": to})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_origin_is_followed_with_the_token(status):
    with (
        serving(in_turn(sending_on("/v2/elsewhere?x=1", status), as_json(records(5)))) as server,
        reading(server.url) as client,
    ):
        assert client.whole("/jobs").records[0].id == "5"
    assert [(asked.path, asked.headers["authorization"]) for asked in server.asked] == [
        ("/v2/jobs", TOKEN),
        ("/v2/elsewhere", TOKEN),
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused_and_nothing_goes_there(status):
    with (
        serving(in_turn(as_json(records(5)))) as other,
        serving(in_turn(sending_on(f"{other.url}/jobs", status))) as server,
        reading(server.url) as client,
    ):
        with pytest.raises(
            PermanentError, match=r"redirected to another host, which must not get the token.*JOIN_API_URL"
        ):
            client.get("/jobs")
        assert (len(server.asked), len(other.asked)) == (1, 0)


@pytest.mark.parametrize(
    "location", ["http://localhost:{port}/v2/jobs", "https://127.0.0.1:{port}/v2/jobs", "//evil.invalid/v2/jobs"]
)
def test_another_name_or_scheme_is_another_host(location):
    with serving(lambda asked: sending_on(location.format(port=asked.headers["host"].split(":")[1]))) as server:
        with reading(server.url) as client, pytest.raises(PermanentError, match="another host"):
            client.get("/jobs")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("url", "has_token"),
    [
        ("https://api.example.com/v2/jobs", True),
        ("https://api.example.com:443/elsewhere", True),
        ("https://api.example.com:8443/v2/jobs", False),
        ("http://api.example.com/v2/jobs", False),
        ("https://files.example.com/v2/jobs", False),
        ("https://api.example.com.evil.invalid/v2/jobs", False),
    ],
)
def test_a_request_to_another_origin_would_bear_no_token(url, has_token):
    flow = OriginAuth({"Authorization": TOKEN}, httpx.URL("https://api.example.com/v2")).auth_flow(
        httpx.Request("GET", url)
    )
    assert ("authorization" in next(flow).headers) == has_token


def test_a_redirect_by_a_detour_to_another_host_is_refused_too():
    with (
        serving(in_turn(as_json([]))) as other,
        serving(in_turn(sending_on("/v2/a"), sending_on("/v2/b"), sending_on(f"{other.url}/c"))) as server,
        reading(server.url) as client,
    ):
        with pytest.raises(PermanentError, match="another host"):
            client.get("/jobs")
        assert (len(server.asked), len(other.asked)) == (3, 0)


def test_a_redirect_in_a_circle_ends():
    found, n_asked = failing(sending_on("/v2/jobs?jobId=3"))
    assert isinstance(found, PermanentError)
    assert "redirected in a circle" in str(found)
    assert n_asked == 4


@pytest.mark.parametrize("status", [300, 302, 304])
def test_a_redirect_that_leads_nowhere_is_an_answer_that_was_not_asked_for(status):
    found, n_asked = failing(Answer(b"", status))
    assert type(found) is PermanentError
    assert f"returned {status}" in str(found)
    assert n_asked == 1


def test_a_path_of_the_url_is_kept_and_a_slash_at_its_end_is_not_doubled():
    with serving(in_turn(as_json([]))) as server, reading(server.url + "/under/") as client:
        client.get("/jobs")
    assert server.asked[0].path == "/v2/under/jobs"
