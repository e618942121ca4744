"""The rows of one job's payload, rule by rule of the unified models."""

import json
from datetime import UTC, datetime

import pytest

from join_pipeline.http.contracts import decode
from join_pipeline.models import MODELS
from join_pipeline.sources.join.mapping.job import URL_KEYS, References, reference_names
from join_pipeline.sources.join.payloads import Reference
from join_pipeline_tests.oracle.payloads import job
from join_pipeline_tests.unit.sources.join.mapping.mapped import id_of, of_job, only

REFERENCES = References(
    categories={11: "Küche"}, employment_types={21: "Full-time", 22: "Ehrenamt"}, seniority_levels={31: "Senior"}
)


def test_a_job_is_its_fields_under_our_names():
    payload = job(
        3,
        title="Köchin",
        status="ONLINE",
        description="Zeile 1\\nZeile 2",
        categoryId=11,
        employmentTypeId=21,
        seniorityId=31,
        salary={"from": 80000, "to": 90000, "currency": "CHF", "frequency": "PER_YEAR", "isShownOnJobAd": True},
        contact={"name": "Ada Meier", "email": "Ada@Example.com", "position": "Chefin"},
        externalId="K-1",
        language="de",
        workplaceType="HYBRID",
        remoteType=None,
        remote=False,
    )
    row = only(of_job(payload, REFERENCES), "jobs")
    shown = {key: value for key, value in row.items() if key not in {"remote_data", "payload_hash", "custom_fields"}}
    assert shown == {
        "id": id_of("jobs", 3),
        "remote_id": "3",
        "name": "Köchin",
        "description": "Zeile 1\nZeile 2",
        "employment_type": "FULL_TIME",
        "status": "OPEN",
        "visibility": "PUBLIC",
        "category": "Küche",
        "post_url": None,
        "experience_level": "Senior",
        "salary_amount": None,
        "salary_amount_from": 80000.0,
        "salary_amount_to": 90000.0,
        "salary_currency": "CHF",
        "salary_period": "YEAR",
        "location": None,
        "integration_fields": "[]",
        "remote_created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "remote_updated_at": datetime(2026, 1, 2, tzinfo=UTC),
        "contact_id": id_of("users", "ada@example.com"),
    }
    assert json.loads(row["custom_fields"]) == {
        "externalId": "K-1", "language": "de", "workplaceType": "HYBRID", "remoteType": None, "remote": False
    }  # fmt: skip
    assert json.loads(row["remote_data"]) == {"/jobs/{id}": payload}


def test_a_job_that_says_little_is_null_in_the_rest():
    row = only(of_job(job(3)), "jobs")
    empty = [name for name, value in row.items() if value is None]
    assert empty == ["description", "employment_type", "category", "experience_level", "salary_amount",
                     "salary_amount_from", "salary_amount_to", "salary_currency", "salary_period", "location",
                     "contact_id", "post_url"]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "ours", "visibility", "is_counted"),
    [
        ("ONLINE", "OPEN", "PUBLIC", False),
        ("OFFLINE", "OPEN", "UNLISTED", False),
        ("ARCHIVED", "ARCHIVED", "UNLISTED", False),
        ("DRAFT", "DRAFT", "UNLISTED", False),
        ("PAUSED", "PAUSED", "UNLISTED", True),
    ],
)
def test_the_status_gives_status_and_visibility(status, ours, visibility, is_counted):
    mapped = of_job(job(3, status=status))
    row = only(mapped, "jobs")
    assert (row["status"], row["visibility"]) == (ours, visibility)
    assert ("jobs.status" in mapped.unknown) == is_counted


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Full-time", "FULL_TIME"),
        ("FULL_TIME", "FULL_TIME"),
        ("Full time", "FULL_TIME"),
        ("Vollzeit", "FULL_TIME"),
        ("Festanstellung", "FULL_TIME"),
        ("Part-time", "PART_TIME"),
        ("Teilzeit", "PART_TIME"),
        ("Working student", "PART_TIME"),
        ("Contract", "CONTRACT"),
        ("Freelance", "CONTRACT"),
        ("Freie Mitarbeit", "CONTRACT"),
        ("Seasonal", "SEASONAL"),
        ("Internship", "INTERNSHIP"),
        ("Praktikum", "INTERNSHIP"),
        ("Ehrenamt", "Ehrenamt"),
    ],
)
def test_the_employment_type_is_one_of_ours_or_joins_own_name(name, ours):
    references = References(employment_types={21: name})
    assert only(of_job(job(3, employmentTypeId=21), references), "jobs")["employment_type"] == ours


@pytest.mark.parametrize("key", ["categoryId", "employmentTypeId", "seniorityId"])
def test_a_number_that_no_list_knows_has_no_name(key):
    column = {"categoryId": "category", "employmentTypeId": "employment_type", "seniorityId": "experience_level"}[key]
    assert only(of_job(job(3, **{key: 999}), REFERENCES), "jobs")[column] is None


@pytest.mark.parametrize(
    ("start", "end", "amount"),
    [
        (50, 60, None),
        (50, 50, 50.0),
        (50, None, 50.0),
        (None, 60, 60.0),
        (None, None, None),
        (0, 0, 0.0),
        (0, 60, None),
    ],
)
def test_one_salary_figure_is_known_only_where_both_ends_agree_or_one_is_given(start, end, amount):
    row = only(of_job(job(3, salary={"from": start, "to": end})), "jobs")
    assert (row["salary_amount"], row["salary_amount_from"], row["salary_amount_to"]) == (amount, start, end)


@pytest.mark.parametrize(
    ("frequency", "period", "is_counted"),
    [
        ("PER_YEAR", "YEAR", False),
        ("PER_MONTH", "MONTH", False),
        ("PER_TWO_WEEKS", "TWO_WEEKS", False),
        ("PER_WEEK", "WEEK", False),
        ("PER_DAY", "DAY", False),
        ("PER_HOUR", "HOUR", False),
        ("PER_SHIFT", "PER_SHIFT", True),
        (None, None, False),
    ],
)
def test_the_salary_period_is_one_of_ours_or_joins_own_word(frequency, period, is_counted):
    mapped = of_job(job(3, salary={"frequency": frequency}))
    assert only(mapped, "jobs")["salary_period"] == period
    assert ("jobs.salary.frequency" in mapped.unknown) == is_counted


def test_the_office_is_the_location():
    office = {
        "id": 1, "name": "Zürich HQ", "streetName": "Bahnhofstrasse", "streetNumber": "1a", "postalCode": "8001",
        "city": "Zürich", "countryIso": "ch", "isDefault": True,
    }  # fmt: skip
    assert only(of_job(job(3, office=office)), "jobs")["location"] == {
        "city": "Zürich",
        "country": "CH",
        "raw": "Zürich HQ",
        "state": None,
        "street_1": "Bahnhofstrasse 1a",
        "street_2": None,
        "zip_code": "8001",
    }


@pytest.mark.parametrize(
    ("office", "street"),
    [
        ({"streetName": "Gasse"}, "Gasse"),
        ({"streetNumber": "7"}, "7"),
        ({"streetName": None, "streetNumber": None}, None),
        ({}, None),
    ],
)
def test_an_office_may_know_part_of_its_address(office, street):
    location = only(of_job(job(3, office=office)), "jobs")["location"]
    assert location["street_1"] == street
    assert location["country"] is None


@pytest.mark.parametrize("key", URL_KEYS)
def test_the_public_url_is_the_payloads_own_with_its_query(key):
    url = "https://join.example.com/jobs?id=3&lang=de"
    references = References(post_url_template="https://elsewhere.example.com/{id}")
    row = only(of_job(job(3, **{key: url}), references), "jobs")
    assert row["post_url"] == url
    assert row["integration_fields"] == "[]"


def test_without_a_url_of_its_own_a_job_has_that_of_the_template_or_none():
    template = References(post_url_template="https://jobs.example.com/{id}/apply")
    assert only(of_job(job(3), template), "jobs")["post_url"] == "https://jobs.example.com/3/apply"
    assert (
        only(of_job(job(3, postUrl="", url=None), template), "jobs")["post_url"] == "https://jobs.example.com/3/apply"
    )
    assert only(of_job(job(3)), "jobs")["post_url"] is None


def test_keys_that_no_column_takes_are_integration_fields_and_counted():
    mapped = of_job(job(3, shift="early", size=3, rate=1.5, isUrgent=True, more={"a": [1]}, none=None))
    assert json.loads(only(mapped, "jobs")["integration_fields"]) == [
        {"id": key, "key": key, "type": kind, "value": value, "label": None}
        for key, kind, value in [
            ("shift", "TEXT", "early"),
            ("size", "NUMBER", 3),
            ("rate", "NUMBER", 1.5),
            ("isUrgent", "BOOLEAN", True),
            ("more", "JSON", {"a": [1]}),
            ("none", "JSON", None),
        ]
    ]
    assert mapped.unknown == [f"jobs.{key}" for key in ("shift", "size", "rate", "isUrgent", "more", "none")]


def test_names_of_numbers_come_from_lists_and_a_category_lends_its_parts():
    rows = [
        '{"id": 1, "name": "Gastronomie", "subCategories": [{"id": 11, "name": "Küche"}, {"id": 12, "name": null}]}',
        '{"id": 11, "name": "IT", "subCategories": null}',
        '{"id": 3, "slug": "nameless"}',
    ]
    assert reference_names(decode(Reference, row) for row in rows) == {1: "Gastronomie", 11: "Küche"}


# People


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Meier", "Ada", "Meier"),
        ("Ada Maria  Meier", "Ada", "Maria  Meier"),
        (" Ada\tMeier ", "Ada", "Meier"),
        ("Ada", "Ada", None),
        ("", None, None),
        ("  ", None, None),
        (None, None, None),
    ],
)
def test_a_contacts_name_is_its_first_word_and_the_rest(name, first, last):
    row = only(of_job(job(3, contact={"name": name, "email": "ada@example.com"})), "users")
    assert (row["first_name"], row["last_name"]) == (first, last)


def test_a_contact_is_a_user_by_the_address_in_lower_case_and_the_hiring_manager():
    mapped = of_job(job(3, contact={"name": "Ada Meier", "email": " Ada@Example.COM "}))
    user = only(mapped, "users")
    assert (user["id"], user["remote_id"], user["email"]) == (
        id_of("users", "ada@example.com"),
        "ada@example.com",
        "ada@example.com",
    )
    assert (user["parent_updated_at"], user["parent_id"]) == (datetime(2026, 1, 2, tzinfo=UTC), 3)
    assert only(mapped, "job_hiring_team") == {
        "id": id_of("job_hiring_team", "3/ada@example.com"),
        "remote_id": "3/ada@example.com",
        "job_id": id_of("jobs", 3),
        "user_id": id_of("users", "ada@example.com"),
        "roles": ["HIRING_MANAGER"],
    }
    assert only(mapped, "jobs")["contact_id"] == id_of("users", "ada@example.com")


@pytest.mark.parametrize("contact", [None, {"name": "Ada Meier"}, {"name": "Ada", "email": None}, {"email": " "}])
def test_a_contact_without_an_address_is_no_user(contact):
    mapped = of_job(job(3, contact=contact))
    assert not mapped.rows.keys() & {"users", "job_hiring_team"}
    assert only(mapped, "jobs")["contact_id"] is None


@pytest.mark.parametrize(
    ("role", "ours", "is_counted"),
    [
        ("HIRING_MANAGER", ["HIRING_MANAGER"], False),
        ("recruiter", ["RECRUITER"], False),
        ("COORDINATOR", ["COORDINATOR"], False),
        ("SOURCER", ["SOURCER"], False),
        ("INTERVIEWER", ["INTERVIEWER"], False),
        ("Ghostwriter", ["Ghostwriter"], True),
        (None, [], False),
    ],
)
def test_a_team_members_role_is_one_of_ours_or_joins_own_word(role, ours, is_counted):
    member = {"hiringTeamMember": {"name": "Bo", "email": "bo@example.com"}, "jobRole": role}
    mapped = of_job(job(3, hiringTeam=[member]))
    assert only(mapped, "job_hiring_team")["roles"] == ours
    assert ("job_hiring_team.role" in mapped.unknown) == is_counted


def test_a_person_with_several_seats_is_one_user_with_all_roles():
    ada = {"name": "Ada", "email": "ada@example.com"}
    team = [
        {"hiringTeamMember": {"name": "A. Meier", "email": "ADA@example.com"}, "jobRole": "RECRUITER"},
        {"hiringTeamMember": {"name": "Bo", "email": "bo@example.com"}, "jobRole": "SOURCER"},
        {"hiringTeamMember": ada, "jobRole": "RECRUITER"},
        {"hiringTeamMember": {"name": "Nobody"}, "jobRole": "SOURCER"},
        {"hiringTeamMember": None, "jobRole": "SOURCER"},
    ]
    mapped = of_job(job(3, contact=ada, hiringTeam=team))
    assert [(row["email"], row["first_name"]) for row in mapped.rows["users"]] == [
        ("ada@example.com", "Ada"),
        ("bo@example.com", "Bo"),
    ]
    assert [row["roles"] for row in mapped.rows["job_hiring_team"]] == [["HIRING_MANAGER", "RECRUITER"], ["SOURCER"]]


def test_any_change_of_the_payload_is_a_change_of_the_job():
    hashes = {
        only(of_job(job(3, **change)), "jobs")["payload_hash"]
        for change in ({}, {"status": "OFFLINE"}, {"lastUpdatedAt": "2026-03-01T00:00:00Z"}, {"brandNew": 1})
    }
    assert len(hashes) == 4


def test_every_row_has_only_columns_of_its_model_and_what_the_fold_needs():
    fold_needs = {"payload_hash", "parent_updated_at", "parent_id", "priority"}
    payload = job(
        3, contact={"email": "a@example.com"}, questions=[{"name": "Wann?", "type": "DATE", "required": True}]
    )
    for model, rows in of_job(payload).rows.items():
        for row in rows:
            assert row.keys() <= {column.name for column in MODELS[model].version_columns} | fold_needs
