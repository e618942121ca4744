"""Assumptions of the sandbox about JOIN without proof: pinned, so that nobody changes one by accident.

Never asked of the live API.
"""

import pytest

from join_pipeline_tests.contract.apis import CONFIG


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/applications", {"pageSize": 51}),
        ("/jobs", {"pageSize": 0}),
        ("/offices", {"page": 0}),
        ("/categories", {"language": "german"}),
    ],
)
def test_bounds_are_422(sandbox, path, params):
    assert sandbox.get(path, **params).status_code == 422


def test_fifty_a_page_unless_told_otherwise(sandbox):
    assert len(sandbox.records("/applications")) == 50


def test_paging_shows_every_record_once_and_ends_with_an_empty_page(sandbox):
    pages = [sandbox.records("/applications", page=page) for page in range(1, 32)]
    ids = [record["id"] for page in pages for record in page]
    assert len(set(ids)) == len(ids) > 0.8 * CONFIG.applications
    assert ids == sorted(ids, reverse=True)
    sizes = [len(page) for page in pages]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 0


def test_updated_since_is_inclusive_and_reads_any_offset(sandbox):
    [newest] = sandbox.records("/applications", pageSize=1)
    since = newest["lastUpdatedAt"]
    same = since.replace("Z", "+00:00")
    for spelled in (since, same):
        assert newest["id"] in [record["id"] for record in sandbox.records("/applications", updatedAtGte=spelled)]
    # a plus that nobody encoded
    raw = sandbox.get(f"/applications?updatedAtGte={same}")
    assert newest["id"] in [record["id"] for record in raw.json()]


def test_filters_go_together(sandbox):
    job = sandbox.records("/applications")[0]["job"]["id"]
    since = "2026-05-25T00:00:00Z"

    def ids(**params: object) -> set[int]:
        return {record["id"] for record in sandbox.everything("/applications", **params)}

    assert ids(jobId=job, updatedAtGte=since) == ids(jobId=job) & ids(updatedAtGte=since)
    assert sandbox.records("/applications", jobId=job, jobExternalId="other") == []
    assert sandbox.records("/applications", jobId=999_999) == []


def test_the_plain_list_of_jobs_has_all_but_drafts(sandbox):
    def ids(**params: str) -> set[int]:
        return {job["id"] for job in sandbox.everything("/jobs", **params)}

    by_status = {status: ids(status=status) for status in ("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT")}
    assert all(by_status.values())
    assert ids() == by_status["ONLINE"] | by_status["OFFLINE"] | by_status["ARCHIVED"]
    assert not ids() & by_status["DRAFT"]
    assert sandbox.get(f"/jobs/{min(by_status['DRAFT'])}").json()["status"] == "DRAFT"


def test_both_names_of_the_state_are_sent(sandbox):
    records = sandbox.records("/applications")
    assert all(record["state"] == record["hiringState"] for record in records)
    assert {record["state"] for record in records} <= {"APPLIED", "ACTIVE", "OFFER", "HIRED", "REJECTED"}


def test_offices_by_part_of_their_city(sandbox):
    assert [office["city"] for office in sandbox.records("/offices", cityNameLike="zür")] == ["Zürich"]
    assert sandbox.records("/offices", cityNameLike="zür", countryCode="DE") == []


def test_jobs_show_their_questions_with_options(sandbox):
    questions = [question for job in sandbox.records("/jobs") for question in job["questions"]]
    assert {"name", "type", "required"} <= set.intersection(*(set(question) for question in questions))
    assert all(question["options"] for question in questions if question["type"].endswith("_CHOICE"))


def test_unknown_languages_are_answered_in_english(sandbox):
    assert sandbox.records("/employmentTypes", language="fr") == sandbox.records("/employmentTypes", language="en")
