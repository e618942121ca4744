"""Webhooks: signed ones ask for one sync however many come, others change nothing; Dagster launches it once."""

import http.client
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import httpx
import pytest

from join_pipeline import pipeline
from join_pipeline.defs.automation import webhook
from join_pipeline.errors import LockedError, SettingsError
from join_pipeline.lake.files import locked
from join_pipeline.settings import Settings
from join_pipeline.sources.kombo.receiver import request_file, requested, server
from join_pipeline.sources.kombo.webhooks import is_signed
from join_pipeline_tests.kombo.accounts import Account, account

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
    with server(settings, "127.0.0.1", 0) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{receiver.server_port}"
        receiver.shutdown()
        thread.join()


def send(company: Account, url: str, kind: str = "data-changed") -> int:
    """One of Kombo's own."""
    body = {"url": url, "type": kind}
    status: int = httpx.post(f"{company.url}/control/kombo/webhook", json=body, trust_env=False).json()["status"]
    return status


def test_a_flood_of_webhooks_is_one_request_until_a_sync_begins(company: Account, settings: Settings, url: str) -> None:
    names = set()
    for kind in ("data-changed", "sync-finished", "data-changed"):
        assert send(company, url, kind) == 204
        names.add(requested(settings))
    assert len(names) == 1
    assert request_file(settings).stat().st_mode & 0o777 == 0o600
    pipeline.sync(settings, "incremental", [])
    assert requested(settings) is None
    assert send(company, url) == 204
    assert requested(settings) not in {None, *names}


def test_a_request_whose_sync_is_refused_its_turn_is_not_lost(company: Account, settings: Settings, url: str) -> None:
    send(company, url)
    name = requested(settings)
    assert name is not None
    with locked(settings.home), pytest.raises(LockedError):
        pipeline.sync(settings, "incremental", [])
    assert requested(settings) == name
    pipeline.sync(settings, "incremental", [])
    assert requested(settings) is None


@pytest.mark.parametrize("signature", [None, "", "AAAA", "ä", "x" * 5000])
def test_a_bad_signature_gets_401_and_changes_nothing(settings: Settings, url: str, signature: str | None) -> None:
    headers = {} if signature is None else {b"X-Kombo-Signature": signature.encode()}
    answer = httpx.post(url, content=b'{"type": "data-changed"}', headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert requested(settings) is None
    assert not settings.home.exists()


def test_a_signature_is_of_the_raw_body_by_the_secret() -> None:
    # computed by `openssl dgst -sha256 -hmac secret -binary | base64`
    signature = "nvoUoYQQpXpDL78M441LwzM5A2pk5XuMhtoLseEi2XI"
    assert is_signed("secret", b'{"a": 1}', signature)
    assert not is_signed("secret", b'{"a":  1}', signature)
    assert not is_signed("other", b'{"a": 1}', signature)


def test_what_is_too_large_or_has_no_length_is_not_read(settings: Settings, url: str) -> None:
    assert httpx.post(url, content=b"x" * 1_000_001, trust_env=False).status_code == 413
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.putrequest("POST", "/")
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()
    assert httpx.get(url, trust_env=False).status_code == 501
    assert requested(settings) is None


def test_there_is_no_listening_without_a_secret_or_on_a_port_that_is_taken(settings: Settings, url: str) -> None:
    with pytest.raises(SettingsError, match="KOMBO_WEBHOOK_SECRET is not set"):
        server(settings.model_copy(update={"kombo_webhook_secret": None}), "127.0.0.1", 0)
    with pytest.raises(SettingsError, match="can't be taken"):
        server(settings, "127.0.0.1", int(url.rpartition(":")[2]))


def test_the_sensor_launches_one_incremental_sync(company: Account, settings: Settings, url: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:

        def ask() -> object:
            context = dg.build_sensor_context(instance=instance, resources={"settings": settings})
            return webhook(context)

        assert isinstance(ask(), dg.SkipReason)
        send(company, url)
        first, again = ask(), ask()
        assert isinstance(first, dg.RunRequest)
        assert isinstance(again, dg.RunRequest)
        assert first.run_key == again.run_key == requested(settings)
        assert first.run_config["ops"]["extract"]["config"]["mode"] == "incremental"
        with locked(settings.home):
            assert isinstance(ask(), dg.SkipReason)
