"""The sandbox's Kombo shows what JOIN lists, as of its last sync, in a mapping of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline_tests.contract.kombo_client import LISTS, Sandbox, serving
from join_pipeline_tests.oracle.tables import expected_tables
from join_pipeline_tests.oracle.world import World

FRESH = KomboConfig(rate_limit=None, connected_days=0.0)  # the first sync is this very instant
CONFIG = SandboxConfig(port=0, seed=9, applications=300, jobs=150, rate_limit=None, kombo=FRESH)
OTHER = SandboxConfig(
    port=0,
    seed=9,
    applications=200,
    rate_limit=None,
    shows_questions=False,
    shows_hiring_team=True,
    has_milliseconds=False,
    state_keys=("hiringState",),
    kombo=FRESH,
)
SINCE = KomboConfig(rate_limit=None, connected_days=25.0, sync_hours=8.0)
LATE = SandboxConfig(port=0, seed=13, applications=1800, rate_limit=None, kombo=SINCE)
EVERY = timedelta(hours=8)
BEGIN = LATE.now - timedelta(days=25)


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def everything(sandbox: Sandbox, name: str, **params: Any) -> list[dict[str, Any]]:
    """All records as they came, with the keys that no model of the client has."""
    path, cursor, found = f"/ats/{name.replace('_', '-')}", None, []
    while True:
        query = {"page_size": 250, **params} | ({"cursor": cursor} if cursor else {})
        data = sandbox.raw(path, params=query).json()["data"]
        found += data["results"]
        cursor = data["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize("config", [CONFIG, OTHER], ids=["as assumed", "other guesses"])
def test_a_first_sync_says_what_the_oracle_says(config):
    with serving(config) as sandbox:
        tables = expected_tables(World.read(f"{sandbox.url}/v2", config.token), "join:oracle")
        records = {name: everything(sandbox, name) for name in LISTS}
    key = {table: dict(zip(rows["id"], rows["remote_id"], strict=True)) for table, rows in tables.items()}
    ours = {name: {record["id"]: record["remote_id"] for record in records[name]} for name in LISTS}

    def said(table: str, *columns: str) -> dict[str, tuple[Any, ...]]:
        """The oracle's rows by remote id; ids as the remote ids they stand for."""
        rows = tables[table].set_index("remote_id")[list(columns)]
        return {
            remote_id: tuple(_plain(cell, key) for cell in row)
            for remote_id, row in zip(rows.index, rows.to_numpy(), strict=True)
        }

    def told(name: str, *fields: str) -> dict[str, tuple[Any, ...]]:
        return {
            record["remote_id"]: tuple(_told(field, record[field], ours) for field in fields)
            for record in records[name]
        }

    for name, columns in {
        "users": "first_name last_name email",
        "jobs": "name description employment_type status visibility category post_url experience_level salary_amount"
        " salary_amount_from salary_amount_to salary_currency salary_period location custom_fields integration_fields"
        " opened_at remote_created_at remote_updated_at contact_id",
        "candidates": "first_name last_name source phone_numbers email_addresses location remote_created_at",
        "application_stages": "name global_index",
        "applications": "outcome current_stage_id job_id candidate_id",
        "tags": "name",
    }.items():
        assert told(name, *columns.split()) == said(name, *columns.split()), name

    jobs = records["jobs"]
    assert {
        f"{job['remote_id']}/{stage['remote_id']}": (stage["index"],) for job in jobs for stage in job["stages"]
    } == said("job_application_stages", "index")
    assert {
        f"{job['remote_id']}/{user['remote_id']}": {role["remote_label"] for role in user["job_roles"]}
        for job in jobs
        for user in job["hiring_team"]
    } == {link: set(roles) for link, (roles,) in said("job_hiring_team", "roles").items()}
    tagged = {f"{one['remote_id']}/{tag['remote_id']}" for one in records["candidates"] for tag in one["tags"]}
    assert tagged == set(said("candidate_tags"))

    questions = tables["screening_questions"].set_index("id")
    links = tables["job_screening_questions"]
    assert {
        (job["remote_id"], asked["format"]["type"], asked["title"], asked["index"], asked["required"])
        for job in jobs
        for asked in job["screening_questions"]
    } == {
        (key["jobs"][job], *questions.loc[question, ["format_type", "title"]], index, _plain(required, key))
        for job, question, index, required in links[["job_id", "question_id", "index", "required"]].to_numpy()
    }
    assert {
        (asked["title"], option["name"])
        for job in jobs
        for asked in job["screening_questions"]
        for option in asked["format"].get("options", [])
    } == {
        (title, option["name"])
        for title, shape in questions[["title", "format"]].to_numpy()
        for option in shape.get("options", [])
    }


def _plain(cell: Any, key: dict[str, dict[str, str]]) -> Any:
    if isinstance(cell, str):
        return next((known[cell] for known in key.values() if cell in known), cell)
    if isinstance(cell, list | dict):
        return cell
    return None if pd.isna(cell) else cell


def _told(field: str, value: Any, ours: dict[str, dict[str, str]]) -> Any:
    if field.endswith("_at"):
        return instant(value)
    if field.endswith("_id") and value is not None:
        return next(known[value] for known in ours.values() if value in known)
    return value


@pytest.fixture(scope="module")
def late():
    with serving(LATE) as sandbox:
        yield sandbox


def test_kombo_is_as_late_as_its_last_sync(late):
    def listed(at: datetime) -> set[str]:
        late.go_to(at.isoformat())
        return {str(one["id"]) for one in World.read(f"{late.url}/v2", LATE.token).applications}

    n_late = 0
    for day in (2, 3, 4):
        asked = datetime(2026, 6, day, 23, 30, tzinfo=UTC)
        late.go_to(asked.isoformat())
        known = {one["remote_id"] for one in everything(late, "applications")}
        assert known == listed(asked - (asked - BEGIN) % EVERY)
        n_late += known != listed(asked)
    assert n_late


def test_every_change_is_dated_by_a_sync(late):
    late.go_to("2026-06-01T00:00:00Z")
    for name in LISTS:
        for record in everything(late, name, include_deleted="true"):
            since = instant(record["changed_at"]) - BEGIN
            assert since % EVERY == timedelta(0)


def test_the_account_depends_on_the_clock_alone(late):
    def account() -> list[Any]:
        late.go_to("2026-06-07T12:00:00Z")
        return [everything(late, name, include_deleted="true") for name in LISTS]

    late.go_to("2026-06-20T00:00:00Z")
    late.raw("/ats/tags")
    jumped = account()
    for day in range(1, 8):
        late.go_to(f"2026-06-0{day}T01:00:00Z")
        late.raw("/ats/tags")
    assert account() == jumped


def test_a_record_that_vanished_is_marked_and_loses_its_fields_after_14_days(late):
    late.go_to("2026-06-20T00:00:00Z")
    client = late.client()
    live = {one.id for one in client.everything("applications")}
    all_ = client.everything("applications", include_deleted=True)
    gone = [one for one in all_ if one.remote_deleted_at]
    assert live == {one.id for one in all_} - {one.id for one in gone}
    nulled = [one for one in gone if one.outcome is None]
    kept = [one for one in gone if one.outcome is not None]
    assert nulled
    assert kept
    age = {one.id: datetime(2026, 6, 20, tzinfo=UTC) - one.remote_deleted_at for one in gone}
    assert all(age[one.id] < timedelta(days=14) + EVERY for one in kept)
    for one in nulled:
        assert age[one.id] >= timedelta(days=14)
        assert one.changed_at - one.remote_deleted_at >= timedelta(days=14)
        assert {one.remote_id, one.job_id, one.candidate_id, one.current_stage_id} == {None}
        assert (one.candidate, one.current_stage, one.job, one.interviews) == (None, None, None, [])
    people = [one for one in client.everything("candidates", include_deleted=True) if one.remote_deleted_at]
    assert {(one.first_name, one.email_addresses) for one in people if one.changed_at != one.remote_deleted_at} == {
        (None, None)
    }


def test_updated_after_brings_exactly_what_changed_itself_or_in_what_is_nested(late):
    late.go_to("2026-06-03T00:00:00Z")
    before = {name: {one["id"]: one for one in everything(late, name, include_deleted="true")} for name in LISTS}
    late.go_to("2026-06-05T00:00:00Z")
    own = {}
    for name in LISTS:
        after = {one["id"]: one for one in everything(late, name, include_deleted="true")}
        came = {
            one["id"] for one in everything(late, name, include_deleted="true", updated_after="2026-06-03T00:00:00Z")
        }
        own[name] = {key for key, one in after.items() if one["changed_at"] > "2026-06-03T00:00:00.000Z"}
        # what changed only in neighbours that do not count is told by their own lists
        for key in (key for key, one in after.items() if before[name].get(key) != one and key not in came):
            assert _without_neighbours(after[key]) == _without_neighbours(before[name][key]), name
        assert own[name] <= came
        if name in ("users", "application_stages", "tags"):
            assert came == own[name]
    assert all(own[name] for name in ("candidates", "jobs", "applications"))
    touched = {one["candidate_id"] for one in everything(late, "applications", updated_after="2026-06-03T00:00:00Z")}
    came = {one["id"] for one in everything(late, "candidates", updated_after="2026-06-03T00:00:00Z")}
    assert touched - {None} <= came > own["candidates"]


def _without_neighbours(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what it shows of records whose changes do not count as its own."""
    kept = {key: value for key, value in record.items() if key not in ("job", "current_stage", "remote_data")}
    if kept.get("candidate"):
        kept["candidate"] = {key: value for key, value in kept["candidate"].items() if key != "tags"}
    if "applications" in kept:
        kept["applications"] = [_without_neighbours(one) for one in kept["applications"]]
    if "stages" in kept:
        kept["stages"] = [(stage["id"], stage["index"]) for stage in kept["stages"]]
        kept["hiring_team"] = [(user["id"], user["job_roles"]) for user in kept["hiring_team"]]
    return kept


def test_a_model_that_is_switched_off_looks_like_mass_deletion_and_comes_back(late):
    late.go_to("2026-06-10T00:00:00Z")
    client = late.client()
    known = {one.id for one in client.everything("candidates")}
    late.control("kombo", {"models_off": {"candidates": "deleted"}})
    assert {one.id for one in client.everything("candidates")} == known
    late.go_to("2026-06-10T09:00:00Z")
    assert client.everything("candidates") == []
    assert known <= {one.id for one in client.everything("candidates", include_deleted=True)}
    late.go_to("2026-06-25T00:00:00Z")
    assert {one.first_name for one in client.everything("candidates", include_deleted=True)} == {None}
    late.control("kombo", {"models_off": {}})
    late.go_to("2026-06-25T09:00:00Z")
    assert len({one.id for one in client.everything("candidates")} & known) > 0.9 * len(known)


def test_a_new_integration_keeps_only_what_was_created_through_kombo():
    only = SandboxConfig(
        port=0, applications=120, rate_limit=None, kombo=KomboConfig(rate_limit=None, only_created=True)
    )
    with serving(only) as sandbox:
        client = sandbox.client()
        assert client.everything("applications") == client.everything("candidates") == []
        job = client.everything("jobs", statuses=["OPEN"])[0]
        person = {"first_name": "Ada", "last_name": "Example", "email_address": "ada@example.org"}
        created = client.call("create_application", job_id=job.id, candidate=person).data
        sandbox.go_to("2026-06-03T00:00:00Z")
        assert [one.id for one in client.everything("applications")] == [created.id]
        sandbox.control("kombo", {"only_created": False})
        sandbox.go_to("2026-06-04T00:00:00Z")
        assert len(client.everything("applications")) > 50


def test_what_was_created_through_kombo_is_dated_by_its_creation_whichever_way_the_clock_went(late):
    late.go_to("2026-06-27T12:34:56Z")
    client = late.client()
    job = client.everything("jobs", statuses=["OPEN"])[0]
    person = {"first_name": "Ada", "last_name": "Example", "email_address": "ada@example.org"}
    created = client.call("create_application", job_id=job.id, candidate=person).data
    assert created.changed_at == datetime(2026, 6, 27, 12, 34, 56, tzinfo=UTC)
    late.go_to("2026-06-27T12:00:00Z")
    assert client.everything("applications", ids=[created.id]) == []
    late.go_to("2026-06-28T12:00:00Z")
    assert [one.changed_at for one in client.everything("applications", ids=[created.id])] == [created.changed_at]


def test_times_that_the_connector_does_not_fill_can_be_filled(late):
    late.go_to("2026-06-26T00:00:00Z")
    client = late.client()
    assert {one.remote_created_at for one in client.everything("applications")} == {None}
    late.control("kombo", {"has_application_times": True})
    late.go_to("2026-06-26T09:00:00Z")
    assert None not in {one.remote_created_at for one in client.everything("applications")}
    since = datetime(2026, 6, 20, tzinfo=UTC)
    found = client.everything("applications", remote_created_after=since)
    assert found
    assert min(one.remote_created_at for one in found) >= since
    late.control("kombo", {"has_application_times": False})
