"""Downloads from foreign URLs: the hosts, redirects, sizes and times that are allowed."""

import contextlib
import gzip
import socketserver
import threading
import time
import zlib
from collections.abc import Iterator

import httpx
import pytest

from join_pipeline.actions import download
from join_pipeline.actions.download import Downloader, DownloadError, GoneError, Origin
from join_pipeline.errors import InputError, SourceError, TransientError
from join_pipeline.http.unpacking import unpacking
from join_pipeline_tests.actions.company import no_sleep
from join_pipeline_tests.unit.sources.join.loopback import Answer, Asked, Loopback, in_turn, serving

SECRET = "tok-that-goes-nowhere"
SPELLINGS = (
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "[::1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
)


@contextlib.contextmanager
def files(content: bytes = b"file", **headers: str) -> Iterator[Loopback]:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    with serving(lambda _: Answer(content, headers=named)) as server:
        yield server


@pytest.mark.parametrize("host", SPELLINGS)
def test_this_machine_is_not_asked_however_it_is_spelt(host: str) -> None:
    with files() as server:
        port = httpx.URL(server.url).port
        with pytest.raises((DownloadError, TransientError), match=r"private network|has no address"):
            Downloader(sleep=no_sleep).download(f"http://{host}:{port}/", 100)
        assert server.asked == []


def test_a_name_with_one_private_address_is_not_asked() -> None:
    with files() as server:
        url = f"http://files.example.org:{httpx.URL(server.url).port}/"
        with pytest.raises(DownloadError, match="private network"):
            Downloader(resolve=lambda *_: ["93.184.215.14", "127.0.0.1"]).download(url, 100)
    assert server.asked == []


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """A name that answers otherwise the second time gains nothing: it is asked for once."""
    answers = ["127.0.0.1", "127.0.0.2"]

    def resolve(host: str, _port: int) -> list[str]:
        assert host == "files.example.org"
        return [answers.pop(0)]

    with files(b"content") as server:
        port = httpx.URL(server.url).port
        content, _ = Downloader(allow_private=True, resolve=resolve).download(
            f"http://files.example.org:{port}/a?b=1", 100
        )
    assert content == b"content"
    assert server.asked[0].headers["host"] == f"files.example.org:{port}"
    assert answers == ["127.0.0.2"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cv.pdf",
        "ftp://example.org/cv.pdf",
        "file:///etc/passwd",
        "data:text/plain,hello",
        "gopher://example.org/",
        "https://",
        "http://me:secret@example.org/",
        "http://exa mple.org/",
        "//example.org/cv.pdf",
        "http://0177.0.0.1/",
        "http://①②⑦.0.0.1/",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"^url: "):
        Downloader(allow_private=True).download(url, 100)


def redirecting(to: str, status: int = 302) -> contextlib.AbstractContextManager[Loopback]:
    return serving(lambda asked: Answer(status=status, headers={"Location": to}) if asked.path != "/end" else Answer())


def first_public() -> download.Resolve:
    """The first host of a chain counts as public, though it lies here; whatever follows is judged as it is."""

    def resolve(host: str, asked: int) -> list[str]:
        return ["127.0.0.1"] if host == "first.example.org" else download.resolve_host(host, asked)

    return resolve


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["http://127.0.0.1:{port}/end", "http://localhost:{port}/end", "http://[::1]:{port}/"])
def test_a_redirect_to_this_machine_is_not_followed(monkeypatch: pytest.MonkeyPatch, status: int, to: str) -> None:
    judged: list[str] = []

    def judge(address: str) -> bool:
        judged.append(address)
        return len(judged) == 1  # the first host passes for a public one

    monkeypatch.setattr(download, "is_public", judge)
    with serving(lambda _: Answer()) as inner:
        target = to.format(port=httpx.URL(inner.url).port)
        with redirecting(target, status) as server:
            port = httpx.URL(server.url).port
            downloader = Downloader(resolve=first_public(), sleep=no_sleep)
            with pytest.raises((DownloadError, TransientError), match=r"private network|has no address"):
                downloader.download(f"http://first.example.org:{port}/", 100)
        assert inner.asked == []


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://example.org/", "http://a:b@example.org/"])
def test_a_redirect_to_what_is_no_web_address_is_an_error(to: str) -> None:
    with redirecting(to) as server, pytest.raises(DownloadError, match="no web address"):
        Downloader(allow_private=True).download(server.url, 100)


def test_a_redirect_from_https_to_http_is_an_error() -> None:
    with pytest.raises(DownloadError, match="from https to http"):
        download._redirect_target(httpx.URL("https://example.org/a"), "http://example.org/b")


def test_a_circle_ends() -> None:
    with serving(lambda asked: Answer(status=302, headers={"Location": "/again"})) as server:
        with pytest.raises(DownloadError, match="more than 5 times"):
            Downloader(allow_private=True).download(server.url, 100)
        assert len(server.asked) == 6


def test_the_token_goes_to_its_own_origin_alone_and_along_no_redirect() -> None:
    with serving(lambda _: Answer(b"elsewhere")) as other:

        def answer(asked: Asked) -> Answer:
            return (
                Answer(status=302, headers={"Location": f"{other.url}/file"}) if asked.path == "/go" else Answer(b"own")
            )

        with serving(answer) as own:
            base = own.url.removesuffix("/v2")
            downloader = Downloader(Origin.of(httpx.URL(own.url)), SECRET, allow_private=True)
            assert downloader.download(f"{base}/file", 100)[0] == b"own"
            assert downloader.download(f"{base}/go", 100)[0] == b"elsewhere"
            assert downloader.download(f"{other.url}/direct", 100)[0] == b"elsewhere"
    assert [asked.headers.get("authorization") for asked in own.asked] == [SECRET, SECRET]
    assert [asked.headers.get("authorization") for asked in other.asked] == [None, None]
    assert SECRET not in repr(downloader)


# Bounds


def test_a_file_is_no_larger_than_allowed_whatever_it_promises() -> None:
    with files(b"x" * 1000) as server:
        assert len(Downloader(allow_private=True).download(server.url, 1000)[0]) == 1000
        with pytest.raises(DownloadError, match="larger than 999 bytes"):
            Downloader(allow_private=True).download(server.url, 999)


class Endless(socketserver.BaseRequestHandler):
    """Streams for ever, without a length."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                self.request.sendall(b"x" * 65536)


@contextlib.contextmanager
def served(handler: type[socketserver.BaseRequestHandler]) -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join(10)


def test_a_stream_without_end_is_cut_at_its_bound() -> None:
    with served(Endless) as url, pytest.raises(DownloadError, match="larger than 1,000,000 bytes"):
        Downloader(allow_private=True).download(url, 1_000_000)


def test_a_stream_that_takes_too_long_is_given_up() -> None:
    with served(Endless) as url, pytest.raises(DownloadError, match="takes too long"):
        Downloader(allow_private=True, total_seconds=0.2).download(url, 10**12)


CONTENT = b"%PDF-1.4 " + bytes(range(256)) * 999
MEMBERS = gzip.compress(CONTENT[:9]) + gzip.compress(b"") + gzip.compress(CONTENT[9:])


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(CONTENT), "gzip"),
        (gzip.compress(CONTENT), "GZIP"),
        (gzip.compress(CONTENT), "x-gzip, identity"),
        (gzip.compress(CONTENT), "aws-chunked, gzip"),
        (MEMBERS, "gzip"),
        (MEMBERS + bytes(99), "gzip"),
        (zlib.compress(CONTENT), "deflate"),
        (zlib.compress(CONTENT)[2:-4], "deflate"),
        (gzip.compress(zlib.compress(CONTENT)), "deflate, gzip"),
        (gzip.compress(gzip.compress(CONTENT)), "gzip, gzip"),
        (CONTENT, "gzip"),  # a proxy unpacked it and kept the header
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else value,
)
def test_a_packed_file_is_the_file_unpacked(body: bytes, coding: str) -> None:
    with files(body, Content_Encoding=coding) as server:
        assert Downloader(allow_private=True).download(server.url, len(CONTENT))[0] == CONTENT


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_packed_file_is_the_same_however_its_bytes_arrive(size: int) -> None:
    for body, codings in ((MEMBERS, ["gzip"]), (zlib.compress(CONTENT), ["deflate"]), (b"\x1f", ["gzip"]), (b"", [])):
        pieces = (body[place : place + size] for place in range(0, len(body), size))
        assert b"".join(unpacking(pieces, codings, 10**6)) == (CONTENT if len(body) > 1 else body)


@pytest.mark.parametrize(
    ("body", "coding", "why"),
    [
        (gzip.compress(CONTENT)[:-12], "gzip", "ends too early"),
        (MEMBERS[:-12], "gzip", "ends too early"),
        (gzip.compress(CONTENT)[:-8] + b"12345678", "gzip", "is broken"),
        (b"\x1f\x8b of Anna", "gzip", "is broken"),
        (zlib.compress(CONTENT)[:-9], "deflate", "ends too early"),
        (b"\xff of Anna", "deflate", "is broken"),
    ],
)
def test_a_damaged_file_is_told_in_words(body: bytes, coding: str, why: str) -> None:
    with files(body, Content_Encoding=coding) as server:
        with pytest.raises(DownloadError, match=f"can't be unpacked: the packed body {why}") as caught:
            Downloader(allow_private=True, sleep=no_sleep).download(server.url, len(CONTENT))
        assert len(server.asked) == 1, "the whole body came, so another attempt would give the same"
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(bytes(10**6)), "gzip"),
        (gzip.compress(bytes(10**5)) * 10, "gzip"),
        (zlib.compress(bytes(10**6)), "deflate"),
        (gzip.compress(gzip.compress(bytes(10**7))), "gzip, gzip"),
    ],
)
def test_a_file_that_unpacks_to_more_than_is_allowed_is_given_up(body: bytes, coding: str) -> None:
    with (
        files(body, Content_Encoding=coding) as server,
        pytest.raises(DownloadError, match="larger than 999,999 bytes"),
    ):
        Downloader(allow_private=True).download(server.url, 10**6 - 1)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=404), GoneError),
        (Answer(status=403), GoneError),
        (Answer(status=418), DownloadError),
        (Answer(status=500), TransientError),
        (Answer(status=429), TransientError),
        (Answer(status=503, headers={"Retry-After": "1"}), TransientError),
        (Answer(is_dropped=True), TransientError),
        (Answer(b"x" * 100, cut=50), TransientError),
    ],
)
def test_a_bad_answer_is_told_by_whether_it_is_worth_asking_again(answer: Answer, kind: type[SourceError]) -> None:
    with serving(lambda _: answer) as server:
        with pytest.raises(kind):
            Downloader(allow_private=True, sleep=no_sleep).download(server.url, 1000)
        assert len(server.asked) == (download.ATTEMPTS if kind is TransientError else 1)


BAD = (
    Answer(status=408),
    Answer(status=425),
    Answer(status=429, headers={"Retry-After": "2"}),
    Answer(status=500),
    Answer(status=502),
    Answer(status=503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
    Answer(status=504),
    Answer(status=520),
    Answer(is_dropped=True),
    Answer(b"x" * 100, cut=1),
    Answer(b"x" * 100, cut=100),
)


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_failure_that_passes_is_followed_by_the_whole_file(bad: Answer) -> None:
    waits: list[float] = []
    with serving(in_turn(bad, bad, Answer(b"file"))) as server:
        content, _ = Downloader(allow_private=True, sleep=waits.append).download(server.url, 1000)
        assert len(server.asked) == 3
    assert content == b"file"
    asked = float(bad.headers.get("Retry-After", "0")) if bad.status == 429 else 0.0
    assert waits == [max(1.0, asked), max(2.0, asked)]


def test_a_server_that_stays_silent_is_asked_again_within_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "READ_SECONDS", 0.2)
    with serving(in_turn(Answer(b"slow", drip=0.5), Answer(b"file"))) as server:
        content, _ = Downloader(allow_private=True, sleep=no_sleep).download(server.url, 1000)
    assert content == b"file"


def test_no_wait_leads_past_the_end_of_the_time() -> None:
    busy = Answer(status=503, headers={"Retry-After": "3600"})
    with serving(lambda _: busy) as server:
        with pytest.raises(TransientError, match="answered 503"):
            Downloader(allow_private=True, sleep=no_sleep).download(server.url, 1000)
        assert len(server.asked) == 1


def test_a_body_that_drips_is_given_up_in_time() -> None:
    began = time.monotonic()
    with serving(lambda _: Answer(b"x" * 1000, drip=0.05)) as server, pytest.raises(DownloadError, match="too long"):
        Downloader(allow_private=True, total_seconds=0.4).download(server.url, 10_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_a_server_that_writes_a_byte_now_and_then_is_given_up_in_time(beginning: bytes) -> None:
    """In its head, too, which httpx waits for as long as bytes come."""

    class Slow(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            with contextlib.suppress(OSError):
                self.request.sendall(beginning)
                for _ in range(200):
                    self.request.sendall(b"X")
                    time.sleep(0.05)

    began = time.monotonic()
    with served(Slow) as url, pytest.raises(DownloadError, match="takes too long"):
        Downloader(allow_private=True, total_seconds=0.4, sleep=no_sleep).download(url, 10_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "coding", ["", "identity", "UTF-8", "aws-chunked", "aws-chunked,", "identity, utf-8", "binary", "None"]
)
def test_a_coding_that_packs_nothing_is_no_reason_to_refuse_a_file(coding: str) -> None:
    with files(b"file", Content_Encoding=coding) as server:
        assert Downloader(allow_private=True).download(server.url, 100)[0] == b"file"


@pytest.mark.parametrize("coding", ["br", "aws-chunked, BR", "zstd, identity", "gzip, compress"])
def test_a_coding_that_nobody_here_unpacks_is_refused_wherever_it_stands(coding: str) -> None:
    with files(b"file", Content_Encoding=coding) as server, pytest.raises(DownloadError, match="packs the file"):
        Downloader(allow_private=True).download(server.url, 100)


def test_a_further_host_gets_the_token_and_no_other() -> None:
    with serving(lambda _: Answer(b"elsewhere")) as other, serving(lambda _: Answer(b"further")) as further:
        origins = tuple(Origin.of(httpx.URL(server.url)) for server in (further,))
        downloader = Downloader(None, SECRET, allow_private=True, further=origins)
        assert downloader.download(f"{further.url}/a", 100)[0] == b"further"
        assert downloader.download(f"{other.url}/a", 100)[0] == b"elsewhere"
    assert [asked.headers.get("authorization") for asked in further.asked] == [SECRET]
    assert [asked.headers.get("authorization") for asked in other.asked] == [None]
