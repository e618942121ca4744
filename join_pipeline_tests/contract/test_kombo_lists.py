"""Kombo's official client reads every list of the sandbox, page by page and filter by filter, without an error."""

from collections.abc import Iterator
from datetime import UTC, datetime

import kombo.errors
import pytest

from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline_tests.contract.kombo_client import LISTS, Client, Sandbox, serving

CONFIG = SandboxConfig(
    port=0,
    seed=5,
    applications=500,
    jobs=300,
    rate_limit=None,
    shows_hiring_team=True,
    kombo=KomboConfig(rate_limit=None),
)
ONE_OF_EACH = {
    "users": ("emails", "email"),
    "jobs": ("statuses", "status"),
    "candidates": ("first_name", "first_name"),
    "applications": ("outcomes", "outcome"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serving(CONFIG) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=[False, True], ids=["sync", "async"])
def client(request, sandbox) -> Client:
    return sandbox.client(is_async=request.param)


@pytest.mark.parametrize("name", LISTS)
def test_all_pages_hold_every_record_once(client, name):
    size = {"applications": 90, "candidates": 90}.get(name, 7)
    pages = client.pages(name, page_size=size, include_deleted=True)
    ids = [record.id for page in pages for record in page]
    assert len(ids) == len(set(ids)) > size
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert ids == [record.id for record in client.everything(name, include_deleted=True)]


@pytest.mark.parametrize("name", LISTS)
def test_a_page_holds_a_hundred_unless_told_otherwise_and_at_most_250(sandbox, client, name):
    assert len(client.pages(name)[0]) == min(100, len(client.everything(name)))
    path = f"/ats/{name.replace('_', '-')}"
    for size in ("251", "0", "many", "-1"):
        answer = sandbox.raw(path, params={"page_size": size})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID")


@pytest.mark.parametrize("name", LISTS)
def test_ids_and_remote_ids_go_together_by_and(client, name):
    one, other = client.everything(name)[:2]
    assert {record.id for record in client.everything(name, ids=[one.id, other.id])} == {one.id, other.id}
    assert [record.id for record in client.everything(name, remote_ids=[one.remote_id])] == [one.id]
    assert client.everything(name, ids=[one.id], remote_ids=[other.remote_id]) == []


@pytest.mark.parametrize(("name", "filter_", "field"), [(name, *pair) for name, pair in ONE_OF_EACH.items()])
def test_a_filter_by_value_gives_all_that_have_it_and_no_other(client, name, filter_, field):
    records = client.everything(name)
    wanted = getattr(records[0], field)
    given = wanted if name == "candidates" else [wanted]
    found = {record.id for record in client.everything(name, **{filter_: given})}
    assert found == {record.id for record in records if getattr(record, field) == wanted}


def test_lists_by_what_they_refer_to(client):
    applications = client.everything("applications")
    first = applications[0]
    of_job = {one.id for one in applications if one.job_id == first.job_id}
    assert {one.id for one in client.everything("applications", job_ids=[first.job_id])} == of_job
    assert {one.id for one in client.everything("applications", job_remote_ids=[first.job.remote_id])} == of_job
    in_stage = {one.id for one in applications if one.current_stage_id == first.current_stage_id}
    assert {one.id for one in client.everything("applications", current_stage_ids=[first.current_stage_id])} == in_stage
    people = {one.candidate_id for one in applications if one.job_id == first.job_id}
    assert {one.id for one in client.everything("candidates", job_ids=[first.job_id])} == people
    address = first.candidate.email_addresses[0].email_address
    assert [one.id for one in client.everything("candidates", email=address.upper())] == [first.candidate_id]


def test_jobs_by_name_kind_and_creation(client):
    jobs = client.everything("jobs")
    assert {job.id for job in client.everything("jobs", name_contains="MANAGER")} == {
        job.id for job in jobs if "manager" in job.name.lower()
    }
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert {job.id for job in client.everything("jobs", remote_created_after=since)} == {
        job.id for job in jobs if job.remote_created_at >= since
    }
    for name, field, words in (
        ("employment_types", "employment_type", ["FULL_TIME", "INTERNSHIP"]),
        ("visibilities", "visibility", ["PUBLIC"]),
    ):
        found = {job.id for job in client.everything("jobs", **{name: words})}
        assert found == {job.id for job in jobs if getattr(job, field) in words}
    assert client.everything("jobs", post_url="https://example.com/jobs/1") == []


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("jobs", {"job_codes": ["REQ-00001"]}),
        ("applications", {"remote_created_after": datetime(2020, 1, 1, tzinfo=UTC)}),
    ],
)
def test_a_filter_on_what_join_lacks_empties_the_list_unless_ignored(client, name, filters):
    assert client.everything(name, **filters) == []
    assert client.everything(name, **filters, ignore_unsupported_filters=True) == client.everything(name)


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "nonsense"},
        {"cursor": "WyJhIiwiYiJd"},
        {"include_deleted": "yes"},
        {"updated_after": "yesterday"},
        {"update_after": "2026-01-01T00:00:00Z"},
        {"outcomes": "MAYBE"},
    ],
)
def test_parameters_that_make_no_sense_are_invalid_input(sandbox, params):
    answer = sandbox.raw("/ats/applications", params=params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PLATFORM.INPUT_INVALID")


def test_a_cursor_is_good_for_the_filters_it_came_with(sandbox, client):
    first = sandbox.raw("/ats/applications", params={"page_size": 5, "outcomes": "PENDING"}).json()["data"]
    with pytest.raises(kombo.errors.KomboAtsError, match="repeat those of the first page"):
        client.call("get_applications", cursor=first["next"])
    assert client.call("get_applications", cursor=first["next"], outcomes=["PENDING"]).result.data.results


@pytest.mark.parametrize(
    "name", ["roles", "offers", "interviews", "rejection_reasons", "notes", "ats_scorecards", "ats_attachments"]
)
def test_models_that_join_does_not_have_are_not_available(client, name):
    with pytest.raises(kombo.errors.KomboAtsError) as caught:
        client.call(f"get_{name}")
    assert caught.value.data.error.code == "INTEGRATION.MODEL_NOT_AVAILABLE"


def test_remote_data_is_an_extra_key_that_can_be_switched_off(sandbox):
    def keys() -> set[str]:
        return set(sandbox.raw("/ats/applications", params={"page_size": 1}).json()["data"]["results"][0])

    assert "remote_data" in keys()
    sandbox.control("kombo", {"has_remote_data": False})
    assert "remote_data" not in keys()
    sandbox.control("kombo", {"has_remote_data": True})


def test_the_urls_in_remote_data_are_signed(sandbox):
    found = sandbox.raw("/ats/applications", params={"page_size": 50}).json()["data"]["results"]
    urls = [file["url"] for one in found for file in one["remote_data"]["/applications/{id}"]["attachments"]]
    assert urls
    assert all("signature=" in url for url in urls)
