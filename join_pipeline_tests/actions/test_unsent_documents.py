"""Documents that JOIN did not take: told, kept, and sent again by `resend`.

Belongs here: what becomes of a document after a request for it failed. Not here: one application, whatever fails
(test_exactly_once), files that JOIN has (test_attachments).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from join_pipeline.actions import send
from join_pipeline.actions.resend import forget, kept_documents, resend
from join_pipeline.errors import InputError, PermanentError, TransientError
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sources.join.client import JoinClient
from join_pipeline_tests.actions.company import (
    FILES,
    LETTER,
    PDF,
    WHOLE,
    Company,
    attachment,
    create,
    hashes,
    no_sleep,
)


def test_what_join_does_not_store_is_told_and_kept(company: Company, email: str) -> None:
    with company.faulty(documents_lost=1.0):
        created = create(company, company.request(email, *FILES))
    assert [warning.partition(" was")[0] for warning in created.warnings] == [
        "attachments[0] (CV)",
        "attachments[1] (COVER_LETTER)",
    ]
    assert len(company.kept()) == 1
    [shown] = company.applications(email)
    assert shown["attachments"] == []
    # asked again, it says so again
    assert "attachments[0] (CV)" in " ".join(create(company, company.request(email, *FILES)).warnings)


@pytest.mark.parametrize("fault", ["documents_error", "write_error", "rate_limited"])
def test_where_join_does_not_answer_the_request_waits_with_its_documents(
    company: Company, email: str, fault: str
) -> None:
    """However long JOIN answers with errors that pass, nothing is created without its files."""
    asked = company.request(email, *FILES)
    created = None
    with company.faulty(**{fault: 1.0}):
        for attempt in range(3):
            with pytest.raises(TransientError):
                created = create(company, asked, max_wait_seconds=1.0)
            if fault != "rate_limited":
                endings = [ended.ending for ended in resend(company.settings(), sleep=no_sleep)]
                assert endings == ["open"], attempt
    assert created is None
    assert company.applications(email) == []
    if fault == "rate_limited":  # not even the job could be looked up
        create(company, asked)
    else:
        assert [ended.ending for ended in resend(company.settings(), sleep=no_sleep)] == ["created"]
    [shown] = company.applications(email)
    assert company.files(shown) == WHOLE
    assert not company.kept()


@dataclass
class Scripted:
    """JOIN, where each attempt to create an application gets the next status, and only the last one is JOIN's own."""

    statuses: list[int]
    sent: list[int] = field(default_factory=list)

    @contextmanager
    def answering(self) -> Iterator[None]:
        real = JoinClient.ask

        def ask(client: JoinClient, method: str, path: str, **more: Any) -> httpx.Response:
            if method == "POST":
                self.sent.append(len(msgspec.json.decode(more["content"]).get("documents", [])))
            if method != "POST" or not self.statuses:
                return real(client, method, path, **more)
            status = self.statuses.pop(0)
            if status == 0:
                raise TransientError("no answer")
            request = httpx.Request(method, f"https://join.example{path}")
            return httpx.Response(status, json={"error": {"message": "no"}}, request=request)

        with mock.patch.object(JoinClient, "ask", ask):
            yield


@pytest.mark.parametrize("status", [0, 402, 405, 408, 409, 423, 425, 429, 451, 500, 502, 503, 504, 520, 599])
def test_no_status_that_speaks_of_something_else_costs_a_document(company: Company, email: str, status: int) -> None:
    asked = company.request(email, *FILES)
    join = Scripted([status] * 40)
    with join.answering(), pytest.raises((TransientError, PermanentError)):
        create(company, asked)
    assert set(join.sent) == {len(FILES)}
    create(company, asked)
    assert company.files(company.applications(email)[0]) == WHOLE


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_single_refusal_costs_no_document(company: Company, email: str, status: int) -> None:
    with Scripted([status]).answering():
        created = create(company, company.request(email, *FILES))
    assert created.warnings == []
    assert company.files(company.applications(email)[0]) == WHOLE


@given(statuses=strategies.lists(strategies.sampled_from([0, 400, 408, 413, 415, 422, 429, 500, 502, 503]), max_size=9))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_documents_are_left_out_only_after_two_refusals_of_all(company: Company, statuses: list[int]) -> None:
    """Whatever JOIN answers in between, and however often the request is made again."""
    email = f"{uuid4().hex}@applicants.example.org"
    asked, join = company.request(email, *FILES), Scripted(list(statuses))
    with join.answering():
        for _ in range(len(statuses) + 1):
            with suppress(TransientError, PermanentError):
                create(company, asked)
                break
    [shown] = company.applications(email)
    refused = [
        status in send.ABOUT_DOCUMENTS for status, n in zip(statuses, join.sent, strict=False) if n == len(FILES)
    ]
    fewer = [n for n in join.sent if n < len(FILES)]
    assert not fewer or sum(refused) >= 2
    assert company.files(shown) == WHOLE or fewer


def test_a_document_that_join_refuses_costs_no_other(company: Company, email: str) -> None:
    bad = attachment("setup.exe", "OTHER", b"plain")
    created = create(company, company.request(email, FILES[0], bad, FILES[1]))
    [shown] = company.applications(email)
    assert company.files(shown) == WHOLE
    assert created.warnings == [
        "attachments[1] (OTHER) was not taken by JOIN; it is kept, and `join-pipeline attachments resend` sends it"
    ]


def test_documents_that_are_too_large_for_join_are_left_out_and_told(tmp_path: Path, email: str) -> None:
    with running(SandboxConfig(port=0, applications=50, rate_limit=None, max_documents_bytes=30)) as url:
        company = Company(url, tmp_path)
        created = create(company, company.request(email, *FILES, attachment("c.pdf", "OTHER", PDF + bytes(50))))
        assert len(created.warnings) == 3
        assert company.applications(email)[0]["attachments"] == []


def test_resend_adds_what_is_missing_where_join_takes_it(tmp_path: Path, email: str) -> None:
    with running(SandboxConfig(port=0, applications=50, rate_limit=None, adds_documents=True)) as url:
        company = Company(url, tmp_path)
        with company.faulty(documents_lost=1.0):
            created = create(company, company.request(email, *FILES))
        [ended] = resend(company.settings(), sleep=no_sleep)
        assert (ended.ending, ended.application_id, ended.unsent) == ("sent", created.application["id"], [])
        [shown] = company.applications(email)
        assert company.files(shown) == WHOLE
        assert not company.kept()
        assert resend(company.settings()) == []


def test_resend_says_what_to_do_where_join_refuses(company: Company, email: str) -> None:
    with company.faulty(documents_lost=1.0):
        key = create(company, company.request(email, *FILES)).key
    [ended] = resend(company.settings(), [key], sleep=no_sleep)
    assert (ended.ending, ended.unsent) == ("refused", ["attachments[0] (CV)", "attachments[1] (COVER_LETTER)"])
    assert "by hand" in ended.message
    assert len(company.applications(email)) == 1
    assert list(kept_documents(company.settings(), key)) == [("cv.pdf", PDF), ("letter.pdf", LETTER)]
    forget(company.settings(), [key])
    assert not company.kept()
    with pytest.raises(InputError, match=r"^key: nothing is kept"):
        forget(company.settings(), [key])


def test_resend_drops_what_belongs_to_an_application_that_is_gone(company: Company, email: str) -> None:
    with company.faulty(documents_lost=1.0):
        create(company, company.request(email, *FILES))
    company.move_to("2026-05-31T00:00:00Z")
    try:
        assert [ended.ending for ended in resend(company.settings(), sleep=no_sleep)] == ["gone"]
    finally:
        company.move_to("2026-06-01T00:00:00Z")
    assert not company.kept()


def test_resend_creates_what_was_never_taken(company: Company, email: str) -> None:
    with company.faulty(write_error=1.0), pytest.raises(TransientError, match="same request again"):
        create(company, company.request(email, *FILES))
    assert not company.applications(email)
    [ended] = resend(company.settings(), sleep=no_sleep)
    assert ended.ending == "created"
    assert company.files(company.applications(email)[0]) == WHOLE
    assert not company.kept()


def test_a_file_is_downloaded_once_however_often_it_is_sent(company: Company, email: str) -> None:
    asked = company.request(email, {"name": "cv.pdf", "type": "CV", "data_url": "https://files.example.org/cv.pdf"})
    fetched: list[str] = []

    def fetch(_self: object, url: str, _max: int) -> tuple[bytes, httpx.Headers]:
        fetched.append(url)
        return PDF, httpx.Headers()

    with mock.patch("join_pipeline.actions.download.Downloader.download", fetch):
        with company.faulty(write_error=1.0), pytest.raises(TransientError):
            create(company, asked)
        create(company, asked)
    assert len(fetched) == 1
    assert company.files(company.applications(email)[0]) == hashes(PDF)
