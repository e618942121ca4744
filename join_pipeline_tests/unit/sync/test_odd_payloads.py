"""A record with one odd place: it is read, but for that place, and nobody else's record changes.

Only a record whose identity can't be read is set aside.
"""

import json
import random
from pathlib import Path
from typing import Any, Final

import pytest

from join_pipeline.errors import ContractError
from join_pipeline.lake.record import SyncRecord
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.sandbox.odd_parts import KINDS, Place, places, spoiled
from join_pipeline.settings import load_settings
from join_pipeline.sources.base import MapperInput
from join_pipeline.sources.registry import source_of
from join_pipeline_tests.unit.sync.syncs import INTEGRATION, Payload, Syncs, id_of
from join_pipeline_tests.unit.sync.tables import Row, Tables
from join_pipeline_tests.unit.sync.whole_payloads import JOIN, JOIN_APPLICATION, JOIN_JOB, KOMBO, SOURCES

N_SPOILED: Final = 700


@pytest.fixture(params=sorted(SOURCES))
def syncs(request: pytest.FixtureRequest, given: Tables) -> Syncs:
    return Syncs(source_of(request.param, load_settings(data=Path(), source=request.param)), given)


def renamed(source: str, feed: str, n: int) -> Payload:
    """The payload as the n-th record of its feed, with a candidate and tags of its own."""
    payload = json.loads(json.dumps(SOURCES[source][feed]))
    payload["id"] = 100_000 + n if source == "join" else f"{feed} {n}"
    if source == "join" and feed == "applications":
        payload["candidate"]["id"] = 100_000 + n
    return payload


def is_identity(source: str, place: Place) -> bool:
    return place == ("id",) or (source == "kombo" and place == ("remote_deleted_at",))


def key_of(payload: Payload) -> str:
    return str(payload["id"])


def set_aside(syncs: Syncs, record: SyncRecord) -> dict[str, set[str]]:
    return {
        feed: {row["record_id"] for file in files for row in syncs.tables.rows(f"'{syncs.tables.lake / file.path}'")}
        for feed, files in record.files.quarantine.items()
    }


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
def test_a_record_is_read_but_for_its_odd_place_and_the_others_are_as_they_were(syncs: Syncs, seed: int) -> None:
    """Every record is spoiled in one place at random; beside each stands one that is not."""
    source, chance = syncs.source.name, random.Random(f"{syncs.source.name} {seed}")
    raw: dict[str, list[Any]] = {feed: [] for feed in SOURCES[source]}
    where: dict[tuple[str, str], tuple[Place, str]] = {}
    whole: dict[str, list[str]] = {feed: [] for feed in SOURCES[source]}
    for n in range(N_SPOILED):
        feed = chance.choice([*SOURCES[source]])
        payload = renamed(source, feed, 2 * n)
        place, kind = chance.choice([*places(payload)]), chance.choice(KINDS)
        where[feed, key_of(payload)] = (place, kind)
        raw[feed].append((key_of(payload), spoiled(payload, place, kind, chance)))
        other = renamed(source, feed, 2 * n + 1)
        whole[feed].append(key_of(other))
        raw[feed].append(other)
    done = syncs.sync(raw)
    aside = set_aside(syncs, done)
    newest = {feed: syncs.newest(feed) for feed in raw}
    for (feed, key), (place, kind) in where.items():
        own = id_of(feed, key) if source == "join" else key
        is_read = own in newest[feed]
        if key in aside.get(feed, ()):
            assert is_identity(source, place), (feed, place, kind)
        elif not is_identity(source, place):
            assert is_read, (feed, place, kind)
    for feed, keys in whole.items():
        assert not aside.get(feed, set()) & set(keys)
        found = [newest[feed][id_of(feed, key) if source == "join" else key] for key in keys]
        own = {"id", "remote_id", "candidate_id", "payload_hash", "content_hash", "remote_data", "observed_at"}
        contents = {json.dumps({k: v for k, v in row.items() if k not in own}, default=str) for row in found}
        assert len(contents) == 1, (feed, contents)
    assert done.odd
    assert all(name.split(".")[0] in raw and "Anna" not in name and len(name) < 100 for name in done.odd)


# One shape each: what becomes of it, and by which name it is counted


def changed(payload: Payload, path: str, value: Any) -> Payload:
    copy: Any = json.loads(json.dumps(payload))
    parent, (*steps, last) = copy, path.split(".")
    for step in steps:
        parent = parent[int(step) if isinstance(parent, list) else step]
    parent[int(last) if isinstance(parent, list) else last] = value
    return copy


def mapped(source: str, feed: str, payload: Payload) -> Mapped:
    opened = source_of(source, load_settings(data=Path(), source=source))
    return opened.mapper(MapperInput(Ids(INTEGRATION), lambda _feed: [])).map(feed, json.dumps(payload))


@pytest.fixture
def join(given: Tables) -> Syncs:
    return Syncs(source_of("join", load_settings(data=Path(), source="join")), given)


@pytest.fixture
def kombo(given: Tables) -> Syncs:
    return Syncs(source_of("kombo", load_settings(data=Path(), source="kombo")), given)


def only(syncs: Syncs, model: str) -> Row:
    (row,) = syncs.newest(model).values()
    return row


@pytest.mark.parametrize(
    ("feed", "path", "value", "model", "column", "expected", "counted"),
    [
        ("applications", "source", "indeed", "applications", "source", "indeed", "source (text)"),
        ("applications", "source", ["indeed"], "applications", "source", None, "source (list)"),
        ("applications", "source.isPremium", "true", "applications", "is_premium_source", True,
         "source.isPremium (text)"),
        ("applications", "source.isPremium", 0, "applications", "is_premium_source", False,
         "source.isPremium (number)"),
        ("applications", "source.isPremium", "perhaps", "applications", "is_premium_source", None,
         "source.isPremium (text)"),
        ("applications", "state", 7, "applications", "state", "7", "state (number)"),
        ("applications", "state", {}, "applications", "state", None, "state (object)"),
        ("applications", "qualified", False, "applications", "qualified", "false", "qualified (flag)"),
        ("applications", "integrationExternalId", 99, "applications", "integration_external_id", "99",
         "integrationExternalId (number)"),
        ("applications", "createdAt", "", "applications", "remote_created_at", None, "createdAt (text)"),
        ("applications", "createdAt", 1777622400, "applications", "remote_created_at", None, "createdAt (number)"),
        ("applications", "createdAt", None, "applications", "remote_created_at", None, "createdAt (null)"),
        ("applications", "lastUpdatedAt", "0001-01-01T00:00:00Z", "applications", "remote_updated_at", None,
         "lastUpdatedAt (text)"),
        ("applications", "currentStage.index", "3", "job_application_stages", "index", 3, "currentStage.index (text)"),
        ("applications", "currentStage.index", 2**63, "job_application_stages", "index", None,
         "currentStage.index (number out of range)"),
        ("applications", "currentStage.name", 8, "application_stages", "name", "8", "currentStage.name (number)"),
        ("applications", "candidate.firstName", ["Ada"], "candidates", "first_name", None,
         "candidate.firstName (list)"),
        ("applications", "candidate.email", 5, "candidates", "email_addresses", [], "candidate.email (number)"),
        ("applications", "candidate.country", "Peru", "candidates", "location",
         {"city": None, "country": None, "raw": "Peru", "state": None, "street_1": None, "street_2": None,
          "zip_code": None}, "candidate.country (text)"),
        ("jobs", "title", None, "jobs", "name", None, "title (null)"),
        ("jobs", "status", None, "jobs", "status", None, "status (null)"),
        ("jobs", "salary", "1000 a month", "jobs", "salary_amount", None, "salary (text)"),
        ("jobs", "salary.from", "1000", "jobs", "salary_amount_from", 1000.0, "salary.from (text)"),
        ("jobs", "salary.from", 10**400, "jobs", "salary_amount_from", None, "salary.from (number out of range)"),
        ("jobs", "externalId", 12, "jobs", "name", "Köchin", "externalId (number)"),
        ("jobs", "remote", "yes", "jobs", "name", "Köchin", "remote (text)"),
        ("jobs", "categoryId", "IT", "jobs", "category", None, "categoryId (text)"),
        ("jobs", "description", {"html": "x"}, "jobs", "description", None, "description (object)"),
        ("jobs", "office", [], "jobs", "location", None, "office (list)"),
    ],
)  # fmt: skip
def test_joins_odd_shapes(
    feed: str, path: str, value: Any, model: str, column: str, expected: Any, counted: str
) -> None:
    found = mapped("join", feed, changed(JOIN[feed], path, value))
    assert found.rows[model][0][column] == expected
    assert found.odd == [f"{feed}.{counted}"]


@pytest.mark.parametrize(
    ("feed", "path", "value", "model", "column", "expected", "counted"),
    [
        ("applications", "remote_id", 12, "applications", "remote_id", "12", "remote_id (number)"),
        ("applications", "outcome", 5, "applications", "outcome", None, "outcome (number)"),
        ("applications", "remote_created_at", "", "applications", "remote_created_at", None,
         "remote_created_at (text)"),
        ("candidates", "source", {"name": "indeed"}, "candidates", "source", "indeed", "source (object)"),
        ("candidates", "phone_numbers", "030", "candidates", "phone_numbers", [], "phone_numbers (text)"),
        ("candidates", "phone_numbers", None, "candidates", "phone_numbers", [], None),
        ("candidates", "phone_numbers.0", "030", "candidates", "phone_numbers",
         [{"phone_number": "030", "type": None}, {"phone_number": "2", "type": None}], "phone_numbers[] (text)"),
        ("candidates", "phone_numbers.0", 5, "candidates", "phone_numbers", [{"phone_number": "2", "type": None}],
         "phone_numbers[] (number)"),
        ("candidates", "changed_at", None, "candidates", "first_name", "Ada", "changed_at (null)"),
        ("jobs", "salary_amount", "1.5", "jobs", "salary_amount", 1.5, "salary_amount (text)"),
        ("jobs", "custom_fields", [], "jobs", "custom_fields", None, "custom_fields (list)"),
        ("jobs", "integration_fields", {}, "jobs", "integration_fields", "[]", "integration_fields (object)"),
        ("jobs", "screening_questions.0.precondition_options", [True], "job_screening_questions",
         "precondition_options", ["true"],
         "screening_questions[].precondition_options[] (flag)"),
        ("application_stages", "global_index", "1", "application_stages", "global_index", 1, "global_index (text)"),
    ],
)  # fmt: skip
def test_kombos_odd_shapes(
    feed: str, path: str, value: Any, model: str, column: str, expected: Any, counted: str | None
) -> None:
    found = mapped("kombo", feed, changed(KOMBO[feed], path, value))
    assert found.rows[model][0][column] == expected
    assert found.odd == ([] if counted is None else [f"{feed}.{counted}"])


@pytest.mark.parametrize(
    "key", ["first_name", "source", "phone_numbers", "email_addresses", "location", "tags", "remote_created_at"]
)
def test_kombo_may_leave_out_a_key(key: str) -> None:
    left = {name: value for name, value in KOMBO["candidates"].items() if name != key}
    found = mapped("kombo", "candidates", left)
    assert found.odd == [f"candidates.{key} (missing)"]
    assert found.rows["candidates"][0]["id"] == "c1"


@pytest.mark.parametrize("value", [5, "perhaps", [], True, "2026-13-01T00:00:00Z"])
def test_a_record_is_set_aside_if_nobody_knows_whether_kombo_has_deleted_it(value: Any) -> None:
    with pytest.raises(ContractError, match="remote_deleted_at"):
        mapped("kombo", "candidates", KOMBO["candidates"] | {"remote_deleted_at": value})


@pytest.mark.parametrize("value", [None, True, 1.5, "", "twelve", 2**63, [12], {"id": 12}])
def test_a_record_is_set_aside_if_nobody_knows_which_it_is(value: Any) -> None:
    for feed, payload in JOIN.items():
        with pytest.raises(ContractError, match="identity"):
            mapped("join", feed, payload | {"id": value})


def test_a_number_as_text_is_the_same_id() -> None:
    (row,) = mapped("join", "applications", JOIN_APPLICATION | {"id": "12"}).rows["applications"]
    assert row["id"] == id_of("applications", 12)


def test_tags_as_objects_are_their_names() -> None:
    found = mapped(
        "join", "applications", changed(JOIN_APPLICATION, "candidate.tags", [{"id": 1, "name": "gut"}, "neu"])
    )
    assert [row["name"] for row in found.rows["tags"]] == ["gut", "neu"]
    assert found.odd == ["applications.candidate.tags[] (object)"]


def test_a_list_with_an_odd_element_keeps_the_others_and_their_places() -> None:
    odd = changed(JOIN_APPLICATION, "screeningQuestions.0", {"text": "Führerschein?"})
    found = mapped("join", "applications", odd)
    assert [(row["index"]) for row in found.rows["job_screening_questions"]] == [1, 2]
    assert [row["title"] for row in found.rows["screening_questions"]] == ["Warum?", "Ort?"]
    assert found.odd == ["applications.screeningQuestions[].question (missing)"]


# What could not be read does not look like a deletion

ODD_LINKS: Final = {
    ("join", "applications"): [
        ("candidate", "Ada"),
        ("candidate", [JOIN_APPLICATION["candidate"]]),
        ("candidate.id", "seven"),
        ("job", "Köchin"),
        ("job.id", None),
        ("currentStage", ["Gespräch"]),
        ("currentStage.id", True),
        ("candidate.tags", "gut, schnell"),
        ("candidate.tags", {"0": "gut"}),
        ("candidate.tags.1", None),
        ("screeningQuestions", {"a": 1}),
        ("screeningQuestions.0", "Führerschein?"),
        ("screeningQuestions.0", {"text": "Führerschein?"}),
    ],
    ("join", "jobs"): [
        ("contact", "Bo Alt"),
        ("contact.email", ["bo@example.com"]),
        ("hiringTeam", "Cy Neu"),
        ("hiringTeam", {"0": JOIN_JOB["hiringTeam"][0]}),
        ("hiringTeam.0", "Cy Neu"),
        ("hiringTeam.0.hiringTeamMember", "cy@example.com"),
    ],
    ("kombo", "candidates"): [
        ("tags", None),
        ("tags", "gut"),
        ("tags", {"id": "t1"}),
        ("tags.0", "gut"),
        ("tags.0.id", None),
        ("tags.0.id", "half \ufffd"),
    ],
    ("kombo", "jobs"): [
        ("stages", None),
        ("stages.0", 5),
        ("screening_questions", "none"),
        ("screening_questions.0", {"question": "Führerschein?"}),
        ("hiring_team", ["Ada"]),
        ("hiring_team.0.id", {}),
        ("contact_id", ["u1"]),
    ],
    ("kombo", "applications"): [
        ("candidate_id", {"id": "c1"}),
        ("job_id", False),
        ("current_stage_id", ["s1"]),
    ],
}  # fmt: skip


def test_what_is_shown_in_an_odd_shape_is_not_gone(syncs: Syncs) -> None:
    """One record for each odd shape, with a candidate, tags or people of its own."""
    source = syncs.source.name
    cases = [(feed, path, value) for (of, feed), odd in ODD_LINKS.items() if of == source for path, value in odd]
    whole: dict[str, list[Any]] = {feed: [one] for feed, one in SOURCES[source].items()}
    odd: dict[str, list[Any]] = {feed: [one] for feed, one in SOURCES[source].items()}
    for n, (feed, path, value) in enumerate(cases):
        payload = json.loads(json.dumps(renamed(source, feed, n)).replace("example.com", f"{n}.example.com"))
        whole[feed].append(payload)
        odd[feed].append(changed(payload, path, value))
    before = syncs.sync(whole)
    known = {model: syncs.newest(model) for model in before.models}
    done = syncs.sync(odd)
    assert sum(done.odd.values()) >= len(cases)
    assert not set_aside(syncs, done)
    assert {name: model.deleted for name, model in done.models.items() if model.deleted} == {}
    now = {model: syncs.newest(model) for model in before.models}
    for model, columns in {
        "applications": ("candidate_id", "job_id", "current_stage_id"),
        "jobs": ("contact_id",),
    }.items():
        assert {key: [row[column] for column in columns] for key, row in now[model].items()} == {
            key: [row[column] for column in columns] for key, row in known[model].items()
        }
    syncs.sync(whole)
    content = {"id", "content_hash"}
    for model, rows in known.items():
        again = syncs.newest(model)
        assert {key: {c: row[c] for c in content} for key, row in again.items()} == {
            key: {c: row[c] for c in content} for key, row in rows.items()
        }, model


def test_what_could_be_read_again_can_be_gone_again(syncs: Syncs) -> None:
    """Beside an odd element nothing is taken for gone; once the list is whole again, it is."""
    source = syncs.source.name
    feed, path = ("applications", "candidate.tags") if source == "join" else ("candidates", "tags")
    payload = SOURCES[source][feed]
    tags = payload["candidate"]["tags"] if source == "join" else payload["tags"]
    for shown, live in ((tags, 2), ([tags[0], 5.5 if source == "kombo" else []], 2), ([tags[0]], 1)):
        syncs.sync({name: [one] for name, one in SOURCES[source].items()} | {feed: [changed(payload, path, shown)]})
        assert len(syncs.newest("candidate_tags")) == live
