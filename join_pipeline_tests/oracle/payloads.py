"""Small payloads by hand, in JOIN's shape."""

from typing import Any


def application(
    key: int, *, on_job: int = 1, of: int = 100, stage: tuple[int, str, int] = (1, "Screening", 0), **more: Any
):
    """One application; `more` replaces top-level members."""
    stage_id, name, index = stage
    return {
        "id": key,
        "createdAt": "2026-01-05T09:00:00Z",
        "lastUpdatedAt": "2026-01-06T09:00:00.250Z",
        "state": "APPLIED",
        "currentStage": {"id": stage_id, "name": name, "index": index},
        "job": {"id": on_job, "title": "Koch", "externalId": None},
        "candidate": candidate(of),
        "source": {"product": "indeed", "isPremium": False},
        "attachments": [],
        "screeningQuestions": [],
        "qualified": "UNKNOWN",
        "consent": {"id": 1, "consentStatus": "GIVEN"},
        "integrationExternalId": None,
        **more,
    }


def candidate(key: int, **more: Any):
    return {
        "id": key,
        "firstName": "Zoë",
        "lastName": "Müller",
        "email": "zoe@example.org",
        "phoneNumber": "+41 44 000 00 00",
        "country": {"name": "Schweiz", "iso3166": "ch"},
        "tags": None,
        **more,
    }


def job(key: int, **more: Any):
    return {
        "id": key,
        "title": "Koch",
        "status": "ONLINE",
        "createdAt": "2026-01-01T00:00:00Z",
        "lastUpdatedAt": "2026-01-02T00:00:00Z",
        **more,
    }


def answer(question: str, kind: str, **more: Any):
    return {"question": question, "type": kind, "answer": "x", "file": None, "isSkipped": False, **more}
