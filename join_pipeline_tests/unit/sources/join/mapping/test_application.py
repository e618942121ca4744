"""The rows of one application's payload, rule by rule of the unified models."""

import json
from datetime import UTC, datetime

import pytest

from join_pipeline.models import MODELS
from join_pipeline_tests.oracle.payloads import answer, application, candidate
from join_pipeline_tests.unit.sources.join.mapping.mapped import id_of, of_application, only, remote_ids

NO_PLACE = dict.fromkeys(("city", "country", "raw", "state", "street_1", "street_2", "zip_code"))


def test_an_application_is_its_own_fields_and_the_ids_of_what_it_names():
    payload = application(
        12,
        on_job=3,
        of=7,
        stage=(4, "Gespräch", 2),
        source={"product": "indeed (Limited)", "isPremium": True},
        qualified="QUALIFIED",
        consent={"id": 1, "consentStatus": "GIVEN"},
        integrationExternalId="ext-9",
        state="ACTIVE",
    )
    row = only(of_application(payload), "applications")
    assert {key: value for key, value in row.items() if key not in {"remote_data", "payload_hash"}} == {
        "id": id_of("applications", 12),
        "remote_id": "12",
        "outcome": "PENDING",
        "current_stage_id": id_of("application_stages", 4),
        "job_id": id_of("jobs", 3),
        "candidate_id": id_of("candidates", 7),
        "remote_created_at": datetime(2026, 1, 5, 9, tzinfo=UTC),
        "remote_updated_at": datetime(2026, 1, 6, 9, 0, 0, 250_000, tzinfo=UTC),
        "source": "indeed (Limited)",
        "is_premium_source": True,
        "state": "ACTIVE",
        "qualified": "QUALIFIED",
        "consent_status": "GIVEN",
        "integration_external_id": "ext-9",
    }
    assert json.loads(row["remote_data"]) == {"/applications/{id}": payload}


@pytest.mark.parametrize(
    ("state", "outcome", "is_counted"),
    [
        ("APPLIED", "PENDING", False),
        ("ACTIVE", "PENDING", False),
        ("OFFER", "PENDING", False),
        ("HIRED", "HIRED", False),
        ("REJECTED", "DECLINED", False),
        ("ON_HOLD", None, True),
        ("hired", None, True),
        ("", None, True),
        (None, None, True),
    ],
)
def test_the_state_gives_the_outcome_and_an_unknown_one_gives_none_and_is_counted(state, outcome, is_counted):
    mapped = of_application(application(1, state=state))
    row = only(mapped, "applications")
    assert (row["outcome"], row["state"]) == (outcome, state)
    assert ("applications.state" in mapped.unknown) == is_counted


def test_the_older_name_of_the_state_counts_where_the_newer_is_not_there():
    payload = application(1, hiringState="HIRED")
    del payload["state"]
    assert only(of_application(payload), "applications")["outcome"] == "HIRED"
    assert only(of_application(application(1, state="OFFER", hiringState="HIRED")), "applications")["state"] == "OFFER"


@pytest.mark.parametrize(
    ("key", "columns", "models"),
    [
        ("currentStage", ["current_stage_id"], ["application_stages", "job_application_stages"]),
        ("job", ["job_id"], ["job_application_stages", "job_screening_questions", "screening_questions"]),
        ("candidate", ["candidate_id"], ["candidates", "candidate_tags", "tags"]),
        ("source", ["source", "is_premium_source"], []),
        ("consent", ["consent_status"], []),
        ("qualified", ["qualified"], []),
    ],
)
def test_what_join_does_not_give_is_null_and_makes_no_row(key, columns, models):
    mapped = of_application(application(1, **{key: None}))
    row = only(mapped, "applications")
    assert [row[column] for column in columns] == [None] * len(columns)
    assert not mapped.rows.keys() & set(models)


def test_a_key_that_no_column_takes_is_counted_but_attachments_are_known():
    mapped = of_application(application(1, rejectionReason="late", score=3))
    assert sorted(mapped.unknown) == ["applications.rejectionReason", "applications.score"]
    assert (
        of_application(application(1, attachments=[{"type": "CV", "url": "https://files.example.com/1"}])).unknown == []
    )


# Candidates


def test_a_candidate_is_what_the_application_shows_of_them():
    shown = candidate(7)
    row = only(of_application(application(12, of=7)), "candidates")
    assert row["id"] == id_of("candidates", 7)
    assert row["remote_id"] == "7"
    assert (row["first_name"], row["last_name"]) == ("Zoë", "Müller")
    assert row["phone_numbers"] == [{"phone_number": "+41 44 000 00 00", "type": None}]
    assert row["email_addresses"] == [{"email_address": "zoe@example.org", "type": None}]
    assert row["location"] == NO_PLACE | {"country": "CH", "raw": "Schweiz"}
    assert json.loads(row["remote_data"]) == {"/applications/{id}": {"candidate": shown}}


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("Ada.O'Neil+jobs@mail.example.co.uk", "Ada.O'Neil+jobs@mail.example.co.uk"),
        ("jürg@exämple.example", "jürg@exämple.example"),
        ("ada@example", None),
        ("ada.example.com", None),
        ("ada@@example.com", None),
        ("ada@example..com", None),
        ("@example.com", None),
        ("ada @example.com", None),
        ("a@example.com, b@example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_that_is_none_is_left_out(email, kept):
    row = only(of_application(application(1, candidate=candidate(7, email=email))), "candidates")
    assert row["email_addresses"] == ([] if kept is None else [{"email_address": kept, "type": None}])


@pytest.mark.parametrize("phone", [None, ""])
def test_a_candidate_without_a_phone_has_an_empty_list(phone):
    row = only(of_application(application(1, candidate=candidate(7, phoneNumber=phone))), "candidates")
    assert row["phone_numbers"] == []


@pytest.mark.parametrize(
    ("country", "place"),
    [
        ({"name": "Germany", "iso3166": "DE"}, {"country": "DE", "raw": "Germany"}),
        ({"name": "Germany", "iso3166": "de"}, {"country": "DE", "raw": "Germany"}),
        ({"name": None, "iso3166": "DE"}, {"country": "DE"}),
        ({"name": "Narnia", "iso3166": None}, {"raw": "Narnia"}),
        ({"name": "Germany", "iso3166": "Deu"}, {"country": "Deu", "raw": "Germany"}),
        ({}, {}),
    ],
)
def test_a_candidates_country_is_the_location(country, place):
    row = only(of_application(application(1, candidate=candidate(7, country=country))), "candidates")
    assert row["location"] == NO_PLACE | place


def test_a_candidate_without_a_country_has_no_location():
    assert only(of_application(application(1, candidate=candidate(7, country=None))), "candidates")["location"] is None


# Tags: the list is whole


@pytest.mark.parametrize(
    ("tags", "names", "shows"),
    [
        (["gut", "schnell"], ["gut", "schnell"], True),
        (["gut", "gut"], ["gut"], True),
        (["Gut", "gut", " gut"], ["Gut", "gut", " gut"], True),
        (["a/b", "🙂"], ["a/b", "🙂"], True),
        ([], [], True),
        (None, [], True),
        ("absent", [], False),
    ],
)
def test_a_tag_list_is_whole_and_an_absent_one_says_nothing(tags, names, shows):
    person = candidate(7, tags=tags)
    if tags == "absent":
        del person["tags"]
    mapped = of_application(application(1, candidate=person))
    assert [row["name"] for row in mapped.rows.get("tags", [])] == names
    assert remote_ids(mapped, "tags") == names
    assert [row["id"] for row in mapped.rows.get("tags", [])] == [id_of("tags", name) for name in names]
    assert mapped.rows.get("candidate_tags", []) == [
        {
            "id": id_of("candidate_tags", f"7/{name}"),
            "remote_id": f"7/{name}",
            "candidate_id": id_of("candidates", 7),
            "tag_id": id_of("tags", name),
        }
        for name in names
    ]
    assert only(mapped, "candidates")["shows_tags"] == shows


# Stages


def test_a_stage_is_its_name_and_its_place_is_the_jobs():
    mapped = of_application(application(12, on_job=3, stage=(4, "Gespräch", 2)))
    stage, place = only(mapped, "application_stages"), only(mapped, "job_application_stages")
    assert (stage["id"], stage["remote_id"], stage["name"]) == (id_of("application_stages", 4), "4", "Gespräch")
    assert json.loads(stage["remote_data"]) == {
        "/applications/{id}": {"currentStage": {"id": 4, "name": "Gespräch", "index": 2}}
    }
    assert {key: place[key] for key in ("id", "remote_id", "job_id", "stage_id", "index")} == {
        "id": id_of("job_application_stages", "3/4"),
        "remote_id": "3/4",
        "job_id": id_of("jobs", 3),
        "stage_id": id_of("application_stages", 4),
        "index": 2,
    }


def test_a_stage_that_only_moves_in_a_pipeline_is_the_same_stage():
    before, after = (
        only(of_application(application(1, stage=(4, "Gespräch", index))), "application_stages") for index in (2, 3)
    )
    assert before["payload_hash"] == after["payload_hash"]
    renamed = only(of_application(application(1, stage=(4, "Interview", 2))), "application_stages")
    assert renamed["payload_hash"] != before["payload_hash"]


def test_a_stage_without_an_index_has_no_place():
    payload = application(1, on_job=3, currentStage={"id": 4, "name": "Offer"})
    assert only(of_application(payload), "job_application_stages")["index"] is None


# What decides between several parents, and what is the record's own


def test_every_shared_row_tells_the_parent_it_came_through():
    mapped = of_application(application(12, screeningQuestions=[answer("Führerschein?", "BOOLEAN")]))
    for model in ("candidates", "application_stages", "job_application_stages", "screening_questions",
                  "job_screening_questions"):  # fmt: skip
        row = only(mapped, model)
        assert row["parent_updated_at"] == datetime(2026, 1, 6, 9, 0, 0, 250_000, tzinfo=UTC)
        assert row["parent_id"] == 12


@pytest.mark.parametrize(
    ("change", "is_own"),
    [
        ({"state": "OFFER"}, True),
        ({"lastUpdatedAt": "2026-02-01T00:00:00Z"}, True),
        ({"qualified": "QUALIFIED"}, True),
        ({"screeningQuestions": [answer("Neu?", "TEXT")]}, True),
        ({"attachments": [{"type": "CV", "url": "https://files.example.com/2"}]}, True),
        ({"currentStage": {"id": 2, "name": "Offer", "index": 1}}, True),
        ({"candidate": candidate(101)}, False),  # shown by candidate_id
        ({"candidate": candidate(100, lastName="Meier")}, False),
        ({"candidate": candidate(100, tags=["gut"])}, False),
        ({"job": {"id": 1, "title": "Chefkoch", "externalId": None}}, False),
        ({"currentStage": {"id": 1, "name": "Sichtung", "index": 0}}, False),
        ({"currentStage": {"id": 1, "name": "Screening", "index": 5}}, False),
    ],
)
def test_what_belongs_to_another_record_is_no_change_of_the_application(change, is_own):
    before = only(of_application(application(1)), "applications")
    after = only(of_application(application(1, **change)), "applications")
    assert (before["payload_hash"] != after["payload_hash"]) == is_own


@pytest.mark.parametrize("model", ["applications", "candidates"])
def test_a_signature_that_changes_by_itself_is_no_change(model):
    rows = [
        only(
            of_application(
                application(
                    1,
                    attachments=[{"type": "CV", "url": f"https://files.example.com/1?sig={drawn}"}],
                    candidate=candidate(7, professionalLinks=[{"type": "X", "url": f"https://x.example/a?s={drawn}"}]),
                )
            ),
            model,
        )
        for drawn in (1, 2)
    ]
    assert rows[0]["payload_hash"] == rows[1]["payload_hash"]
    assert rows[0]["remote_data"] == rows[1]["remote_data"]
    assert "sig=" not in rows[0]["remote_data"]


def test_the_order_of_keys_is_no_change():
    payload = application(1)
    turned = dict(reversed(payload.items()))
    first, second = (only(of_application(shown), "applications") for shown in (payload, turned))
    assert (first["payload_hash"], first["remote_data"]) == (second["payload_hash"], second["remote_data"])


def test_every_row_has_only_columns_of_its_model_and_what_the_fold_needs():
    fold_needs = {"payload_hash", "parent_updated_at", "parent_id", "priority", "shows_tags"}
    mapped = of_application(
        application(1, candidate=candidate(7, tags=["a"]), screeningQuestions=[answer("Wann?", "DATE")])
    )
    for model, rows in mapped.rows.items():
        for row in rows:
            assert row.keys() <= {column.name for column in MODELS[model].version_columns} | fold_needs
