"""Payloads: strict where a wrong value would falsify history, tolerant everywhere else."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from join_pipeline.errors import ContractError
from join_pipeline.http.contracts import decode, extras
from join_pipeline.sources.join.payloads import ApplicationPayload, JobPayload, Payload, Reference

APPLICATION: dict[str, Any] = {
    "id": 12,
    "createdAt": "2026-05-01T08:00:00.000Z",
    "lastUpdatedAt": "2026-05-02T08:00:00.000Z",
    "state": "ACTIVE",
    "currentStage": {"id": 4, "name": "Gespräch", "index": 1},
    "job": {"id": 3, "title": "Köchin", "externalId": None},
    "candidate": {"id": 7, "firstName": "Ada", "lastName": "Meier", "email": "ada@example.com", "tags": ["gut"]},
}
JOB: dict[str, Any] = {
    "id": 3,
    "title": "Köchin",
    "status": "ONLINE",
    "createdAt": "2026-04-01T08:00:00Z",
    "lastUpdatedAt": "2026-04-02T08:00:00Z",
}
MISSING = object()


def with_value(payload: dict[str, Any], path: str, value: Any) -> str:
    """The payload as JSON, with the value at a dotted path, or without the key."""
    copy = json.loads(json.dumps(payload))
    *parents, key = path.split(".")
    place = copy
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is MISSING:
        place.pop(key, None)
    else:
        place[key] = value
    return json.dumps(copy)


def refusal(kind: type[Payload], text: str | bytes) -> str:
    with pytest.raises(ContractError) as caught:
        decode(kind, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-05-01T08:00:00Z", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01T08:00:00.123Z", datetime(2026, 5, 1, 8, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-05-01T08:00:00.123456Z", datetime(2026, 5, 1, 8, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-05-01T08:00:00.1Z", datetime(2026, 5, 1, 8, 0, 0, 100_000, tzinfo=UTC)),
        ("2026-05-01T10:00:00+02:00", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01T10:00:00+0200", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01T00:30:00-07:30", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01T08:00:00", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01 08:00:00Z", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_come_in_utc_however_they_are_written(text, instant):
    payload = decode(ApplicationPayload, with_value(APPLICATION, "createdAt", text))
    assert payload.created_at == instant
    assert payload.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "1899-12-31T23:59:59Z",
        "9001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-05:00",
    ],
)
@pytest.mark.parametrize(("kind", "base"), [(ApplicationPayload, APPLICATION), (JobPayload, JOB)])
def test_an_instant_in_an_absurd_year_breaks_the_contract(kind, base, text):
    message = refusal(kind, with_value(base, "lastUpdatedAt", text))
    assert message == "Instant out of range - at `$.lastUpdatedAt`"


@pytest.mark.parametrize(
    "value",
    ["2026-05-01", "01.05.2026", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "", "now", 1777622400, True, {}],
)
def test_a_text_that_is_no_instant_breaks_the_contract(value):
    message = refusal(ApplicationPayload, with_value(APPLICATION, "lastUpdatedAt", value))
    assert message.endswith("at `$.lastUpdatedAt`")


@pytest.mark.parametrize(
    "path",
    ["id", "createdAt", "lastUpdatedAt", "currentStage", "job", "candidate", "currentStage.id", "currentStage.name",
     "job.id", "candidate.id"],
)  # fmt: skip
def test_an_application_without_a_field_that_history_needs_breaks_the_contract(path):
    message = refusal(ApplicationPayload, with_value(APPLICATION, path, MISSING))
    assert f"missing required field `{path.rpartition('.')[2]}`" in message


@pytest.mark.parametrize("path", ["id", "title", "status", "createdAt", "lastUpdatedAt"])
def test_a_job_without_a_field_that_history_needs_breaks_the_contract(path):
    assert f"missing required field `{path}`" in refusal(JobPayload, with_value(JOB, path, MISSING))


SECRET = "Anna Muster anna@example.com"


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        (ApplicationPayload, "id", SECRET),
        (ApplicationPayload, "id", 12.5),
        (ApplicationPayload, "id", None),
        (ApplicationPayload, "id", 2**63),
        (ApplicationPayload, "state", 7),
        (ApplicationPayload, "currentStage", SECRET),
        (ApplicationPayload, "currentStage.index", SECRET),
        (ApplicationPayload, "currentStage.index", 2**70),
        (ApplicationPayload, "currentStage.name", 8),
        (ApplicationPayload, "job.id", SECRET),
        (ApplicationPayload, "candidate", [SECRET]),
        (ApplicationPayload, "candidate.email", [SECRET]),
        (ApplicationPayload, "candidate.id", -(2**70)),
        (ApplicationPayload, "candidate.country", SECRET),
        (ApplicationPayload, "source.isPremium", SECRET),
        (ApplicationPayload, "consent", SECRET),
        (JobPayload, "title", None),
        (JobPayload, "status", None),
        (JobPayload, "id", 10**30),
        (JobPayload, "salary.from", SECRET),
        (JobPayload, "contact.email", 5),
        (JobPayload, "remote", SECRET),
        (JobPayload, "categoryId", SECRET),
    ],
)
def test_a_wrong_type_is_named_by_its_field_and_never_by_its_value(kind, path, value):
    base = APPLICATION if kind is ApplicationPayload else JOB
    message = refusal(kind, with_value(base, path, value))
    assert f"`$.{path}`" in message
    assert "Anna" not in message
    assert "example" not in message


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("candidate.tags", ["gut", None], "$.candidate.tags[1]"),
        ("candidate.tags", [3], "$.candidate.tags[0]"),
        ("screeningQuestions", [{"answer": SECRET}], "$.screeningQuestions[0]"),
        ("screeningQuestions", [SECRET], "$.screeningQuestions[0]"),
    ],
)
def test_a_wrong_member_of_a_list_is_named_by_its_place(path, value, place):
    message = refusal(ApplicationPayload, with_value(APPLICATION, path, value))
    assert f"`{place}`" in message
    assert "Anna" not in message


@pytest.mark.parametrize("text", [b"", b"{", b"nonsense", b'{"id": 1', b"\xff\xfe"])
def test_what_is_not_json_breaks_the_contract(text):
    assert refusal(ApplicationPayload, text) == "not JSON"


@pytest.mark.parametrize("text", ["[]", "17", "null", '"text"'])
def test_what_is_no_object_breaks_the_contract(text):
    assert "Expected `object`" in refusal(JobPayload, text)


@pytest.mark.parametrize(
    ("kind", "base", "path"),
    [
        (ApplicationPayload, APPLICATION, "state"),
        (ApplicationPayload, APPLICATION, "qualified"),
        (ApplicationPayload, APPLICATION, "consent.consentStatus"),
        (JobPayload, JOB, "status"),
        (JobPayload, JOB, "workplaceType"),
        (JobPayload, JOB, "salary.currency"),
        (JobPayload, JOB, "salary.frequency"),
    ],
)
def test_a_word_that_nobody_knows_passes(kind, base, path):
    decode(kind, with_value(base, path, "BRAND_NEW"))


@pytest.mark.parametrize(
    "path",
    ["currentStage", "job", "candidate", "state", "hiringState", "source", "screeningQuestions", "qualified", "consent",
     "integrationExternalId", "currentStage.index", "job.title", "job.externalId", "candidate.firstName",
     "candidate.lastName", "candidate.email", "candidate.phoneNumber", "candidate.country", "candidate.tags",
     "candidate.country.name", "candidate.country.iso3166", "source.product", "source.isPremium", "attachments"],
)  # fmt: skip
def test_what_an_application_may_lack_may_be_null(path):
    decode(ApplicationPayload, with_value(APPLICATION, path, None))


@pytest.mark.parametrize(
    "path",
    ["description", "externalId", "language", "workplaceType", "remoteType", "remote", "categoryId", "employmentTypeId",
     "seniorityId", "office", "salary", "contact", "questions", "hiringTeam", "office.name", "office.streetName",
     "office.streetNumber", "office.postalCode", "office.city", "office.countryIso", "salary.from", "salary.to",
     "salary.currency", "salary.frequency", "contact.name", "contact.email"],
)  # fmt: skip
def test_what_a_job_may_lack_may_be_null(path):
    decode(JobPayload, with_value(JOB, path, None))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"state": "OFFER"}, "OFFER"),
        ({"hiringState": "OFFER"}, "OFFER"),
        ({"state": "OFFER", "hiringState": "ACTIVE"}, "OFFER"),
        ({"state": None, "hiringState": "ACTIVE"}, "ACTIVE"),
        ({"state": "ACTIVE", "hiringState": None}, "ACTIVE"),
        ({"state": None}, None),
        ({"hiringState": None}, None),
        ({"state": None, "hiringState": None}, None),
        ({"state": "", "hiringState": "ACTIVE"}, ""),
    ],
)
def test_the_state_is_read_from_either_of_its_two_names(given, word):
    base = {key: value for key, value in APPLICATION.items() if key != "state"}
    assert decode(ApplicationPayload, json.dumps(base | given)).state_word == word


def test_an_application_that_says_nothing_of_its_state_breaks_the_contract():
    message = refusal(ApplicationPayload, with_value(APPLICATION, "state", MISSING))
    assert "neither `state` nor `hiringState`" in message


def test_an_absent_tag_list_and_an_empty_one_are_told_apart():
    tags = [
        decode(ApplicationPayload, with_value(APPLICATION, "candidate.tags", value)).candidate
        for value in (MISSING, None, [], ["a"])
    ]
    assert [candidate.tags if isinstance(candidate.tags, list) else str(candidate.tags) for candidate in tags] == [
        "UNSET",
        "None",
        [],
        ["a"],
    ]


def test_keys_that_nobody_knows_are_counted_and_pass():
    payload = JOB | {"brandNew": {"a": 1}, "office": {"floor": 3}}
    decode(JobPayload, json.dumps(payload))
    assert extras(JobPayload, payload) == ["brandNew"]
    assert extras(ApplicationPayload, APPLICATION | {"rejectionReason": "x", "attachments": []}) == [
        "rejectionReason",
        "attachments",
    ]


def test_keys_are_joins_own_spelling():
    assert extras(ApplicationPayload, {"lastUpdatedAt": "", "last_updated_at": "", "from_": 1}) == [
        "last_updated_at",
        "from_",
    ]


def test_a_category_has_sub_categories():
    category = decode(Reference, '{"id": 1, "name": "IT", "slug": "it", "subCategories": [{"id": 11, "name": "Dev"}]}')
    assert [sub.name for sub in category.sub_categories or ()] == ["Dev"]
