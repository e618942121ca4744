"""Rejections and failures: each code of the envelope is one type whatever its status, and is retried or not.

What is no envelope, as a load balancer's page, is judged by its status.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import pytest
from kombo.models.komboatserror import KomboAtsErrorCode

from join_pipeline.errors import (
    AuthError,
    ContractError,
    ModelOffError,
    NotFoundError,
    PermanentError,
    RateLimited,
    RefusedError,
    SourceError,
    TransientError,
)
from join_pipeline.http.retry import ATTEMPTS
from join_pipeline.sources.kombo.client import KomboClient
from join_pipeline.sources.kombo.refusals import CODE_ERRORS, CURES
from join_pipeline_tests.unit.sources.join.loopback import Answer, Asked, as_json, in_turn, serving

KEY, INTEGRATION = "key-9dKq-secret", "join:4f7Zq-secret"
EMPTY = as_json({"status": "success", "data": {"results": [], "next": None}})
# as the reference tells them, apart from the table in the code
KINDS: dict[str, tuple[type[SourceError], int]] = {
    "PLATFORM.AUTHENTICATION_INVALID": (AuthError, 401),
    "PLATFORM.INTEGRATION_NOT_FOUND": (AuthError, 404),
    "PLATFORM.IP_NOT_WHITELISTED": (AuthError, 403),
    "PLATFORM.INPUT_INVALID": (RefusedError, 400),
    "PLATFORM.RATE_LIMIT_EXCEEDED": (RateLimited, 429),
    "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED": (RateLimited, 429),
    "PLATFORM.TASK_TIMED_OUT": (TransientError, 504),
    "PLATFORM.UNKNOWN_ERROR": (TransientError, 500),
    "INTEGRATION.SETUP_SYNC_PENDING": (PermanentError, 409),
    "INTEGRATION.SETUP_INCOMPLETE": (PermanentError, 409),
    "INTEGRATION.QA_FAILED": (PermanentError, 409),
    "INTEGRATION.INACTIVE": (PermanentError, 400),
    "INTEGRATION.AUTHENTICATION_INVALID": (AuthError, 401),
    "INTEGRATION.PERMISSION_MISSING": (AuthError, 403),
    "INTEGRATION.MODEL_NOT_AVAILABLE": (ModelOffError, 400),
    "INTEGRATION.MODEL_DISABLED": (ModelOffError, 403),
    "INTEGRATION.ACTION_NOT_AVAILABLE": (PermanentError, 400),
    "INTEGRATION.ACTION_DISABLED": (PermanentError, 403),
    "REMOTE.RATE_LIMIT_EXCEEDED": (RateLimited, 429),
    "REMOTE.SERVICE_UNAVAILABLE": (TransientError, 503),
    "REMOTE.UNKNOWN_HTTP_ERROR": (TransientError, 500),
    "REMOTE.INPUT_INVALID": (RefusedError, 400),
    "ATS.JOB_CLOSED": (PermanentError, 400),
    "ATS.APPLICATION_ALREADY_EXISTS": (PermanentError, 400),
}
# whatever else it may come with: Kombo has changed statuses before
STATUSES = (400, 401, 403, 404, 409, 429, 500, 503)
PAGE = b"<html><body><h1>502 Bad Gateway</h1> for a.person@example.com</body></html>"


@contextmanager
def reading(url: str) -> Iterator[KomboClient]:
    waits: list[float] = []
    clock = {"sleep": waits.append, "monotonic": lambda: time.monotonic() + sum(waits)}
    with KomboClient(url, KEY, INTEGRATION, timeout_seconds=5.0, **clock) as client:
        yield client


def refused(code: str | None, status: int, message: str = f"no, {KEY} of {INTEGRATION}") -> Answer:
    error = {"code": code, "title": "No.", "message": message, "log_url": None}
    return as_json({"status": "error", "error": error}, status)


def test_the_table_has_every_code_of_kombos_closed_list() -> None:
    assert CODE_ERRORS.keys() == KINDS.keys() == set(get_args(KomboAtsErrorCode))
    assert CURES.keys() <= KINDS.keys()


@pytest.mark.parametrize("code", KINDS)
def test_a_code_is_one_type_whatever_its_status_and_is_retried_or_not(code: str) -> None:
    kind, own_status = KINDS[code]
    for status in (own_status, *STATUSES):
        with serving(in_turn(refused(code, status), EMPTY)) as server, reading(server.url) as client:
            if issubclass(kind, TransientError):
                assert [page.records for page in client.pages("/ats/tags")] == [[]]
                assert len(server.asked) == 2
                continue
            with pytest.raises(kind) as caught:
                list(client.pages("/ats/tags"))
            assert type(caught.value) is kind
            assert len(server.asked) == 1
            said = str(caught.value)
            assert code in said
            assert CURES.get(code, "") in said
            assert "secret" not in said


@pytest.mark.parametrize("code", [code for code, (kind, _) in KINDS.items() if issubclass(kind, TransientError)])
def test_what_stays_so_ends_with_its_own_type(code: str) -> None:
    kind, status = KINDS[code]
    with serving(lambda _: refused(code, status)) as server, reading(server.url) as client:
        with pytest.raises(kind) as caught:
            list(client.pages("/ats/tags"))
        assert type(caught.value) is kind
        assert code in str(caught.value)
        assert len(server.asked) >= ATTEMPTS
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (None, 400, PermanentError),
        (None, 404, NotFoundError),
        ("PLATFORM.NEW_IN_A_LATER_VERSION", 403, AuthError),
        ("PLATFORM.NEW_IN_A_LATER_VERSION", 503, TransientError),
    ],
)
def test_without_a_code_that_is_known_the_status_tells(code: str | None, status: int, kind: type[SourceError]) -> None:
    with serving(lambda _: refused(code, status)) as server, reading(server.url) as client:
        with pytest.raises(kind) as caught:
            list(client.pages("/ats/tags"))
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    "answer",
    [
        Answer(PAGE, 502, {"Content-Type": "text/html"}),
        Answer(b"upstream connect error", 503, {"Content-Type": "text/plain"}),
        Answer(b"", 504),
        Answer(b"\xff\xfe\x00", 500, {"Content-Type": "application/json"}),
        Answer(b'["not", "an", "envelope"]', 500, {"Content-Type": "application/json"}),
        Answer(b'{"message": "Endpoint request timed out"}', 504, {"Content-Type": "application/json"}),
        Answer(PAGE, 429, {"Content-Type": "text/html"}),
        Answer(PAGE, 200, {"Content-Type": "text/html"}),
        Answer(EMPTY.body, 200, EMPTY.headers, cut=9),
        Answer(EMPTY.body[:-9], 200, EMPTY.headers),
        Answer(is_dropped=True),
    ],
)
def test_what_a_load_balancer_answers_is_asked_again_and_its_page_is_not_shown(answer: Answer) -> None:
    with serving(in_turn(answer, answer, EMPTY)) as server, reading(server.url) as client:
        assert [page.records for page in client.pages("/ats/tags")] == [[]]
        assert len(server.asked) == 3
    with serving(lambda _: answer) as server, reading(server.url) as client:
        with pytest.raises(TransientError) as caught:
            list(client.pages("/ats/tags"))
        assert len(server.asked) >= ATTEMPTS
        assert "example.com" not in str(caught.value)
        assert "GET /ats/tags" in str(caught.value)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (403, AuthError), (404, NotFoundError)])
def test_a_page_that_refuses_is_not_asked_for_again(status: int, kind: type[SourceError]) -> None:
    with (
        serving(lambda _: Answer(PAGE, status, {"Content-Type": "text/html"})) as server,
        reading(server.url) as client,
    ):
        with pytest.raises(kind):
            list(client.pages("/ats/tags"))
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"data": []},
        {"data": {"results": []}},
        {"data": {"results": {}, "next": None}},
        {"data": {"results": [], "next": ""}},
    ],
)
def test_json_that_is_no_list_of_kombos_is_asked_for_again_and_then_breaks_the_contract(body: object) -> None:
    with serving(lambda _: as_json(body)) as server, reading(server.url) as client:
        with pytest.raises(ContractError, match="not Kombo's envelope"):
            list(client.pages("/ats/tags"))
        assert len(server.asked) == ATTEMPTS


def test_filters_are_repeated_with_every_cursor_to_the_end() -> None:
    def page(ids: list[str], following: str | None) -> Answer:
        return as_json({"status": "success", "data": {"results": [{"id": one} for one in ids], "next": following}})

    answers = in_turn(page(["a", "b"], "2"), page([], "3"), page(["c"], None))
    with serving(answers) as server, reading(server.url) as client:
        came = [record.id for page in client.pages("/ats/tags", {"updated_after": "then"}) for record in page.records]
        assert came == ["a", "b", "c"]
    assert [asked.params.pop("cursor", None) for asked in server.asked] == [None, "2", "3"]
    assert server.asked[0].params == server.asked[1].params == server.asked[2].params
    assert server.asked[0].params["include_deleted"] == "true"


def listed(ids: list[str], following: str | None) -> Answer:
    return as_json({"status": "success", "data": {"results": [{"id": one} for one in ids], "next": following}})


@pytest.mark.parametrize("code", KINDS)
def test_an_error_that_comes_with_200_is_the_error_that_its_code_is(code: str) -> None:
    kind, _ = KINDS[code]
    with serving(in_turn(refused(code, 200), EMPTY)) as server, reading(server.url) as client:
        if issubclass(kind, TransientError):
            assert len(list(client.pages("/ats/tags"))) == 1
        else:
            with pytest.raises(kind, match="returned 200 with an error in its body"):
                list(client.pages("/ats/tags"))
            assert len(server.asked) == 1


@pytest.mark.parametrize("code", [None, "PLATFORM.NEW_IN_A_LATER_VERSION"])
def test_an_error_that_nobody_knows_and_that_comes_with_200_is_asked_for_again_and_then_told(code: str | None) -> None:
    answer = refused(code, 200, "the index is being rebuilt")
    with serving(in_turn(answer, EMPTY)) as server, reading(server.url) as client:
        assert len(list(client.pages("/ats/tags"))) == 1
    with serving(lambda _: answer) as server, reading(server.url) as client:
        with pytest.raises(TransientError, match="“the index is being rebuilt”"):
            list(client.pages("/ats/tags"))
        assert len(server.asked) == ATTEMPTS


def test_a_page_without_content_is_not_the_end() -> None:
    answers = in_turn(listed(["a"], "2"), Answer(b"", 204), listed(["b"], None))
    with serving(answers) as server, reading(server.url) as client:
        assert [record.id for page in client.pages("/ats/tags") for record in page.records] == ["a", "b"]


@pytest.mark.parametrize("period", [1, 2, 3])
def test_cursors_in_a_circle_are_no_list(period: int) -> None:
    def answer(asked: Asked) -> Answer:
        number = int(asked.params.get("cursor", "0"))
        return listed([f"r{number}"], str(number % period + 1))

    with (
        serving(answer) as server,
        reading(server.url) as client,
        pytest.raises(ContractError, match="the same cursor twice"),
    ):
        list(client.pages("/ats/tags"))
    assert len(server.asked) < 8


def test_the_same_records_at_ever_new_cursors_are_no_list() -> None:
    def answer(asked: Asked) -> Answer:
        return listed(["a", "b"], asked.params.get("cursor", "") + "x")

    with (
        serving(answer) as server,
        reading(server.url) as client,
        pytest.raises(ContractError, match="the same records at two cursors"),
    ):
        list(client.pages("/ats/tags"))
    assert len(server.asked) == 3


def test_a_page_that_shows_another_one_once_loses_nothing() -> None:
    answers = in_turn(listed(["a"], "2"), listed(["a"], "2"), listed(["b"], "3"), listed(["c"], None))
    with serving(answers) as server, reading(server.url) as client:
        assert [record.id for page in client.pages("/ats/tags") for record in page.records] == ["a", "b", "c"]
    assert [asked.params.get("cursor") for asked in server.asked] == [None, "2", "2", "3"]


@pytest.mark.parametrize(("n_empty", "is_list"), [(50, True), (10_000, False)])
def test_empty_pages_are_read_on_but_not_for_ever(n_empty: int, *, is_list: bool) -> None:
    def answer(asked: Asked) -> Answer:
        number = int(asked.params.get("cursor", "0"))
        return listed(["last"], None) if number == n_empty else listed([], str(number + 1))

    with serving(answer) as server, reading(server.url) as client:
        if is_list:
            assert [record.id for page in client.pages("/ats/tags") for record in page.records] == ["last"]
        else:
            with pytest.raises(ContractError, match="only empty pages"):
                list(client.pages("/ats/tags"))
            assert len(server.asked) < 200
