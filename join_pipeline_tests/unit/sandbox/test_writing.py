"""Records that were written through the API lie over the timeline."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from join_pipeline.sandbox import SandboxConfig, running

CONFIG = SandboxConfig(port=0, seed=5, applications=300, jobs=120, rate_limit=None)


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    with running(CONFIG) as url, httpx.Client(base_url=url, headers={"Authorization": CONFIG.token}) as client:
        yield client


def open_job(api: httpx.Client, skip: int = 0) -> int:
    job: int = api.get("/v2/jobs", params={"status": "ONLINE"}).json()[skip]["id"]
    return job


def application(job: int, **changes: Any) -> dict[str, Any]:
    person = {"email": "Zoë.Test@example.org", "firstName": "Zoë", "lastName": "Test", "phone": "+44 7700 900123"}
    return {"jobId": job, "candidate": person, "source": "REFERRALS"} | changes


def test_a_written_application_is_read_back(api):
    job = open_job(api)
    document = {"type": "CV", "name": "cv.pdf", "data": b64encode(b"%PDF-1.4 me").decode()}
    answer = api.post("/v2/applications", json=application(job, documents=[document], integrationExternalId="x-1"))
    assert answer.status_code == 201
    newest = api.get("/v2/applications").json()[0]
    assert newest == api.get(f"/v2/applications/{answer.json()['id']}").json()
    assert answer.json() == {"id": newest["id"], "candidateId": newest["candidate"]["id"]}
    assert newest["createdAt"] == newest["lastUpdatedAt"] == "2026-06-01T00:00:00.000Z"
    assert (newest["state"], newest["currentStage"]["index"], newest["job"]["id"]) == ("APPLIED", 0, job)
    assert newest["source"] == {"product": "Referral", "isPremium": False}
    assert newest["candidate"]["phoneNumber"] == "+44 7700 900123"
    assert newest["integrationExternalId"] == "x-1"
    [file] = newest["attachments"]
    assert api.get(file["url"]).content == b"%PDF-1.4 me"
    since = {"updatedAtGte": "2026-06-01T00:00:00Z"}
    assert [found["id"] for found in api.get("/v2/applications", params=since).json()] == [newest["id"]]
    assert newest["id"] in [found["id"] for found in api.get("/v2/applications", params={"jobId": job}).json()]
    told = [line for line in api.get("/control/truth").text.splitlines() if f'"applications/{newest["id"]}"' in line]
    assert len(told) == 1


def test_an_address_applies_once_to_a_job_and_stays_one_candidate(api):
    first, second = open_job(api), open_job(api, skip=1)
    one = api.post("/v2/applications", json=application(first)).json()
    again = api.post("/v2/applications", json=application(first))
    assert again.status_code == 422
    assert "already exists" in again.json()["error"]["message"]
    other = api.post("/v2/applications", json=application(second)).json()
    assert other["candidateId"] == one["candidateId"]
    assert other["id"] != one["id"]


def test_a_candidate_of_the_timeline_is_found_by_address(api):
    online = [job["id"] for job in api.get("/v2/jobs?status=ONLINE").json()]
    known = next(found for found in api.get("/v2/applications").json() if found["job"]["id"] in online)
    job = next(job for job in online if job != known["job"]["id"])
    person = {"email": known["candidate"]["email"].upper(), "firstName": "Any", "lastName": "Name"}
    created = api.post("/v2/applications", json=application(job, candidate=person)).json()
    assert created["candidateId"] == known["candidate"]["id"]
    assert api.get(f"/v2/applications/{created['id']}").json()["candidate"] == known["candidate"]
    again = api.post("/v2/applications", json=application(known["job"]["id"], candidate=person))
    assert "already exists" in again.json()["error"]["message"]


def test_time_passes_over_what_was_written(api):
    job = open_job(api)
    created = api.post("/v2/applications", json=application(job)).json()["id"]
    api.post("/control/clock", json={"now": "2026-05-31T00:00:00Z"}).raise_for_status()
    assert api.get(f"/v2/applications/{created}").status_code == 404
    assert api.get("/v2/applications").json()[0]["id"] != created
    api.post("/control/clock", json={"now": "2026-08-01T00:00:00Z"}).raise_for_status()
    assert api.get(f"/v2/applications/{created}").json()["id"] == created
    listed = [found for page in (1, 2, 3) for found in api.get(f"/v2/applications?page={page}").json()]
    assert [found["createdAt"] for found in listed] == sorted((found["createdAt"] for found in listed), reverse=True)
    assert created in [found["id"] for found in listed[1:]]


@pytest.mark.parametrize(
    "changes",
    [
        {"jobId": "1"},
        {"jobId": 999_999},
        {"jobId": True},
        {"candidate": None},
        {"candidate": {"email": "no address", "firstName": "A", "lastName": "B"}},
        {"candidate": {"email": "a@example.org", "firstName": " ", "lastName": "B"}},
        {"candidate": {"email": "a@example.org", "firstName": "A", "lastName": "B", "phone": "0171"}},
        {"source": "indeed"},
        {"source": None},
        {"documents": {"type": "CV"}},
        {"documents": [{"type": "PASSPORT", "name": "a.pdf", "data": ""}]},
        {"documents": [{"type": "CV", "name": "a.pdf", "data": "no base64!"}]},
    ],
)
def test_a_bad_application_is_refused_and_leaves_nothing_behind(api, changes):
    before = api.get("/control/truth").content
    answer = api.post("/v2/applications", json=application(open_job(api)) | changes)
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == {"type", "message"}
    assert api.get("/control/truth").content == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null"])
def test_a_body_that_is_no_object_is_refused(api, body):
    assert api.post("/v2/applications", content=body).status_code == 422


def test_an_archived_job_takes_no_applications(api):
    archived = api.get("/v2/jobs", params={"status": "ARCHIVED"}).json()[0]["id"]
    assert api.post("/v2/applications", json=application(archived)).status_code == 422


def test_notes_are_taken_for_candidates_that_are_there(api):
    candidate = api.get("/v2/applications").json()[0]["candidate"]["id"]
    assert api.post(f"/v2/candidates/{candidate}/notes", json={"content": "Nice 👍"}).status_code == 201
    assert api.post(f"/v2/candidates/{candidate}/notes", json={"content": ""}).status_code == 422
    assert api.post("/v2/candidates/999999/notes", json={"content": "?"}).status_code == 404
    assert api.post("/v2/candidates/me/notes", json={"content": "?"}).status_code == 404
    [note] = api.get("/control/notes").json()
    assert (note["candidateId"], note["content"]) == (candidate, "Nice 👍")
