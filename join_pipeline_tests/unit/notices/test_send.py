"""Notices on their way: what a webhook and a mail server get, and that a failure is a line without an address."""

import logging
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.errors import SettingsError
from join_pipeline.notices import send as sending
from join_pipeline.notices.notice import Notice, safe
from join_pipeline.notices.send import send
from join_pipeline.settings import Settings, load_settings
from join_pipeline_tests.receivers import (
    CANARIES,
    MAIL_PASSWORD,
    MAIL_USER,
    RECEIVERS,
    SENDER,
    WEBHOOK_SECRET,
    certificate_in,
    hook,
    post,
)

pytestmark = pytest.mark.usefixtures("no_settings_in_environment")
HOST = {"mail_host": "smtp.example"}
NOTICE = Notice("acme", "sync", "failed", "a <reason> & [more](x)", "Run 7.")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_in(tmp_path_factory.mktemp("tls"))


def mailed(port: int, **more: Any) -> Settings:
    chosen = {"mail_host": "localhost", "mail_port": port, "mail_from": SENDER, "mail_to": RECEIVERS}
    return load_settings(**(chosen | more))


def test_slack_gets_a_text_that_it_shows_as_it_is() -> None:
    with hook() as got:
        assert send(load_settings(notice_webhook=got.url), NOTICE) == []
    assert got.got == [{"text": "acme: sync failed: a &lt;reason&gt; &amp; [more](x) Run 7."}]


def test_teams_gets_a_card() -> None:
    with hook() as got:
        assert send(load_settings(notice_webhook=got.url, notice_shape="card"), NOTICE) == []
    (sent,) = got.got
    (attachment,) = sent["attachments"]
    assert (sent["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert [part["text"] for part in attachment["content"]["body"]] == [
        "acme: sync failed",
        "a <reason> & (more)(x) Run 7.",
    ]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_is_encrypted_before_the_password_and_the_addresses_are_said(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with post(certificate, is_wrapped=security == "tls") as got:
        login = {"mail_user": MAIL_USER, "mail_password": MAIL_PASSWORD}
        assert send(mailed(got.port, mail_security=security, **login), NOTICE) == []
    ((sender, receivers, mail),) = got.got
    assert sender.startswith(f"FROM:<{SENDER}>")
    assert receivers == [f"TO:<{one}>" for one in RECEIVERS.split(", ")]
    assert got.logins == [f"\0{MAIL_USER}\0{MAIL_PASSWORD}"]
    assert set(got.was_clear) <= {"EHLO", "STARTTLS"}
    assert mail["Subject"] == "join-pipeline: acme: sync failed"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert socket.gethostname() not in str(mail["Message-ID"])
    assert mail.get_content().strip() == NOTICE.text  # type: ignore[attr-defined]


def test_a_server_that_nobody_vouches_for_and_one_without_starttls_get_no_mail(certificate: Path) -> None:
    for other in (certificate, None):
        with post(other) as got:
            login = {"mail_user": MAIL_USER, "mail_password": MAIL_PASSWORD}
            (line,) = send(mailed(got.port, **login), NOTICE)
        assert line.startswith("The notice was not sent by e-mail: ")
        assert (got.logins, got.got) == ([], [])
        assert set(got.was_clear) <= {"EHLO", "STARTTLS", "QUIT"}


def test_both_ways_are_tried_and_each_failure_is_a_line_without_an_address(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    login = {"mail_user": MAIL_USER, "mail_password": MAIL_PASSWORD}
    said = []
    for status, refuses in ((404, "login"), (302, "canary-b@"), (500, "@mail.example")):
        with hook() as web, post(refuses=refuses) as mail:
            web.answers = status
            told = send(mailed(mail.port, mail_security="none", notice_webhook=web.url, **login), NOTICE)
        assert f"The notice was not sent by webhook: the server answered {status}." in told
        assert len(web.got) == 1
        said += told
    assert [line.partition("e-mail: ")[2] for line in said if "e-mail" in line] == [
        "the mail server refused it (SMTPAuthenticationError, 535).",
        "the mail server refused 1 of 2 addresses.",
        "the mail server refused it (SMTPRecipientsRefused).",
    ]
    nobody = mailed(1, mail_security="none", notice_webhook=f"http://127.0.0.1:1/{WEBHOOK_SECRET}")
    said += send(nobody, NOTICE)
    assert "ConnectError" in said[-2]
    assert "Connection refused" in said[-1]
    printed = " ".join([*said, caplog.text, *capfd.readouterr()])
    assert [canary for canary in CANARIES if canary in printed] == []


def test_a_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begin = time.monotonic()
        told = send(mailed(port, mail_security="none", notice_webhook=f"http://127.0.0.1:{port}/"), NOTICE)
    assert len(told) == 2
    assert time.monotonic() - begin < 8, "without its own limit, a mail server is waited for until it answers"


def test_what_slips_into_a_reason_is_taken_out(tmp_path: Path) -> None:
    token, key = "jOiN-tOkEn-CaNaRy", "pSeUdOnYm-KeY-CaNaRy"
    settings = load_settings(
        data=tmp_path, join_api_token=token, pseudonym_key=key, notice_webhook="https://h.example/x?s=1"
    )
    person = "Ada.Lovelace+jobs@example.org"
    uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    said = safe(
        f"{person}: GET https://u:p@api.example/v2/applications/4711007?mail={person} {token} {key}\n\x1b[31m{uuid} "
        f"abcdefghij0123456789XYZ https://h.example/x?s=1 after 12 of 300 “Ada ”Lovelace” is not valid”. Try again",
        settings,
    )
    for canary in (token, key, "Lovelace", "u:p", "4711007", uuid, "abcdefghij", "s=1", "\x1b", "\n"):
        assert canary not in said
    assert said.startswith("…: GET https://api.example/v2/applications/… … …")
    assert said.endswith("after 12 of 300. Try again")
    assert len(safe("x y" * 5000, settings)) == 1000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"notice_webhook": f"http://hooks.example/{WEBHOOK_SECRET}"}, "JOIN_PIPELINE_NOTICE_WEBHOOK: needs https"),
        ({"notice_webhook": f"https://{SENDER}/x"}, "takes no user"),
        ({"notice_webhook": f"mailto:{SENDER}"}, "needs https"),
        ({"notice_shape": SENDER}, "JOIN_PIPELINE_NOTICE_SHAPE"),
        ({"mail_host": f"smtp://{WEBHOOK_SECRET}"}, "JOIN_PIPELINE_MAIL_HOST: is not a host name"),
        (HOST, "JOIN_PIPELINE_MAIL_HOST: needs JOIN_PIPELINE_MAIL_FROM and JOIN_PIPELINE_MAIL_TO"),
        ({"mail_to": f"{SENDER},{SENDER}\nBcc: {MAIL_USER}"}, "JOIN_PIPELINE_MAIL_TO: needs e-mail addresses"),
        ({"mail_from": f"Canary <{SENDER}>"}, "JOIN_PIPELINE_MAIL_FROM: needs one e-mail address"),
        (HOST | {"mail_from": SENDER, "mail_to": SENDER, "mail_security": "none"}, "on this machine"),
        (HOST | {"mail_from": SENDER, "mail_to": SENDER, "mail_user": MAIL_USER}, "needs JOIN_PIPELINE_MAIL_PASSWORD"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_without_its_value(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    assert words in str(caught.value)
    assert [canary for canary in CANARIES if canary in str(caught.value)] == []
