"""A payload of each feed in which every part is there, so that each of them can be spoiled.

Belongs here: the payloads. Not here: spoiling them.
"""

from typing import Final

from join_pipeline_tests.unit.sync.syncs import Payload
from join_pipeline_tests.unit.sync.test_derive_kombo import record

JOIN_APPLICATION: Final[Payload] = {
    "id": 12,
    "createdAt": "2026-05-01T08:00:00.000Z",
    "lastUpdatedAt": "2026-05-02T08:00:00.000Z",
    "state": "ACTIVE",
    "qualified": "YES",
    "source": {"product": "indeed", "isPremium": True},
    "consent": {"consentStatus": "GIVEN"},
    "integrationExternalId": "key-1",
    "currentStage": {"id": 4, "name": "Gespräch", "index": 1},
    "job": {"id": 3, "title": "Köchin", "externalId": "X-3"},
    "candidate": {
        "id": 7,
        "firstName": "Ada",
        "lastName": "Meier",
        "email": "ada@example.com",
        "phoneNumber": "+49 30 1",
        "country": {"name": "Germany", "iso3166": "DE"},
        "tags": ["gut", "schnell"],
    },
    "screeningQuestions": [
        {"question": "Führerschein?", "type": "YES_NO", "answer": True},
        {"question": "Warum?", "type": "TEXT", "answer": "Darum"},
        {"question": "Ort?", "type": "NEW_TYPE", "answer": {"x": [1]}},
    ],
    "attachments": [{"id": 1, "url": "https://files.example.com/cv.pdf?sig=1"}],
}
JOIN_JOB: Final[Payload] = {
    "id": 3,
    "title": "Köchin",
    "status": "ONLINE",
    "createdAt": "2026-04-01T08:00:00Z",
    "lastUpdatedAt": "2026-04-02T08:00:00Z",
    "description": "<p>x</p>",
    "externalId": "X-3",
    "language": "de",
    "workplaceType": "ONSITE",
    "remoteType": None,
    "remote": False,
    "categoryId": 1,
    "employmentTypeId": 2,
    "seniorityId": 3,
    "office": {"name": "HQ", "streetName": "Weg", "streetNumber": "1", "postalCode": "10115", "city": "Berlin"},
    "salary": {"from": 1000, "to": 2000.5, "currency": "EUR", "frequency": "PER_MONTH"},
    "contact": {"name": "Bo Alt", "email": "bo@example.com"},
    "questions": [{"name": "Führerschein?", "type": "SINGLE_CHOICE", "options": ["a", {"id": 1, "name": "b"}]}],
    "hiringTeam": [{"hiringTeamMember": {"name": "Cy Neu", "email": "cy@example.com"}, "jobRole": "RECRUITER"}],
    "jobAdUrl": "https://join.com/x?y=1",
    "newField": {"a": [1]},
}
KOMBO: Final[dict[str, Payload]] = {
    "applications": record(
        "applications", "a1", outcome="PENDING", current_stage_id="s1", job_id="j1", candidate_id="c1",
        remote_created_at="2026-04-01T00:00:00Z", remote_updated_at="2026-04-02T00:00:00Z",
        candidate={"id": "c1", "remote_id": "7", "first_name": "Ada", "last_name": "M", "source": "indeed",
                   "phone_numbers": [{"phone_number": "1", "type": "HOME"}],
                   "email_addresses": [{"email_address": "a@example.com", "type": None}]},
        current_stage={"id": "s1", "remote_id": "1", "name": "Screening"}, job={"id": "j1", "name": "Koch"},
        remote_data={"/applications/1": {"x": 1}}, new_key=[1],
    ),
    "candidates": record(
        "candidates", "c1", first_name="Ada", last_name="M", source="indeed",
        phone_numbers=[{"phone_number": "1", "type": "HOME"}, {"phone_number": "2", "type": None}],
        email_addresses=[{"email_address": "a@example.com", "type": None}],
        location={"city": "Berlin", "country": "DE", "raw": "Berlin", "state": None, "zip_code": "10115"},
        remote_created_at="2026-04-01T00:00:00Z",
        tags=[{"id": "t1", "remote_id": "gut", "name": "gut"}, {"id": "t2", "remote_id": "neu", "name": "neu"}],
    ),
    "jobs": record(
        "jobs", "j1", name="Koch", description="d", employment_type="FULL_TIME", status="OPEN", visibility="PUBLIC",
        category="c", post_url="https://x", experience_level="e", salary_amount=1.5, salary_amount_from=1,
        salary_amount_to=2, salary_currency="EUR", salary_period="MONTH", location={"city": "Berlin", "country": "DE"},
        custom_fields={"a": {"b": 1}}, integration_fields=[{"id": "x", "value": 1}], contact_id="u1",
        opened_at="2026-04-01T00:00:00Z", remote_created_at="2026-04-01T00:00:00Z",
        remote_updated_at="2026-04-02T00:00:00Z",
        stages=[{"id": "s1", "remote_id": "1", "name": "Screening", "index": 0}, {"id": "s2", "name": "Offer"}],
        screening_questions=[
            {"id": "q1", "title": "Führerschein?", "format": {"type": "BOOLEAN"}, "required": True},
            {"id": "q2", "remote_id": "r", "title": "Wo?", "description": "d", "format": {"type": "TEXT"}, "index": 1,
             "required": None, "precondition_question_id": "q1", "precondition_options": ["yes"]},
        ],
        hiring_team=[{"id": "u1", "remote_id": "a@example.com", "email": "a@example.com", "first_name": "A",
                      "last_name": "B", "hiring_team_roles": ["RECRUITER"],
                      "job_roles": [{"remote_label": "Chef", "unified_type": None}]}],
    ),
    "tags": record("tags", "t1", name="gut"),
    "application_stages": record("application_stages", "s1", name="Screening", global_index=1),
    "users": record("users", "u1", first_name="A", last_name="B", email="a@example.com"),
}  # fmt: skip
JOIN: Final = {"applications": JOIN_APPLICATION, "jobs": JOIN_JOB}
SOURCES: Final = {"join": JOIN, "kombo": KOMBO}
