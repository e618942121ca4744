"""Lists over real HTTP: the pages that the client requests, and the records that it yields."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from join_pipeline.errors import (
    ContractError,
    NotFoundError,
    PermanentError,
    RefusedError,
    SourceError,
    TransientError,
)
from join_pipeline.http.retry import ATTEMPTS
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.paging import PAGE_SIZE
from join_pipeline_tests.unit.sources.join.loopback import (
    TOKEN,
    Answer,
    Asked,
    as_json,
    in_turn,
    paged,
    reading,
    records,
    serving,
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize(("n_records", "size"), [(0, 50), (7, 50), (50, 50), (430, 50), (430, 20), (3, 1)])
@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_list_is_read_whole_and_in_order(n_records, size, in_flight):
    with serving(paged(records(*range(n_records)), size)) as server, reading(server.url, in_flight=in_flight) as client:
        pages = list(client.pages("/applications", {"jobId": "9"}))
    assert [record.id for page in pages for record in page.records] == [str(n) for n in range(n_records)]
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert len({asked.page for asked in server.asked}) >= len(server.asked) - 1
    assert {(asked.path, asked.params["pageSize"], asked.params["jobId"]) for asked in server.asked} == {
        ("/v2/applications", str(PAGE_SIZE), "9")
    }
    assert client.n_requests == len(server.asked)


@pytest.mark.parametrize("n_records", [2, 50, 120])
@pytest.mark.parametrize("in_flight", [1, 8])
def test_a_server_that_ignores_paging_is_an_error_and_never_a_whole_list(n_records, in_flight):
    with (
        serving(lambda _: as_json(records(*range(n_records)))) as server,
        reading(server.url, in_flight=in_flight) as client,
    ):
        with pytest.raises(ContractError, match="GET /jobs returned the same records as two of its pages"):
            list(client.pages("/jobs"))
        assert len(server.asked) <= 8


def test_signed_urls_that_differ_at_each_read_do_not_hide_that_paging_is_ignored():
    drawn = iter(range(1_000))
    with (
        serving(lambda _: as_json(records(1, 2, file=f"https://files.example.com/cv?sig={next(drawn)}"))) as server,
        reading(server.url) as client,
        pytest.raises(ContractError, match="the same records"),
    ):
        list(client.pages("/applications"))


def first_only(*answers: tuple[int, Answer], then):
    """A server that answers these pages so the first time, and as `then` otherwise."""
    wrong = dict(answers)
    return lambda asked: wrong.pop(asked.page, None) or then(asked)


@pytest.mark.parametrize("in_flight", [1, 8])
@pytest.mark.parametrize(
    "wrong",
    [
        (3, as_json(records(*range(100, 147)))),
        (1, as_json(records(*range(3)))),
        (4, as_json([])),
        (1, as_json([])),
        (4, Answer(b"", 204)),
        (4, as_json(records(*range(100, 150)))),
        (5, as_json(records(*range(50)))),
        (4, as_json({"error": {"type": "x", "message": "busy"}})),
        (4, as_json({"data": []})),
        (4, as_json(None)),
    ],
    ids=[
        "short",
        "short first",
        "empty",
        "empty first",
        "204",
        "repeats",
        "repeats another",
        "error",
        "object",
        "null",
    ],
)
def test_one_odd_answer_to_a_page_loses_nothing(wrong, in_flight):
    page = paged(records(*range(297)))
    with (
        serving(first_only(wrong, then=page)) as server,
        reading(server.url, in_flight=in_flight) as client,
    ):
        found = {record.id for page in client.pages("/applications") for record in page.records}
    assert found == {str(n) for n in range(297)}


def test_fifty_arrivals_between_two_pages_are_read_again_from_the_start():
    everything = list(range(120))
    arrived = False

    def answer(asked: Asked) -> Answer:
        nonlocal arrived
        if asked.page == 2 and not arrived:
            everything[:0] = range(1_000, 1_050)
            arrived = True
        return paged(records(*everything))(asked)

    with serving(answer) as server, reading(server.url, in_flight=1) as client:
        found = {record.id for page in client.pages("/applications") for record in page.records}
    assert found == {str(n) for n in everything}
    assert [asked.page for asked in server.asked][:4] == [1, 2, 2, 1]


@pytest.mark.parametrize("status", [204, 205])
@pytest.mark.parametrize("n_records", [0, 7, 100])
def test_a_response_without_content_past_the_end_is_an_empty_page(status, n_records):
    page = paged(records(*range(n_records)))
    with (
        serving(lambda asked: Answer(b"", status) if (asked.page - 1) * 50 >= n_records else page(asked)) as server,
        reading(server.url) as client,
    ):
        assert sum(len(page.records) for page in client.pages("/applications")) == n_records


def test_a_record_without_content_is_not_a_deleted_one():
    with serving(in_turn(Answer(b"", 204), as_json({"id": 7}))) as server, reading(server.url) as client:
        assert client.record("/applications/7", "7")[0] == b'{"id": 7}'
    with (
        serving(in_turn(Answer(b"", 204))) as server,
        reading(server.url) as client,
        pytest.raises(TransientError, match="returned 204, which has no content"),
    ):
        client.record("/applications/7", "7")


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'{"id": 8}', b'[{"id": 7}]'])
def test_what_is_not_the_record_that_was_asked_for_is_asked_for_again(body):
    with serving(in_turn(Answer(body), as_json({"id": 7}))) as server, reading(server.url) as client:
        assert client.record("/applications/7", "7")[0] == b'{"id": 7}'
        assert client.n_retries == 1


def test_a_list_that_is_refused_after_its_first_page_is_cut_off_and_not_one_that_is_not_offered():
    page = paged(records(*range(100)))
    with (
        serving(lambda asked: as_json({}, 422) if asked.page == 2 else page(asked)) as server,
        reading(server.url) as client,
        pytest.raises(PermanentError) as caught,
    ):
        list(client.pages("/jobs", {"status": "ONLINE"}))
    assert not isinstance(caught.value, RefusedError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    ["/v2/list", "/v2/list?page=1", "/v2/list?page={page}", "/v2/list?jobId=9&page=1&pageSize=50&page={page}"],
)
def test_a_redirect_that_drops_the_query_is_an_error_with_its_reason(location, status):
    page = paged(records(*range(120)))

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/applications":
            return Answer(b"", status, {"Location": location.format(page=asked.page)})
        return page(Asked(asked.path, {"pageSize": "50", **asked.params}, asked.headers))

    with (
        serving(answer) as server,
        reading(server.url) as client,
        pytest.raises(PermanentError, match=r"redirected to an address that lacks its query.*JOIN_API_URL"),
    ):
        list(client.pages("/applications", {"jobId": "9"}))


def test_a_redirect_that_keeps_the_query_is_followed():
    page = paged(records(*range(120)))

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/applications":
            query = "&".join(f"{name}={text}" for name, text in asked.params.items())
            return Answer(b"", 308, {"Location": f"/v2/applications/?{query}"})
        return page(asked)

    with serving(answer) as server, reading(server.url) as client:
        assert sum(len(page.records) for page in client.pages("/applications")) == 120


def test_no_more_pages_are_asked_for_side_by_side_than_allowed():
    lock, now, most = threading.Lock(), 0, 0
    page = paged(records(*range(1_000)))

    def answer(asked: Asked) -> Answer:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return page(asked)

    with serving(answer) as server, reading(server.url, in_flight=3) as client:
        assert sum(len(page.records) for page in client.pages("/applications")) == 1_000
    assert most == 3


def test_pages_are_not_fetched_ahead_of_their_reader_by_more_than_a_window():
    with serving(paged(records(*range(5_000)))) as server, reading(server.url, in_flight=4) as client:
        pages = client.pages("/applications")
        for _ in range(4):
            next(pages)
        assert len(server.asked) <= 7
        pages.close()


def test_a_listing_is_resumed_at_a_page():
    with serving(paged(records(*range(220)))) as server, reading(server.url, in_flight=2) as client:
        pages = list(client.pages("/applications", first=4))
    assert [page.number for page in pages] == [4, 5]
    assert min(asked.page for asked in server.asked) == 4


def test_an_error_on_one_page_ends_the_listing_with_that_error():
    page = paged(records(*range(400)))
    with (
        serving(lambda asked: as_json({}, 404) if asked.page == 5 else page(asked)) as server,
        reading(server.url) as client,
        pytest.raises(NotFoundError),
    ):
        list(client.pages("/applications"))


def test_a_record_comes_as_it_was_sent_with_its_id_and_update():
    body = '[ {"lastUpdatedAt" : "2026-05-01T08:00:00Z", "id":7, "x": 1.50, "ü":"🙂"} , {"id":"a/b"}]'.encode()
    with serving(in_turn(Answer(body))) as server, reading(server.url) as client:
        page = client.whole("/categories")
    first, second = page.records
    assert (first.id, first.updated) == ("7", "2026-05-01T08:00:00Z")
    assert first.payload == body[2:].split(b" , ")[0]
    assert (second.id, second.updated) == ("a/b", None)
    assert page.n_bytes == len(body)


@pytest.mark.parametrize(
    ("record", "remote_id"),
    [
        (b"{}", None),
        (b'{"id": null}', None),
        (b'{"id": true}', None),
        (b'{"id": 1.5}', None),
        (b'{"id": {"a": 1}}', None),
        (b"17", None),
        (b"null", None),
        (b'"text"', None),
        (b"[]", None),
        (b'{"id": 8, "lastUpdatedAt": 1777}', "8"),
        (b'{"id": 8, "lastUpdatedAt": null}', "8"),
        (b'{"id": 123456789012345678901234567890}', "123456789012345678901234567890"),
    ],
)
def test_a_record_that_is_odd_still_comes_with_its_id_where_it_has_one(record, remote_id):
    with serving(in_turn(Answer(b"[" + record + b"]"))) as server, reading(server.url) as client:
        (found,) = client.whole("/categories").records
    assert (found.id, found.updated, found.payload) == (remote_id, None, record)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"cut \ud83d here", rb"cut \ufffd here"),
        (rb"cut \ud83d", rb"cut \ufffd"),
        (rb"\uDC4B lost its first half", rb"\ufffd lost its first half"),
        (rb"\ud83d\ud83d\ude00", rb"\ufffd\ud83d\ude00"),
        (rb"whole \ud83d\ude00, cut \ud83d", rb"whole \ud83d\ude00, cut \ufffd"),
        (rb"a path \\ud83d, cut \ud83d", rb"a path \\ud83d, cut \ufffd"),
    ],
)
def test_half_an_emoji_in_one_record_does_not_make_the_list_unreadable(sent, kept):
    body = b'[{"id":1,"title":"' + sent + b'"},{"id":2}]'
    with serving(in_turn(Answer(body))) as server, reading(server.url) as client:
        first, second = client.whole("/jobs").records
    assert first.payload == b'{"id":1,"title":"' + kept + b'"}'
    assert second.id == "2"
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"{}", b'{"data": []}', b"null", b'"x"', b"3", b"true"])
def test_json_that_is_no_list_is_asked_for_again_and_then_breaks_the_contract(body):
    with serving(in_turn(Answer(body))) as server, reading(server.url) as client:
        with pytest.raises(ContractError, match=r"GET /jobs returned JSON that is not a list.*JOIN_API_URL"):
            list(client.pages("/jobs"))
        assert len(server.asked) == ATTEMPTS


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": 1}, {"id"',
        b"",
        b"<html><body>Bad gateway</body></html>",
        b'[{"id": 1}] trailing',
        b'[{"id": 1,}]',
    ],
    ids=["cut off", "empty", "HTML", "trailing", "comma"],
)
def test_a_body_that_is_not_json_is_asked_for_again(body):
    with serving(in_turn(Answer(body), as_json(records(1)))) as server, reading(server.url) as client:
        assert [record.id for record in client.whole("/jobs").records] == ["1"]
    assert (len(server.asked), client.n_retries) == (2, 1)


def test_html_that_stays_says_where_to_look():
    with (
        serving(in_turn(Answer(b"<html>Sign in</html>", headers={"Content-Type": "text/html"}))) as server,
        reading(server.url) as client,
        pytest.raises(
            TransientError, match=r"GET /jobs returned 200 with a body that is not JSON.*JOIN_API_URL"
        ) as caught,
    ):
        list(client.pages("/jobs"))
    assert "Sign in" not in str(caught.value)


def test_an_answer_that_is_cut_off_on_its_way_is_asked_for_again():
    whole = as_json(records(*range(20)))
    with (
        serving(in_turn(Answer(whole.body, cut=30), Answer(is_dropped=True), whole)) as server,
        reading(server.url) as client,
    ):
        assert len(client.whole("/jobs").records) == 20
    assert len(server.asked) == 3


def test_compression_that_is_broken_is_asked_for_again():
    broken = Answer(b"this is no gzip", headers={"Content-Encoding": "gzip"})
    with serving(in_turn(broken, as_json(records(1)))) as server, reading(server.url) as client:
        assert len(client.whole("/jobs").records) == 1


def test_a_page_is_dated_by_the_servers_clock_and_never_too_early():
    told = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=40)  # not far from the clock of this machine
    with (
        serving(lambda _: as_json(records(1), Date=format_datetime(told, usegmt=True))) as server,
        reading(server.url) as client,
    ):
        first, second = (client.whole("/jobs").fetched_at for _ in range(2))
    assert told + timedelta(seconds=1) <= first <= second <= told + timedelta(seconds=10)
    assert client.clock.skew > timedelta(minutes=38)


def test_a_date_that_is_far_from_this_machines_clock_dates_no_page():
    with (
        serving(lambda _: as_json(records(1), Date="Sun, 01 Jun 2099 12:00:00 GMT")) as server,
        reading(server.url) as client,
    ):
        fetched_at = client.whole("/jobs").fetched_at
    assert abs(fetched_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert client.clock.skew > timedelta(days=365)


def test_only_a_sandbox_on_this_machine_may_say_that_its_clock_is_simulated():
    simulated = f"{datetime(2020, 1, 1, tzinfo=UTC).timestamp()}"
    headers = httpx.Headers({"Date": "Wed, 01 Jan 2020 00:00:00 GMT", "X-Sandbox-Clock": simulated})
    believed = {}
    for url in ("http://127.0.0.1:1/v2", "https://127.0.0.1:1/v2", "https://api.join.com/v2"):
        with JoinClient(url, "token") as client:
            client._hear(headers, time.monotonic())
            believed[url] = client.clock.is_simulated and client.clock.earliest().year == 2020
    assert list(believed.values()) == [True, False, False]


def test_a_429_is_waited_out_and_the_list_goes_on():
    slept: list[float] = []
    answers = [as_json({"error": {"type": "x", "message": "Too many"}}, 429, Retry_After="2"), as_json(records(1))]
    with serving(in_turn(*answers)) as server, reading(server.url, slept) as client:
        assert len(client.whole("/jobs").records) == 1
    assert sum(slept) >= 2.0
    assert len(server.asked) == 2


def test_a_server_that_counts_is_never_made_to_refuse():
    lock, used = threading.Lock(), 0
    began = time.monotonic()
    page = paged(records(*range(2_000)))

    def answer(asked: Asked) -> Answer:
        nonlocal used, began
        with lock:
            if time.monotonic() - began >= 0.3:
                used, began = 0, time.monotonic()
            used += 1
            remaining, reset = 20 - used, began + 0.3 - time.monotonic()
        headers = {"x-ratelimit-remaining": str(max(remaining, 0)), "x-ratelimit-reset": f"{max(reset, 0):.3f}"}
        return as_json({}, 429) if remaining < 0 else Answer(page(asked).body, headers=headers)

    with serving(answer) as server, JoinClient(server.url, TOKEN) as client:
        assert sum(len(page.records) for page in client.pages("/applications")) == 2_000
    assert client.n_retries == 0
    assert all(asked.headers["authorization"] == TOKEN for asked in server.asked)


def test_a_client_that_is_closed_ends_what_waits_for_the_rate_limit():
    answered = threading.Event()
    raised: list[SourceError] = []

    def answer(_: Asked) -> Answer:
        answered.set()
        return as_json({}, 429, Retry_After="60")

    def read(client: JoinClient) -> None:
        with pytest.raises(SourceError, match="closed") as caught:
            client.get("/jobs")
        raised.append(caught.value)

    with serving(answer) as server:
        with JoinClient(server.url, TOKEN) as client:
            reader = threading.Thread(target=read, args=(client,), daemon=True)
            reader.start()
            assert answered.wait(5)
        reader.join(5)
    assert len(raised) == 1


def test_an_error_on_one_page_does_not_wait_for_the_others():
    page = paged(records(*range(1_000)))

    def answer(asked: Asked) -> Answer:
        if asked.page == 2:
            return as_json({}, 404)
        return page(asked) if asked.page == 1 else as_json({}, 429, Retry_After="60")

    with serving(answer) as server, JoinClient(server.url, TOKEN) as client, pytest.raises(NotFoundError):
        list(client.pages("/applications"))


INTERRUPTED = """
import signal, sys
from join_pipeline.sources.join.client import JoinClient
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
with JoinClient(sys.argv[1], "token") as client:
    list(client.pages("/applications"))
"""


def test_ctrl_c_ends_a_listing_at_once_though_its_pages_wait_for_the_rate_limit():
    page = paged(records(*range(1_000)))
    asked_for_more = threading.Event()

    def answer(asked: Asked) -> Answer:
        if asked.page == 1:
            return page(asked)
        asked_for_more.set()
        return as_json({}, 429, Retry_After="60")

    with serving(answer) as server:
        command = [sys.executable, "-c", INTERRUPTED, server.url]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "NO_PROXY": "*"})
        try:
            assert asked_for_more.wait(20)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert b"KeyboardInterrupt" in errors
