"""Derive by Kombo: its records in, versions out; deleted records, stand-ins, and the guard's objection."""

from pathlib import Path
from typing import Any, Final

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import source_of
from join_pipeline_tests.unit.sync.syncs import Payload, Syncs, id_of
from join_pipeline_tests.unit.sync.tables import BEFORE, DAY, Tables

KOMBO: Final = source_of("kombo", load_settings(data=Path(), source="kombo"))
CHANGED_AT: Final = "2026-05-01T00:00:00Z"
DELETED_AT: Final = BEFORE - DAY
FIELDS: Final = {
    "applications": "outcome current_stage_id job_id candidate_id remote_created_at remote_updated_at candidate"
    " current_stage job",
    "candidates": "first_name last_name source phone_numbers email_addresses location remote_created_at",
    "jobs": "name description employment_type status visibility category post_url experience_level salary_amount"
    " salary_amount_from salary_amount_to salary_currency salary_period location custom_fields opened_at"
    " remote_created_at remote_updated_at contact_id",
    "tags": "name",
    "application_stages": "name",
    "users": "first_name last_name email",
}
LISTS: Final = {"candidates": ["tags"], "jobs": ["stages", "screening_questions", "hiring_team"]}


def record(feed: str, key: str, **fields: Any) -> Payload:
    """A record as Kombo lists it; what is not named is null, or an empty list."""
    nulls = dict.fromkeys(FIELDS[feed].split())
    lists: Payload = {name: [] for name in LISTS.get(feed, [])}
    common = {"id": key, "remote_id": f"remote {key}", "changed_at": CHANGED_AT, "remote_deleted_at": None}
    return common | nulls | lists | fields


def deleted(feed: str, key: str, **fields: Any) -> Payload:
    return record(feed, key, remote_deleted_at=DELETED_AT.isoformat(), **fields)


def company() -> dict[str, list[Any]]:
    stage = {"id": "s1", "remote_id": "1", "name": "Screening", "index": 0}
    question = {"id": "q1", "title": "Führerschein?", "format": {"type": "BOOLEAN"}}
    member = {
        "id": "u1",
        "remote_id": "ada@example.org",
        "email": "ada@example.org",
        "hiring_team_roles": ["RECRUITER"],
    }
    return {
        "applications": [
            record("applications", "a1", candidate_id="c1", job_id="j1", current_stage_id="s1", outcome="PENDING")
        ],
        "candidates": [
            record("candidates", "c1", source="indeed", tags=[{"id": "t1", "remote_id": "gut", "name": "gut"}])
        ],
        "jobs": [
            record("jobs", "j1", name="Koch", stages=[stage], screening_questions=[question], hiring_team=[member])
        ],
        "tags": [record("tags", "t1", name="gut")],
        "application_stages": [record("application_stages", "s1", name="Screening")],
        "users": [record("users", "u1", email="ada@example.org")],
    }


@pytest.fixture
def kombo(given: Tables) -> Syncs:
    return Syncs(KOMBO, given)


def test_kombos_ids_are_kept_and_links_get_ours(kombo: Syncs) -> None:
    kombo.sync(company())
    links = {
        "candidate_tags": "c1/t1",
        "job_application_stages": "j1/s1",
        "job_screening_questions": "j1/q1",
        "job_hiring_team": "j1/u1",
    }
    own = {"applications": "a1", "candidates": "c1", "jobs": "j1", "tags": "t1", "application_stages": "s1"}
    own |= {"users": "u1", "screening_questions": "q1"}
    expected = own | {model: id_of(model, key) for model, key in links.items()}
    assert {name: [row["id"] for row in rows] for name, rows in kombo.written().items()} == {
        model: [key] for model, key in expected.items()
    }


def test_a_sync_that_finds_all_as_it_was_writes_nothing_though_kombo_says_that_it_changed(kombo: Syncs) -> None:
    kombo.sync(company())
    later = {feed: [row | {"changed_at": "2026-06-01T00:00:00Z"} for row in rows] for feed, rows in company().items()}
    kombo.sync(later)
    assert kombo.written() == {}


def test_a_deleted_record_is_as_it_was_at_its_end_or_as_it_was_known_once_its_fields_are_nulled(kombo: Syncs) -> None:
    keys = ("told", "nulled")
    kombo.sync({"candidates": [record("candidates", key, source="indeed", first_name="Ada") for key in keys]})
    told = deleted("candidates", "told", source="google", first_name="Ada")
    kombo.sync({"candidates": [told, deleted("candidates", "nulled")]})
    versions = {row["id"]: row for row in kombo.written()["candidates"]}
    assert {key: (row["source"], row["first_name"]) for key, row in versions.items()} == {
        "told": ("google", None),
        "nulled": ("indeed", None),
    }
    assert {(row["remote_deleted_at"], row["reason"]) for row in versions.values()} == {(DELETED_AT, "deleted")}


def test_a_guarded_feed_believes_no_loss_and_the_next_sync_does(kombo: Syncs) -> None:
    kombo.sync(company())
    gone = [deleted("jobs", "j1")]
    record = kombo.sync({"jobs": gone}, guarded=["jobs"], mode="incremental")
    assert kombo.written() == {}
    assert record.models["jobs"].live == 1
    kombo.sync({"jobs": gone}, mode="incremental")
    links = {"job_application_stages": "j1/s1", "job_screening_questions": "j1/q1", "job_hiring_team": "j1/u1"}
    assert kombo.reasons() == {
        "jobs": {"j1": "deleted"},
        "screening_questions": {"q1": "deleted"},
        **{model: {id_of(model, key): "deleted"} for model, key in links.items()},
    }


def test_a_record_that_only_others_show_is_there_until_its_own_list_tells_of_it(kombo: Syncs) -> None:
    shown = {"id": "j9", "remote_id": "9", "name": "as shown"}
    kombo.sync({"applications": [record("applications", "a1", job_id="j9", job=shown)]})
    assert kombo.live("jobs", "name") == {"as shown"}
    kombo.sync({"applications": [record("applications", "a2", job_id="j9", job=shown | {"name": "renamed"})]})
    assert kombo.live("jobs", "name") == {"as shown"}
    kombo.sync({"jobs": [record("jobs", "j9", name="as listed")]})
    assert kombo.live("jobs", "name") == {"as listed"}
    kombo.sync({"jobs": [deleted("jobs", "j9")]})
    assert kombo.live("jobs") == set()


def test_what_comes_back_after_its_deletion_is_a_return(kombo: Syncs) -> None:
    for said in (record("users", "u1"), deleted("users", "u1"), record("users", "u1")):
        kombo.sync({"users": [said]})
    assert kombo.reasons() == {"users": {"u1": "returned"}}


def test_changes_that_kombo_dates_before_the_last_watermark_are_counted_by_a_full_sync(kombo: Syncs) -> None:
    keys = ("late", "announced", "as before")
    kombo.sync({"users": [record("users", key, first_name="Ada") for key in keys]})
    changed = kombo.sync(
        {
            "users": [
                record("users", "late", first_name="Ida", changed_at="2026-06-01T11:00:00Z"),
                record("users", "announced", first_name="Ida", changed_at="2026-06-01T13:00:00Z"),
                record("users", "as before", first_name="Ada", changed_at="2026-06-01T11:00:00Z"),
            ]
        }
    )
    assert changed.n_unannounced == 1
