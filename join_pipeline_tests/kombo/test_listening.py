"""Webhooks: signed ones start one sync however many come, and others change nothing; Dagster launches it once."""

import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import httpx
import pytest

from join_pipeline import pipeline
from join_pipeline.component.one import sensors
from join_pipeline.component.scope import Scope
from join_pipeline.connections import webhooks
from join_pipeline.connections.trigger import AGAIN_SECONDS, pending_trigger, set_trigger, trigger_file
from join_pipeline.connections.webhooks import bound, receiver
from join_pipeline.errors import LockedError, SettingsError, SourceError
from join_pipeline.lake import files
from join_pipeline.lake.files import locked
from join_pipeline.settings import Settings, process_environment
from join_pipeline.sources.kombo.options import KomboOptions
from join_pipeline.sources.kombo.webhooks import SIGNATURE_HEADER, KomboWebhooks, is_signed, signature_of
from join_pipeline.sources.registry import open_source
from join_pipeline_tests.kombo.accounts import Account, account
from join_pipeline_tests.syncing import changed

START = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("webhooks"), START, 20) as running:
        running.force()
        yield running


@pytest.fixture
def settings(company: Account, tmp_path: Path) -> Settings:
    return company.kombo(data=tmp_path, kombo_webhook_secret=company.config.webhook_secret)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with bound("127.0.0.1", 0) as taken:
        server = receiver(open_source(settings), settings.home)
        thread = threading.Thread(target=server.run, args=([taken],))
        thread.start()
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def send(company: Account, url: str, kind: str = "data-changed") -> int:
    """One of Kombo's own."""
    body = {"url": url, "type": kind}
    status: int = httpx.post(f"{company.url}/control/kombo/webhook", json=body, trust_env=False).json()["status"]
    return status


def test_a_flood_of_webhooks_is_one_trigger_until_a_sync_begins(company: Account, settings: Settings, url: str) -> None:
    names = set()
    for kind in ("data-changed", "sync-finished", "data-changed"):
        assert send(company, url, kind) == 204
        names.add(pending_trigger(settings.home))
    assert len(names) == 1
    assert trigger_file(settings.home).stat().st_mode & 0o777 == 0o600
    pipeline.sync(settings, "incremental", [])
    assert pending_trigger(settings.home) is None
    assert send(company, url) == 204
    assert pending_trigger(settings.home) not in {None, *names}


def test_a_trigger_whose_sync_is_refused_its_turn_is_not_lost(company: Account, settings: Settings, url: str) -> None:
    send(company, url)
    name = pending_trigger(settings.home)
    assert name is not None
    with locked(settings.home), pytest.raises(LockedError):
        pipeline.sync(settings, "incremental", [])
    assert pending_trigger(settings.home) == name
    pipeline.sync(settings, "incremental", [])
    assert pending_trigger(settings.home) is None


def test_a_trigger_waits_again_if_the_sync_that_took_it_fails(company: Account, settings: Settings) -> None:
    set_trigger(settings.home)
    name = pending_trigger(settings.home)
    nobody = changed(settings, kombo_api_url="http://127.0.0.1:9/v1", max_wait_seconds=1)
    with pytest.raises(SourceError):
        pipeline.sync(nobody, "incremental", [])
    assert pending_trigger(settings.home) == name

    def interrupt(_feed: str, _records: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.sync(settings, "incremental", [], interrupt)
    assert pending_trigger(settings.home) == name
    pipeline.sync(settings, "incremental", [])
    assert pending_trigger(settings.home) is None


def test_a_webhook_that_comes_while_a_sync_reads_is_not_answered_by_it(settings: Settings) -> None:
    set_trigger(settings.home)
    before = pending_trigger(settings.home)
    pipeline.sync(settings, "incremental", [], lambda _feed, _records: set_trigger(settings.home))
    assert pending_trigger(settings.home) not in {None, before}


def test_a_trigger_that_no_sync_answers_asks_for_another_run(settings: Settings) -> None:
    set_trigger(settings.home)
    name = pending_trigger(settings.home)
    assert pending_trigger(settings.home) == name
    at = time.time() - AGAIN_SECONDS - 1
    os.utime(trigger_file(settings.home), (at, at))
    assert pending_trigger(settings.home) not in {None, name}


@pytest.mark.parametrize("signature", [None, "", "AAAA", "ä", "x" * 5000])
def test_a_bad_signature_gets_401_and_changes_nothing(settings: Settings, url: str, signature: str | None) -> None:
    headers = {} if signature is None else {b"X-Kombo-Signature": signature.encode()}
    answer = httpx.post(url, content=b'{"type": "data-changed"}', headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert pending_trigger(settings.home) is None
    assert not settings.home.exists()


def test_a_signature_is_of_the_raw_body_by_the_secret() -> None:
    # computed by `openssl dgst -sha256 -hmac secret -binary | base64`
    signature = "nvoUoYQQpXpDL78M441LwzM5A2pk5XuMhtoLseEi2XI"
    assert is_signed("secret", b'{"a": 1}', signature)
    assert not is_signed("secret", b'{"a":  1}', signature)
    assert not is_signed("other", b'{"a": 1}', signature)


def signed(settings: Settings, body: bytes) -> dict[str, str]:
    return {SIGNATURE_HEADER: signature_of(settings.of(KomboOptions).webhook_secret(), body)}


def test_a_body_of_no_told_length_is_read_as_far_as_a_webhook_can_be_long(settings: Settings, url: str) -> None:
    body = b'{"type": "data-changed"}'
    halves = iter((body[:10], body[10:]))
    answer = httpx.post(url, content=halves, headers=signed(settings, body), trust_env=False)
    assert answer.status_code == 204
    assert pending_trigger(settings.home) is not None


OURS = '"data": {"integration_id": "join:ours"}'


@pytest.mark.parametrize(
    ("body", "is_about_data"),
    [
        (f'{{"type": "data-changed", {OURS}}}', True),
        (f'{{"type": "sync-finished", {OURS}}}', True),
        (f'{{"type": "integration-deleted", {OURS}}}', False),
        ('{"type": "data-changed", "data": {"integration_id": "join:theirs"}}', False),
        ('{"type": "data-changed", "data": {"integration_id": 5}}', False),
        ('{"type": "data-changed", "data": {"integration_id": null}}', True),
        ('{"type": "data-changed", "data": null}', True),
        ('{"type": "data-changed", "data": []}', True),
        ('{"type": "data-changed"}', True),
        (f'{{"type": "data-changed", {OURS}, "x": {"9" * 9000}, "y": 1e999999}}', True),
        (f'{{"type": "data-changed", {OURS}, "x": "\\ud800 \\u0000"}}', True),
        (f'\ufeff{{"type": "data-changed", {OURS}}}', True),
        (f'{{"type": "data-changed", {OURS}, "x": {"[" * 100_000}}}', False),
        ("[" * 900_000, False),
        ('{"type": ["data-changed"]}', False),
        ('{"type": 5}', False),
        ('["data-changed"]', False),
        ("null", False),
        ("", False),
    ],
)
def test_only_a_webhook_about_our_data_starts_a_sync_whatever_else_is_in_it(body: str, is_about_data: bool) -> None:
    options = KomboOptions(KOMBO_INTEGRATION_ID="join:ours", KOMBO_WEBHOOK_SECRET="secret")
    assert KomboWebhooks(options).is_about_data(body.encode()) is is_about_data


@pytest.mark.parametrize("seed", range(50))
def test_no_body_is_a_fault_of_the_receiver(seed: int) -> None:
    draw = random.Random(seed)
    body = bytearray(
        b'{"type": "data-changed", "data": {"integration_id": "join:ours", "changed_models": [1.5, true]}}'
    )
    for _ in range(draw.randint(1, 5)):
        place = draw.randrange(len(body))
        body[place : place + draw.randint(0, 3)] = draw.choice(
            [b"\xff", b"\x00", b"\\ud8", b"{", b"[" * 2000, b"9" * 5000, b'"', b"}", b"e999", draw.randbytes(4)]
        )
    assert KomboWebhooks(KomboOptions()).is_about_data(bytes(body)) in {True, False}


def test_two_signatures_are_none(settings: Settings, url: str) -> None:
    body = b'{"type": "data-changed"}'
    one = next(iter(signed(settings, body).items()))
    assert httpx.post(url, content=body, headers=[one, one], trust_env=False).status_code == 401
    assert pending_trigger(settings.home) is None


@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_too_long_is_refused_and_changes_nothing(settings: Settings, url: str, is_told: bool) -> None:
    body = b"x" * (webhooks.MAX_BYTES + 1)
    content = body if is_told else iter((body[:1000], body[1000:]))
    headers = signed(settings, body)
    assert httpx.post(url, content=content, headers=headers, trust_env=False).status_code == 413
    assert pending_trigger(settings.home) is None


def test_get_and_head_say_that_it_is_up_and_nothing_of_what_runs_it(settings: Settings, url: str) -> None:
    for method, text in (("GET", "ok\n"), ("HEAD", "")):
        answer = httpx.request(method, url, trust_env=False)
        assert (answer.status_code, answer.text) == (200, text)
        assert "server" not in answer.headers
        assert not any(word in str(answer.headers).lower() for word in ("uvicorn", "starlette", "python"))
    assert httpx.put(url, content=b"x", trust_env=False).status_code == 405
    assert httpx.post(url, content=b"", trust_env=False).status_code == 401
    assert pending_trigger(settings.home) is None


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"POST / HTTP/1.1\r\nHost: a\r\n", b""),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf", b"HTTP/1.1 408"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", b"HTTP/1.1 408"),
    ],
    ids=["nothing", "half a head", "half a body", "half of chunks"],
)
def test_who_stops_in_the_middle_is_let_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str, sent: bytes, status: bytes
) -> None:
    assert webhooks.SECONDS == 10
    monkeypatch.setattr(webhooks, "SECONDS", 0.3)
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20) as connection:
        connection.sendall(sent)
        said = b""
        while chunk := connection.recv(4096):
            said += chunk
    assert said.startswith(status)
    assert bool(said) == bool(status)
    assert 0.2 < time.monotonic() - start < 8
    assert httpx.get(url, trust_env=False).status_code == 200


def test_many_at_once_are_all_answered_and_leave_one_trigger(settings: Settings, url: str) -> None:
    body = b'{"type": "data-changed"}'
    headers = signed(settings, body)

    with httpx.Client(trust_env=False, timeout=20) as client, ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda _n: client.post(url, content=body, headers=headers), range(64))
        assert {answer.status_code for answer in answers} == {204}
    assert pending_trigger(settings.home) is not None
    assert [path.name for path in settings.home.iterdir()] == [trigger_file(settings.home).name]


def _post(url: str, headers: dict[str, str]) -> int:
    body = b'{"type": "data-changed"}'
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60).status_code


BURST = """
    import http.client, sys
    from concurrent.futures import ThreadPoolExecutor

    def post(_):
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
        connection.request("POST", "/", b'{"type": "data-changed"}', {"X-Kombo-Signature": sys.argv[2]})
        return connection.getresponse().status

    with ThreadPoolExecutor(25) as pool:
        print(*pool.map(post, range(75)))
"""


def test_a_burst_from_several_processes_is_answered_whole(settings: Settings, url: str) -> None:
    signature = signed(settings, b'{"type": "data-changed"}')[SIGNATURE_HEADER]
    command = [sys.executable, "-c", textwrap.dedent(BURST), url.rpartition(":")[2], signature]
    senders = [subprocess.Popen(command, text=True, stdout=subprocess.PIPE) for _ in range(4)]
    assert [sender.communicate(timeout=100)[0].split() for sender in senders] == [["204"] * 75] * 4
    assert [path.name for path in settings.home.iterdir()] == [trigger_file(settings.home).name]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_answered_outlives_the_receiver(company: Account, settings: Settings, end: signal.Signals) -> None:
    command = [sys.executable, "-m", "join_pipeline.cli", "listen", "--port", "0"]
    with subprocess.Popen(command, env=process_environment(settings), text=True, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        at = child.stdout.readline().split()[-1]
        assert send(company, at) == 204
        child.send_signal(end)
        assert child.wait(timeout=30) == -end
    assert pending_trigger(settings.home) is not None


def test_a_full_disk_is_told_to_the_sender_who_sends_again(
    settings: Settings, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = signed(settings, b'{"type": "data-changed"}')
    full = tmp_path / "full"
    with monkeypatch.context() as patched:
        full.symlink_to("/dev/full")
        patched.setattr(files, "aside_of", lambda _path: full)
        assert _post(url, headers) == 503
    assert pending_trigger(settings.home) is None
    assert _post(url, headers) == 204
    assert pending_trigger(settings.home) is not None


def test_idle_connections_do_not_keep_senders_out(
    settings: Settings, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_CONNECTIONS", 5)
    monkeypatch.setattr(webhooks, "IDLE_SECONDS", 0.1)
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    idle = [socket.create_connection(address, timeout=5) for _ in range(8)]
    time.sleep(0.3)
    assert _post(url, signed(settings, b'{"type": "data-changed"}')) == 204
    assert [one.recv(1) for one in idle] == [b""] * 8
    for one in idle:
        one.close()


def test_triggers_that_are_set_at_once_by_several_receivers_do_not_fail(settings: Settings) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _n: set_trigger(settings.home), range(64)))
    assert pending_trigger(settings.home) is not None
    assert [path.name for path in settings.home.iterdir()] == [trigger_file(settings.home).name]


def test_a_trigger_that_can_not_be_kept_is_not_said_to_be_taken(settings: Settings, url: str) -> None:
    settings.home.parent.mkdir(exist_ok=True)
    settings.home.write_text("a file, where the folder of the connection should be")
    body = b'{"type": "data-changed"}'
    assert httpx.post(url, content=body, headers=signed(settings, body), trust_env=False).status_code == 503


def test_there_is_no_receiver_without_a_secret_or_webhooks_or_on_a_port_that_is_taken(
    company: Account, settings: Settings, url: str
) -> None:
    with pytest.raises(SettingsError, match="KOMBO_WEBHOOK_SECRET is not set"):
        receiver(open_source(changed(settings, kombo_webhook_secret=None)), settings.home)
    with pytest.raises(SettingsError, match="JOIN sends no webhooks"):
        receiver(open_source(company.join()), settings.home)
    with pytest.raises(SettingsError, match="can't be opened"), bound("127.0.0.1", int(url.rpartition(":")[2])):
        pass


def test_the_sensor_launches_one_incremental_sync(company: Account, settings: Settings, url: str) -> None:
    (webhook,) = (one for one in sensors(Scope(settings)) if one.name == "webhook")
    with dg.DagsterInstance.ephemeral() as instance:

        def ask() -> object:
            return webhook(dg.build_sensor_context(instance=instance))

        assert isinstance(ask(), dg.SkipReason)
        send(company, url)
        first, again = ask(), ask()
        assert isinstance(first, dg.RunRequest)
        assert isinstance(again, dg.RunRequest)
        assert first.run_key == again.run_key == pending_trigger(settings.home)
        assert first.run_config["ops"]["extract"]["config"]["mode"] == "incremental"
        with locked(settings.home):
            assert isinstance(ask(), dg.SkipReason)
