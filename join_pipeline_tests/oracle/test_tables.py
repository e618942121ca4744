"""The expected tables of worlds with a handful of records, one world per rule."""

import hashlib
from datetime import UTC, datetime

import pytest

from join_pipeline_tests.oracle.identifiers import unified_id
from join_pipeline_tests.oracle.payloads import answer, application, candidate, job
from join_pipeline_tests.oracle.tables import expected_tables
from join_pipeline_tests.oracle.world import World

ME = "join:here"


def rows(model: str, *, applications=(), jobs=(), **more):
    """Rows of one expected table by remote id."""
    world = World(applications=tuple(applications), jobs=tuple(jobs), **more)
    table = expected_tables(world, ME)[model]
    return {row["remote_id"]: row for row in table.to_dict("records")}


def ref(model: str, remote_id: str) -> str:
    return unified_id(ME, model, remote_id)


def test_an_empty_account_has_eleven_empty_tables_with_columns():
    tables = expected_tables(World(), ME)
    assert len(tables) == 11
    assert all(
        table.empty and {"id", "remote_id", "remote_deleted_at"} < set(table.columns) for table in tables.values()
    )


def test_an_application_takes_its_own_words_and_refers_to_its_parents():
    payload = application(7, on_job=3, of=9, integrationExternalId="x-1")
    row = rows("applications", applications=[payload])["7"]
    assert row == {
        "id": ref("applications", "7"),
        "remote_id": "7",
        "remote_deleted_at": None,
        "outcome": "PENDING",
        "current_stage_id": ref("application_stages", "1"),
        "job_id": ref("jobs", "3"),
        "candidate_id": ref("candidates", "9"),
        "remote_created_at": datetime(2026, 1, 5, 9, tzinfo=UTC),
        "remote_updated_at": datetime(2026, 1, 6, 9, 0, 0, 250_000, tzinfo=UTC),
        "source": "indeed",
        "is_premium_source": False,
        "state": "APPLIED",
        "qualified": "UNKNOWN",
        "consent_status": "GIVEN",
        "integration_external_id": "x-1",
        "remote_data": {"/applications/{id}": payload},
    }


@pytest.mark.parametrize(
    ("given", "outcome", "state"),
    [
        ({"state": "HIRED"}, "HIRED", "HIRED"),
        ({"state": "REJECTED"}, "DECLINED", "REJECTED"),
        ({"state": "OFFER", "hiringState": "HIRED"}, "PENDING", "OFFER"),
        ({"state": None, "hiringState": "HIRED"}, "HIRED", "HIRED"),
        ({"state": "ON_ICE"}, None, "ON_ICE"),
        ({"state": None}, None, None),
    ],
)
def test_the_state_gives_the_outcome(given, outcome, state):
    row = rows("applications", applications=[application(1, **given)])["1"]
    assert (row["outcome"], row["state"]) == (outcome, state)


def test_stored_payloads_lose_the_query_of_urls_and_nothing_else():
    text = "see https://example.com/?a=1 please"
    signed = {"type": "CV", "url": "https://files.example.com/cv%20a?sig=1&e=2"}
    payload = application(1, attachments=[signed], screeningQuestions=[answer("Why?", "TEXT", answer=text)])
    stored = rows("applications", applications=[payload])["1"]["remote_data"]["/applications/{id}"]
    assert stored["attachments"] == [{"type": "CV", "url": "https://files.example.com/cv%20a"}]
    assert stored["screeningQuestions"][0]["answer"] == text


def test_a_candidate_comes_from_the_newest_application_and_its_source_from_the_oldest():
    old = application(1, createdAt="2025-12-01T00:00:00Z", source={"product": "XING", "isPremium": True})
    new = application(2, lastUpdatedAt="2026-03-01T00:00:00Z", candidate=candidate(100, lastName="Meier", email="none"))
    row = rows("candidates", applications=[new, old])["100"]
    assert row["last_name"] == "Meier"
    assert row["email_addresses"] == []
    assert row["phone_numbers"] == [{"phone_number": "+41 44 000 00 00", "type": None}]
    assert row["source"] == "XING"
    assert row["remote_created_at"] == datetime(2025, 12, 1, tzinfo=UTC)
    assert {key: value for key, value in row["location"].items() if value} == {"country": "CH", "raw": "Schweiz"}
    assert row["remote_data"] == {"/applications/{id}": {"candidate": new["candidate"]}}


def test_ties_in_time_fall_to_the_greater_id_as_a_number():
    same = [
        application(9, candidate=candidate(1, firstName="A")),
        application(10, candidate=candidate(1, firstName="B")),
    ]
    assert rows("candidates", applications=same)["1"]["first_name"] == "B"
    sources = [application(10, source={"product": "B"}), application(9, source={"product": "A"})]
    assert rows("candidates", applications=sources)["100"]["source"] == "A"


def test_tags_are_the_newest_whole_list_and_an_absent_key_says_nothing():
    silent = candidate(100)
    del silent["tags"]
    known = [
        application(1, candidate=candidate(100, tags=["A", "a", "A"])),
        application(2, lastUpdatedAt="2026-04-01T00:00:00Z", candidate=silent),
        application(3, candidate=candidate(200, tags=["gone"])),
        application(4, lastUpdatedAt="2026-04-01T00:00:00Z", candidate=candidate(200, tags=None)),
    ]
    assert rows("tags", applications=known).keys() == {"A", "a"}
    links = rows("candidate_tags", applications=known)
    assert links.keys() == {"100/A", "100/a"}
    assert links["100/a"]["tag_id"] == ref("tags", "a")


def test_a_stage_has_the_largest_index_that_a_job_shows_last():
    known = [
        application(1, on_job=1, stage=(5, "Probetag", 7)),
        application(2, on_job=1, stage=(5, "Probetag", 2), lastUpdatedAt="2026-02-02T00:00:00Z"),
        application(3, on_job=2, stage=(5, "Probetag!", 3), lastUpdatedAt="2026-02-03T00:00:00Z"),
    ]
    stage = rows("application_stages", applications=known)["5"]
    assert (stage["name"], stage["global_index"]) == ("Probetag!", 3)
    assert stage["remote_data"] == {"/applications/{id}": {"currentStage": {"id": 5, "name": "Probetag!", "index": 3}}}
    links = rows("job_application_stages", applications=known)
    assert {key: row["index"] for key, row in links.items()} == {"1/5": 2, "2/5": 3}


REFERENCE = {
    "categories": ({"id": 1, "name": "IT", "subCategories": [{"id": 11, "name": "Software"}]},),
    "employment_types": ({"id": 1, "slug": "full-time", "name": "Vollzeit"}, {"id": 2, "name": "Lehre"}),
    "seniority_levels": ({"id": 1, "name": "Senior"},),
}


def test_a_job_in_full():
    payload = job(
        1,
        description="a\\nb",
        externalId="e",
        language="de",
        categoryId=11,
        employmentTypeId=1,
        seniorityId=1,
        office={"id": 1, "name": "HQ", "streetName": "Weg", "streetNumber": "1a", "postalCode": "8005",
                "city": "Zürich", "countryIso": "ch", "isDefault": True},
        salary={"from": 10, "to": 20.5, "currency": "CHF", "frequency": "PER_HOUR", "isShownOnJobAd": True},
        contact={"name": "Ada de la Cruz", "email": "Ada@Example.org", "position": None},
        newKey={"a": 1},
    )  # fmt: skip
    row = rows("jobs", jobs=[payload], **REFERENCE)["1"]
    location = row.pop("location")
    assert {name: value for name, value in location.items() if value} == {
        "city": "Zürich", "country": "CH", "raw": "HQ", "street_1": "Weg 1a", "zip_code": "8005",
    }  # fmt: skip
    assert row == {
        "id": ref("jobs", "1"),
        "remote_id": "1",
        "remote_deleted_at": None,
        "name": "Koch",
        "description": "a\nb",
        "employment_type": "FULL_TIME",
        "status": "OPEN",
        "visibility": "PUBLIC",
        "category": "Software",
        "post_url": None,
        "experience_level": "Senior",
        "salary_amount": None,
        "salary_amount_from": 10,
        "salary_amount_to": 20.5,
        "salary_currency": "CHF",
        "salary_period": "HOUR",
        "custom_fields": {
            "externalId": "e",
            "language": "de",
            "workplaceType": None,
            "remoteType": None,
            "remote": None,
        },
        "integration_fields": [{"id": "newKey", "key": "newKey", "type": "JSON", "value": {"a": 1}, "label": None}],
        "opened_at": datetime(2026, 1, 1, tzinfo=UTC),
        "remote_created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "remote_updated_at": datetime(2026, 1, 2, tzinfo=UTC),
        "contact_id": ref("users", "ada@example.org"),
        "remote_data": {"/jobs/{id}": payload},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"status": "OFFLINE"}, {"status": "OPEN", "visibility": "UNLISTED"}),
        ({"status": "ARCHIVED"}, {"status": "ARCHIVED", "visibility": "UNLISTED"}),
        ({"status": "DRAFT"}, {"status": "DRAFT", "opened_at": None}),
        ({"status": "PAUSED"}, {"status": "PAUSED", "visibility": "UNLISTED"}),
        ({"salary": {"from": 5, "to": None}}, {"salary_amount": 5, "salary_amount_to": None}),
        ({"salary": {"from": 5, "to": 5}}, {"salary_amount": 5}),
        ({"salary": {"frequency": "PER_SHIFT"}}, {"salary_period": "PER_SHIFT", "salary_amount": None}),
        ({"employmentTypeId": 2}, {"employment_type": "Lehre"}),
        ({"employmentTypeId": 99}, {"employment_type": None}),
        ({"categoryId": 1}, {"category": None}),
        ({"contact": {"name": "Nobody", "email": None}}, {"contact_id": None}),
        ({"office": None}, {"location": None}),
    ],
)
def test_single_rules_of_a_job(given, expected):
    row = rows("jobs", jobs=[job(1, **given)], **REFERENCE)["1"]
    assert {name: row[name] for name in expected} == expected


def test_a_lost_job_is_known_by_its_id_alone():
    row = rows("jobs", applications=[application(1, on_job=8)], lost_jobs=(8,))["8"]
    assert {name for name, value in row.items() if value is not None} == {"id", "remote_id"}


def test_users_are_contacts_with_an_address_from_the_newest_job():
    known = [
        job(1, contact={"name": "Ada Old", "email": "ADA@example.org"}, lastUpdatedAt="2026-01-03T00:00:00Z"),
        job(2, contact={"name": "Ada", "email": "ada@example.org"}, lastUpdatedAt="2026-01-04T00:00:00Z"),
        job(3, contact={"name": "Nobody", "email": None}),
    ]
    users = rows("users", jobs=known)
    assert users.keys() == {"ada@example.org"}
    assert (users["ada@example.org"]["first_name"], users["ada@example.org"]["last_name"]) == ("Ada", None)
    team = rows("job_hiring_team", jobs=known)
    assert team.keys() == {"1/ada@example.org", "2/ada@example.org"}
    assert team["1/ada@example.org"]["roles"] == ["HIRING_MANAGER"]


def test_a_hiring_team_that_is_shown_gives_users_and_roles():
    team = [
        {"hiringTeamMember": {"name": "Ada", "email": "ada@example.org"}, "jobRole": "RECRUITER"},
        {"hiringTeamMember": {"name": "Bo Berg", "email": "Bo@example.org"}, "jobRole": "OBSERVER"},
        {"hiringTeamMember": {"name": "Nobody", "email": None}, "jobRole": "SOURCER"},
    ]
    known = [job(1, contact={"name": "Ada Lovelace", "email": "ada@example.org"}, hiringTeam=team)]
    users = rows("users", jobs=known)
    assert {key: row["last_name"] for key, row in users.items()} == {
        "ada@example.org": "Lovelace",
        "bo@example.org": "Berg",
    }
    links = rows("job_hiring_team", jobs=known)
    assert links["1/ada@example.org"]["roles"] == ["HIRING_MANAGER", "RECRUITER"]
    assert links["1/bo@example.org"]["roles"] == ["OBSERVER"]


def key_of(kind: str, text: str) -> str:
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def test_questions_are_known_by_mapped_type_and_exact_text():
    form = [answer("Seit wann?", "DATE"), answer("Jahre", "INTEGER"), answer("Clip", "VIDEO", extra=1)]
    known = [application(1, screeningQuestions=form)]
    questions = rows("screening_questions", applications=known)
    assert questions.keys() == {key_of("DATE", "Seit wann?"), key_of("NUMBER", "Jahre"), key_of("UNKNOWN", "Clip")}
    unknown = questions[key_of("UNKNOWN", "Clip")]
    assert unknown["format"] == {"type": "UNKNOWN", "raw_question": {"question": "Clip", "type": "VIDEO", "extra": 1}}
    assert (unknown["title"], unknown["description"], unknown["format_type"]) == ("Clip", None, "UNKNOWN")
    links = rows("job_screening_questions", applications=known)
    assert links[f"1/{key_of('NUMBER', 'Jahre')}"]["index"] == 1
    assert links[f"1/{key_of('NUMBER', 'Jahre')}"]["required"] is None


def test_a_shown_form_gives_options_required_and_place():
    form = [{"name": "Why?", "type": "TEXT", "required": False},
            {"name": "Deutsch", "type": "SINGLE_CHOICE", "options": ["A1", "C2"], "required": True}]  # fmt: skip
    known = [application(1, screeningQuestions=[answer("Deutsch", "SINGLE_CHOICE")])]
    key = key_of("SINGLE_SELECT", "Deutsch")
    assert rows("screening_questions", applications=known)[key]["format"]["options"] == []
    shown = {"applications": known, "jobs": [job(1, questions=form)]}
    question = rows("screening_questions", **shown)[key]
    assert [(option["name"], len(option["id"])) for option in question["format"]["options"]] == [("A1", 24), ("C2", 24)]
    link = rows("job_screening_questions", **shown)[f"1/{key}"]
    assert (link["index"], link["required"], link["precondition_options"]) == (1, True, None)
