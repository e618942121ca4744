"""Every endpoint of JOIN's API v2 that the client reads, over real HTTP: the behaviour that it relies on.

Nothing here is only our assumption (`test_assumptions` has those), so it may run against the live API.
"""

from datetime import datetime

import pytest

from join_pipeline_tests.contract.shapes import APPLICATION, CATEGORY, JOB, NAMED, OFFICE, Shape, misfits

LISTINGS = ("/applications", "/jobs", "/offices", "/categories", "/employmentTypes", "/seniorityLevels")
PAGED = ("/applications", "/jobs", "/offices")


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/applications", APPLICATION),
        ("/jobs", JOB),
        ("/offices", OFFICE),
        ("/categories", CATEGORY),
        ("/employmentTypes", NAMED),
        ("/seniorityLevels", NAMED),
    ],
)
def test_a_listing_is_a_bare_array_of_records_of_a_known_shape(api, path: str, shape: Shape):
    found = api.records(path)
    assert [problem for record in found for problem in misfits(record, (shape,), path)] == []


@pytest.mark.parametrize("path", LISTINGS)
def test_a_success_is_json(api, path):
    assert api.get(path).headers["content-type"].startswith("application/json")


def test_an_application_has_a_state_under_one_of_its_names(api):
    for record in api.records("/applications"):
        assert isinstance(record.get("state", record.get("hiringState")), str)


@pytest.mark.parametrize("path", ["/applications", "/jobs"])
def test_times_are_instants_in_utc_and_in_order(api, path):
    for record in api.records(path):
        created, updated = (datetime.fromisoformat(record[key]) for key in ("createdAt", "lastUpdatedAt"))
        assert created.tzinfo is not None
        assert created <= updated


def test_applications_come_newest_first(api):
    created = [record["createdAt"] for record in api.records("/applications", pageSize=50)]
    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize("path", PAGED)
def test_pages_are_cut_from_one_list_and_numbered_from_one(api, path):
    whole = api.records(path, page=1, pageSize=6)
    parts = [record for page in (1, 2, 3) for record in api.records(path, page=page, pageSize=2)]
    # a record may arrive between these reads of a living account
    assert {record["id"] for record in parts} >= {record["id"] for record in whole[:5]}
    assert len({record["id"] for record in parts}) == len(parts)
    assert api.records(path, page=100_000) == []


@pytest.mark.parametrize("path", PAGED)
def test_a_page_holds_at_most_fifty(api, path):
    assert len(api.records(path)) <= len(api.records(path, pageSize=50)) <= 50


def test_applications_of_one_job(api):
    job = api.records("/applications")[0]["job"]["id"]
    assert {record["job"]["id"] for record in api.records("/applications", jobId=job)} == {job}


def test_applications_by_the_callers_own_job_id(api):
    named = next((record["job"] for record in api.records("/applications") if record["job"]["externalId"]), None)
    external_id = named["externalId"] if named else "no-such-id"
    found = {record["job"]["externalId"] for record in api.records("/applications", jobExternalId=external_id)}
    assert found == ({external_id} if named else set())


def test_applications_updated_since(api):
    updated = sorted(record["lastUpdatedAt"] for record in api.records("/applications", pageSize=50))
    since = updated[len(updated) // 2]
    found = api.records("/applications", updatedAtGte=since, pageSize=50)
    assert found
    assert all(datetime.fromisoformat(record["lastUpdatedAt"]) >= datetime.fromisoformat(since) for record in found)
    assert api.records("/applications", updatedAtGte="2099-01-01T00:00:00Z") == []


@pytest.mark.parametrize("status", ["ONLINE", "OFFLINE", "ARCHIVED"])
def test_jobs_of_one_status(api, status):
    assert {record["status"] for record in api.records("/jobs", status=status)} <= {status}


def test_a_listed_job_has_a_description_only_if_asked_for(api):
    assert all("description" not in job for job in api.records("/jobs", pageSize=2))
    assert all(isinstance(job["description"], str) for job in api.records("/jobs", pageSize=2, content="true"))


def test_a_job_by_its_id_is_the_listed_one_with_a_description(api):
    [listed] = api.records("/jobs", pageSize=1, content="true")
    assert api.get(f"/jobs/{listed['id']}").json() == listed


def test_an_application_by_its_id_is_the_listed_one(api):
    [listed] = api.records("/applications", pageSize=1)
    found = api.get(f"/applications/{listed['id']}").json()
    # signatures differ from read to read
    for record in (listed, found):
        for attachment in record["attachments"]:
            attachment["url"] = attachment["url"].partition("?")[0]
        for question in record["screeningQuestions"]:
            question["file"] = (question["file"] or "").partition("?")[0]
    assert found == listed


def test_offices_by_country(api):
    country = next((office["countryIso"] for office in api.records("/offices") if office["countryIso"]), "CH")
    assert {office["countryIso"] for office in api.records("/offices", countryCode=country)} <= {country}


@pytest.mark.parametrize("path", ["/categories", "/employmentTypes", "/seniorityLevels"])
def test_names_come_in_the_language_asked_for(api, path):
    english, german = (api.records(path, language=language) for language in ("en", "de"))
    assert [record["id"] for record in english] == [record["id"] for record in german]
    assert [record["name"] for record in english] != [record["name"] for record in german]


def test_jobs_refer_to_reference_lists(api):
    subs = {sub["id"] for category in api.records("/categories") for sub in category["subCategories"]}
    types = {record["id"] for record in api.records("/employmentTypes")}
    levels = {record["id"] for record in api.records("/seniorityLevels")} | {None}
    for job in api.records("/jobs"):
        assert (job["categoryId"] in subs, job["employmentTypeId"] in types, job["seniorityId"] in levels) == (
            True,
        ) * 3


def test_an_attachment_opens_with_its_signature_and_the_token(api):
    found = (record for page in (1, 2, 3) for record in api.records("/applications", page=page))
    url = next(attachment["url"] for record in found for attachment in record["attachments"])
    answer = api.get(url)
    assert answer.status_code == 200
    assert answer.content


@pytest.mark.parametrize("path", ["/jobs/999999999", "/applications/999999999", "/no/such/path"])
def test_what_is_not_there_is_404_with_a_message(api, path):
    answer = api.get(path)
    assert answer.status_code == 404
    assert isinstance(answer.json()["error"]["message"], str)


@pytest.mark.parametrize("path", LISTINGS)
def test_a_wrong_token_is_401_and_no_token_422(api, path):
    for token, status in (("not-the-token", 401), (f"Bearer {api.token}", 401), (None, 422)):
        answer = api.get(path, token=token)
        assert answer.status_code == status
        assert isinstance(answer.json()["error"]["message"], str)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/applications", {"page": "first"}),
        ("/applications", {"pageSize": "all"}),
        ("/applications", {"updatedAtGte": "yesterday"}),
        ("/applications", {"jobId": "mine"}),
        ("/jobs", {"status": "WHATEVER"}),
    ],
)
def test_a_parameter_that_makes_no_sense_is_422(api, path, params):
    answer = api.get(path, **params)
    assert answer.status_code == 422
    assert isinstance(answer.json()["error"]["message"], str)


def test_every_answer_tells_the_rate_limit(api):
    before, after = (api.get("/seniorityLevels").headers for _ in range(2))
    assert int(after["x-ratelimit-limit"]) == int(before["x-ratelimit-limit"]) > 0
    assert 0 <= int(after["x-ratelimit-remaining"]) < int(after["x-ratelimit-limit"])
    assert float(after["x-ratelimit-reset"]) >= 0
