"""Actions of the sandbox's Kombo: applications, candidates and files that are created, and what is refused.

Belongs here: what an action makes, warns of and refuses. Not here: the platform around it (test_kombo_platform).
"""

from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import kombo.errors
import pytest

from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline_tests.contract.kombo_client import CONFIG, Client, Sandbox, code_of, serving


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serving(CONFIG) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=[False, True], ids=["sync", "async"])
def client(request, sandbox) -> Client:
    return sandbox.client(is_async=request.param)


@pytest.fixture
def job(client) -> Any:
    return client.everything("jobs", statuses=["OPEN"])[0]


def person(client: Client, name: str) -> dict[str, str]:
    address = f"{name}.{'async' if client.is_async else 'sync'}@example.org"
    return {"first_name": name.title(), "last_name": "Example", "email_address": address}


def test_a_created_application_is_known_at_once_to_kombo_and_to_join(sandbox, client, job):
    file = {"name": "cv.pdf", "type": "CV", "content_type": "application/pdf", "data": b64encode(b"%PDF-1").decode()}
    answer = client.call("create_application", job_id=job.id, candidate=person(client, "ada"), attachments=[file])
    created = answer.data
    assert answer.warnings == []
    assert (created.outcome, created.job_id, created.candidate.last_name) == ("PENDING", job.id, "Example")
    assert [one.id for one in client.everything("applications", ids=[created.id])] == [created.id]
    [found] = client.everything("candidates", email=person(client, "ada")["email_address"])
    assert [one.id for one in found.applications] == [created.id]
    listed = httpx.get(
        f"{sandbox.url}/v2/applications/{created.remote_id}", headers={"Authorization": CONFIG.token}
    ).json()
    assert listed["candidate"]["lastName"] == "Example"
    [attached] = client.call("get_application_attachments", application_id=created.id).data.results
    assert (attached.type, attached.file_name) == ("CV", "cv.pdf")
    assert httpx.get(attached.data_url).content == b"%PDF-1"


def test_a_candidate_is_created_with_an_application(client, job):
    answer = client.call(
        "create_candidate", candidate=person(client, "bea"), application={"job_id": f"remote:{job.remote_id}"}
    )
    assert [one.job.id for one in answer.data.applications] == [job.id]
    assert client.call("get_candidate_attachments", candidate_id=answer.data.id).data.results == []


def test_what_join_has_no_place_for_is_told(client, job):
    candidate = person(client, "cleo") | {"phone_number": "+41 44 000 00 00", "company": "Example AG"}
    answer = client.call("create_application", job_id=job.id, candidate=candidate, gdpr_consent={"given": True})
    told = [warning.message for warning in answer.warnings]
    assert [message.partition(" ")[0] for message in told] == [
        "candidate.company",
        "candidate.phone_number",
        "gdpr_consent",
    ]


@pytest.mark.parametrize(
    ("source", "product"),
    [({"name": "Referral"}, "Referral"), ({"unified_key": "AGENCY"}, "Agency"), ({"name": "Our board"}, "Other")],
)
@pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")
def test_a_source_becomes_one_that_join_knows(client, job, source, product):
    candidate = person(client, f"dora{len(product)}{'x' * len(source.get('name', ''))}")
    answer = client.call("create_application", job_id=job.id, candidate=candidate, source=source)
    assert answer.data.candidate.source == product


def test_an_attachment_may_be_fetched_from_a_url(client, job):
    applications = client.everything("applications", outcomes=["PENDING"])
    files = (
        file
        for one in applications
        for file in client.call("get_application_attachments", application_id=one.id).data.results
    )
    url = next(files).data_url
    attached = [{"name": "letter.pdf", "type": "COVER_LETTER", "data_url": url}]
    created = client.call(
        "create_application", job_id=job.id, candidate=person(client, "emil"), attachments=attached
    ).data
    [found] = client.call("get_candidate_attachments", candidate_id=created.candidate_id).data.results
    assert (found.application_id, found.candidate_id) == (created.id, created.candidate_id)
    assert httpx.get(found.data_url).content == httpx.get(url).content
    assert httpx.get(found.data_url.partition("?")[0]).status_code == 403


def test_a_second_application_and_a_closed_job_are_refused_by_code(client, job):
    candidate = person(client, "finn")
    client.call("create_application", job_id=job.id, candidate=candidate)
    again = {"job_id": job.id, "candidate": candidate}
    assert code_of(client, "create_application", **again) == "ATS.APPLICATION_ALREADY_EXISTS"
    closed = client.everything("jobs", statuses=["ARCHIVED"])[0]
    assert code_of(client, "create_application", job_id=closed.id, candidate=candidate) == "ATS.JOB_CLOSED"


@pytest.mark.parametrize(
    "attachment",
    [
        {"name": "cv.pdf", "type": "CV"},
        {"name": "cv.pdf", "type": "CV", "data": "JVBERg=="},
        {"name": "cv.pdf", "type": "CV", "data": "?", "content_type": "application/pdf"},
        {"name": "cv.pdf", "type": "CV", "data": "JVBERg==", "content_type": "a/b", "data_url": "http://127.0.0.1/"},
        {"name": "cv.pdf", "type": "CV", "data_url": "https://example.com/cv.pdf"},
        {"name": "cv.pdf", "type": "CV", "data": b64encode(b"x" * 10_000_001).decode(), "content_type": "a/b"},
    ],
    ids=["neither", "no type", "no base64", "both", "far away", "too large"],
)
def test_attachments_that_make_no_sense_are_refused(sandbox, attachment):
    client = sandbox.client()
    job = client.everything("jobs", statuses=["OPEN"])[0]
    given = {"job_id": job.id, "candidate": person(client, "gero"), "attachments": [attachment]}
    assert code_of(client, "create_application", **given) == "PLATFORM.INPUT_INVALID"
    assert client.everything("candidates", email=person(client, "gero")["email_address"]) == []


def test_files_of_nobody_and_actions_that_join_lacks_are_errors(client):
    assert code_of(client, "get_application_attachments", application_id="nobody") is None
    with pytest.raises(kombo.errors.KomboAtsError) as caught:
        client.call("reject_application", application_id="any", rejection_reason_id="any")
    assert caught.value.data.error.code == "INTEGRATION.ACTION_NOT_AVAILABLE"


def test_only_so_many_actions_go_on_at_once():
    few = replace(CONFIG, kombo=KomboConfig(rate_limit=None, actions_in_flight=3))
    with serving(few) as sandbox:
        [application, *_] = sandbox.client().everything("applications")
        sandbox.control("faults", {"slow": 1.0})
        path = f"/ats/applications/{application.id}/attachments"
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: sandbox.raw(path), range(6)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 1 <= len(refused) <= 3
        assert {answer.json()["error"]["code"] for answer in refused} == {"PLATFORM.CONCURRENCY_LIMIT_EXCEEDED"}
        assert {answer.headers["concurrency-limit"] for answer in answers} == {"3"}
