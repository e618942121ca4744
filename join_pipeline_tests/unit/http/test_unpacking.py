"""Bodies as servers and proxies send them: packed, in odd encodings, cut off, or without end."""

import gzip
import random
import resource
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.errors import NotFoundError, SourceError, TransientError
from join_pipeline.http.retry import ATTEMPTS
from join_pipeline.http.unpacking import MAX_BYTES, as_utf8, unpacked
from join_pipeline_tests.unit.sources.join.loopback import Answer, as_json, in_turn, reading, records, serving

TEXT = '[{"id": 1, "title": "Köchin 🙂 für „Größe“"}]'
BODY = TEXT.encode()
MEMBERS = gzip.compress(BODY[:9]) + gzip.compress(b"") + gzip.compress(BODY[9:])
RAW_DEFLATE = zlib.compress(BODY)[2:-4]
JSON = "application/json"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(BODY), "GZIP"),
        (gzip.compress(BODY), "x-gzip"),
        (gzip.compress(BODY), "gzip, gzip"),
        (gzip.compress(BODY), "gzip, UTF-8"),
        (gzip.compress(BODY), " , gzip ,"),
        (gzip.compress(gzip.compress(BODY)), "gzip, gzip"),
        (gzip.compress(BODY), ""),
        (MEMBERS, "gzip"),
        (MEMBERS + b"\0" * 100, "gzip"),
        (zlib.compress(BODY), "deflate"),
        (RAW_DEFLATE, "deflate"),
        (gzip.compress(zlib.compress(BODY)), "deflate, gzip"),
        (BODY, ""),
        (BODY, "identity"),
        (BODY, "UTF-8"),
        (BODY, "aws-chunked"),
        (BODY, "none"),
        (BODY, "gzip"),
        (BODY, "deflate"),
        (BODY, "br"),
        (b"\xef\xbb\xbf" + BODY, ""),
        (gzip.compress(TEXT.encode("utf-16")), "gzip"),
    ],
    ids=lambda value: "body" if isinstance(value, bytes) else value,
)
def test_a_body_is_read_however_it_is_packed_and_whatever_its_header_says(body: bytes, coding: str) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": JSON}
    with serving(in_turn(Answer(body, headers=headers))) as server, reading(server.url) as client:
        (record,) = client.whole("/jobs").records
    assert record.payload == BODY[1:-1]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        JSON,
        "text/plain",
        *(f"{JSON}; charset={name}" for name in ("utf-8", "UTF8", '"utf-8"', "latin-1", "x", "zip")),
    ],
)
def test_json_is_read_in_every_encoding_of_unicode_whatever_the_header_says(encoding: str, content_type: str) -> None:
    assert as_utf8(TEXT.encode(encoding), content_type) == BODY


@pytest.mark.parametrize("charset", ["iso-8859-1", "ISO-8859-15", "windows-1252", "cp1252", "'latin1'"])
def test_json_in_a_charset_of_one_byte_is_read_if_the_header_names_it(charset: str) -> None:
    assert as_utf8('["Größe"]'.encode("latin-1"), f"{JSON}; Charset = {charset}") == '["Größe"]'.encode()


@pytest.mark.parametrize(
    "charset", ["", "utf-8", "x", "zip", "idna", "unicode_escape", "undefined", "rot13", "a" * 500]
)
def test_bytes_that_no_named_charset_explains_stay_as_they_are(charset: str) -> None:
    body = '["Größe"]'.encode("latin-1")
    assert as_utf8(body, f"{JSON}; charset={charset}") == body


BROKEN = {
    "gzip cut off": (gzip.compress(BODY)[:-12], {"Content-Encoding": "gzip"}),
    "gzip without its sum": (gzip.compress(BODY)[:-3], {"Content-Encoding": "gzip"}),
    "a second member cut off": (MEMBERS[:-12], {"Content-Encoding": "gzip"}),
    "garbage in gzip": (gzip.compress(BODY)[:20] + b"garbage" * 9, {"Content-Encoding": "gzip"}),
    "a wrong sum": (gzip.compress(BODY)[:-8] + b"12345678", {"Content-Encoding": "gzip"}),
    "deflate cut off": (zlib.compress(BODY)[:-9], {"Content-Encoding": "deflate"}),
    "packed by what nobody asked for": (b"\x28\xb5\x2f\xfd garbage", {"Content-Encoding": "zstd"}),
    "gzip that no header names, cut off": (gzip.compress(BODY)[:-12], {}),
    "more announced than sent": (BODY, {}),
    "less announced than sent": (BODY, {"Content-Length": str(len(BODY) - 9)}),
    "nothing": (b"", {}),
    "a page of a portal": (b" <!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}),
    "a part": (BODY, {}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_body_is_asked_for_again_and_then_told(name: str) -> None:
    body, headers = BROKEN[name]
    answer = Answer(body, 206 if name == "a part" else 200, {"Content-Type": JSON, **headers})
    if name == "more announced than sent":
        answer = Answer(BODY + b" " * 9, headers={"Content-Type": JSON}, cut=9)
    with serving(in_turn(answer, as_json(records(1)))) as server, reading(server.url) as client:
        assert [record.id for record in client.whole("/jobs").records] == ["1"]
        assert client.n_retries in ((1, 2) if name == "less announced than sent" else (1,))
    with serving(in_turn(answer)) as server, reading(server.url) as client:
        with pytest.raises(TransientError, match=r"^GET /jobs ") as caught:
            client.whole("/jobs")
        assert len(server.asked) == ATTEMPTS
    assert "Köchin" not in str(caught.value)
    assert "Sign in" not in str(caught.value)
    if name == "a page of a portal":
        assert "It is a web page, as a proxy, a sign-in page or an outage sends it." in str(caught.value)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error": {"type": "x", "message": "The search is down"}}', ": “The search is down”."),
        (b'{"error": "The search is down"}', ": “The search is down”."),
        (b'{"error": {"type": "x"}, "message": "The search is down"}', ": “The search is down”."),
        (b'{"error": {"code": 7}}', "with an error in its body. "),
        (b'{"error": "of anna.muster@example.com"}', "with an error in its body. "),
    ],
)
def test_an_error_that_comes_with_200_is_told_in_joins_words_and_asked_for_again(body: bytes, told: str) -> None:
    with serving(in_turn(Answer(body), as_json(records(1)))) as server, reading(server.url) as client:
        assert len(client.whole("/jobs").records) == 1
    with serving(in_turn(Answer(body))) as server, reading(server.url) as client:
        with pytest.raises(TransientError, match="Run it again later") as caught:
            client.whole("/jobs")
        assert len(server.asked) == ATTEMPTS
    assert told in str(caught.value)
    assert "@" not in str(caught.value)


def bombs() -> Iterator[tuple[str, bytes, str]]:
    whole = b"[" + b" " * (MAX_BYTES + 1) + b"]"
    yield "gzip", gzip.compress(whole), "gzip"
    yield "twice", gzip.compress(gzip.compress(b"[" + b" " * 10 * MAX_BYTES + b"]")), "gzip, gzip"
    yield "members", gzip.compress(b"[" + b" " * 2**20) * 80, "gzip"
    yield "deflate", zlib.compress(whole), "deflate"
    yield "no header", gzip.compress(whole), ""


@pytest.mark.parametrize(("body", "coding"), [pytest.param(*rest, id=name) for name, *rest in bombs()])
def test_a_small_body_that_unpacks_to_very_much_is_given_up_and_takes_little_memory(body: bytes, coding: str) -> None:
    assert len(body) < 2_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = Answer(body, headers={"Content-Encoding": coding} if coding else {})
    with (
        serving(in_turn(answer)) as server,
        reading(server.url, max_wait_seconds=1e-9) as client,
        pytest.raises(TransientError, match="more than 67,108,864 bytes"),
    ):
        client.whole("/jobs")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "in KiB"


def test_a_body_without_end_is_given_up() -> None:
    answer = Answer(b"[" + b" " * (MAX_BYTES + 9))
    with (
        serving(in_turn(answer)) as server,
        reading(server.url, max_wait_seconds=1e-9, timeout_seconds=30) as client,
        pytest.raises(TransientError, match="more than 67,108,864 bytes"),
    ):
        client.whole("/jobs")


def test_members_that_unpack_to_much_are_read_to_the_last_one() -> None:
    parts = [b"[" + b" " * 2**20, b" " * 100_000, b"1]", b"", b" " * 70_000]
    assert unpacked(b"".join(gzip.compress(part) for part in parts), ["gzip"]) == b"".join(parts)


def test_an_error_with_a_body_of_deep_nesting_is_the_error_that_its_status_is() -> None:
    with (
        serving(in_turn(Answer(b"[" * 5_000, 404))) as server,
        reading(server.url) as client,
        pytest.raises(NotFoundError, match="returned 404 Not Found"),
    ):
        client.whole("/jobs")


@given(
    data=st.data(), body=st.binary(max_size=3_000), codings=st.lists(st.sampled_from(["gzip", "deflate"]), max_size=3)
)
def test_what_is_packed_unpacks_to_the_same_and_never_to_less(data, body: bytes, codings: list[str]) -> None:
    packed = body
    for coding in codings:
        if coding == "deflate":
            packed = zlib.compress(packed)
        else:
            cuts = sorted(data.draw(st.lists(st.integers(0, len(packed)), max_size=3)))
            parts = [packed[a:b] for a, b in zip([0, *cuts], [*cuts, len(packed)], strict=True)]
            packed = b"".join(gzip.compress(part) for part in parts)
    assert unpacked(packed, codings) == body
    if codings == ["gzip"]:
        cut = data.draw(st.integers(2, len(packed) - 1))
        with suppress(httpx.DecodingError):
            # cut between two members, which the JSON's end shows
            assert body.startswith(unpacked(packed[:cut], codings))


WORDS = [
    b"Content-Encoding: gzip", b"Content-Encoding: \xff\xfe", b"Content-Length: -1", b"Content-Length: 1e9",
    b"Content-Length: 99999999999999999999999", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Content-Type: \x00", b"Content-Type: application/json; charset=\xe4", b"Date: tomorrow", b"Location: http://[",
    b"Location: //", b"Retry-After: 1e999", b"x-ratelimit-remaining: 0", b"x-ratelimit-reset: nan", b": empty", b"X",
    b"Set-Cookie: a=b; expires=x; domain=\xff", b"Connection: upgrade", b"Upgrade: h2c", b"Date: Fri, 99 Foo 99999 99",
]  # fmt: skip
STATUSES = [
    b"200 OK",
    b"204 No",
    b"101 Switching",
    b"301 Moved",
    b"304 Same",
    b"500 \xff",
    b"999 x",
    b"20 x",
    b"abc",
    b"206 P",
]


def test_no_response_gives_anything_but_a_list_or_an_error_of_ours() -> None:
    """400 responses of odd heads and bodies, over a socket."""
    chance = random.Random(13)
    bodies = [BODY, b"[]", b"", gzip.compress(BODY), MEMBERS[:-5], b"\xff\xfe", b"{}", b'{"error": []}', b"\0"]

    def respond(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            head = [b"HTTP/1.1 " + chance.choice(STATUSES), *chance.sample(WORDS, chance.randrange(4))]
            body = chance.choice(bodies)
            if chance.random() < 0.7:
                head.append(b"Content-Length: %d" % (len(body) + chance.choice((0, 0, 0, -1, 1))))
            connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)

    def listen(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                respond(connection)
            except OSError:
                continue

    n_lists = 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
        with reading(
            f"http://127.0.0.1:{listener.getsockname()[1]}/v2", max_wait_seconds=1e-9, timeout_seconds=0.5
        ) as client:
            for _ in range(400):
                with suppress(SourceError):
                    n_lists += len(client.whole("/jobs").records) >= 0
        listener.shutdown(socket.SHUT_RDWR)
    assert n_lists > 20
