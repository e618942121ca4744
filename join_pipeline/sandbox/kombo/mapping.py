"""Kombo's mapping of a JOIN payload to the unified fields of one record, without links between records.

It is written from the specification, and shares no code with `sources.join.mapping`. `records` adds the keys that the
connector does not fill. References are Kombo's ids.
"""

import re
from typing import Any, Final

from join_pipeline.sandbox import instants
from join_pipeline.sandbox.kombo.ids import KomboIds
from join_pipeline.sandbox.vocabulary.work import CATEGORIES, EMPLOYMENT_TYPES, SENIORITY_LEVELS

Fields = dict[str, Any]

_OUTCOMES: Final = {
    "APPLIED": "PENDING",
    "ACTIVE": "PENDING",
    "OFFER": "PENDING",
    "HIRED": "HIRED",
    "REJECTED": "DECLINED",
}
_STATUSES: Final = {"ONLINE": "OPEN", "OFFLINE": "OPEN", "ARCHIVED": "ARCHIVED", "DRAFT": "DRAFT"}
_EMPLOYMENT: Final = {1: "FULL_TIME", 2: "PART_TIME", 3: "CONTRACT", 4: "SEASONAL", 5: "INTERNSHIP"}
_EMPLOYMENT_NAMES: Final = {row[0]: _EMPLOYMENT.get(row[0], row[2]) for row in EMPLOYMENT_TYPES}
_SENIORITY_NAMES: Final = {row[0]: row[2] for row in SENIORITY_LEVELS}
_CATEGORY_NAMES: Final = {sub[0]: sub[2] for category in CATEGORIES for sub in category[4]}
_CUSTOM: Final = ("externalId", "language", "workplaceType", "remoteType", "remote")
_TAKEN: Final = {
    "id", "title", "status", "createdAt", "lastUpdatedAt", "description", "categoryId", "employmentTypeId",
    "seniorityId", "office", "salary", "contact", "questions", "hiringTeam", *_CUSTOM,
}  # fmt: skip
_ROLES: Final = ("HIRING_MANAGER", "RECRUITER", "COORDINATOR", "SOURCER", "INTERVIEWER")
_FORMATS: Final = {
    "TEXT": "TEXT",
    "INTEGER": "NUMBER",
    "DATE": "DATE",
    "BOOLEAN": "BOOLEAN",
    "FILE": "FILE",
    "SINGLE_CHOICE": "SINGLE_SELECT",
    "MULTIPLE_CHOICE": "MULTI_SELECT",
}
_ANSWER: Final = ("answer", "file", "isSkipped")
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _instant(text: str) -> str:
    return instants.iso(instants.parse(text))


def _place(**known: str | None) -> dict[str, str | None]:
    keys = ("city", "country", "raw", "state", "street_1", "street_2", "zip_code")
    return {key: known.get(key) for key in keys}


def application(payload: dict[str, Any], ids: KomboIds, *, has_times: bool) -> Fields:
    times = {"remote_created_at": "createdAt", "remote_updated_at": "lastUpdatedAt"} if has_times else {}
    return {
        "outcome": _OUTCOMES.get(payload.get("state") or payload["hiringState"]),
        "current_stage_id": ids.of("application_stages", payload["currentStage"]["id"]),
        "job_id": ids.of("jobs", payload["job"]["id"]),
        "candidate_id": ids.of("candidates", payload["candidate"]["id"]),
    } | {key: _instant(payload[theirs]) for key, theirs in times.items()}


def candidate(applications: list[dict[str, Any]]) -> Fields:
    """A candidate from all applications that are there: the one updated last speaks, the oldest has the source."""
    oldest = min(applications, key=lambda payload: (instants.parse(payload["createdAt"]), payload["id"]))
    person = newest(applications)["candidate"]
    country = person["country"]
    return {
        "first_name": person["firstName"],
        "last_name": person["lastName"],
        "source": oldest["source"]["product"],
        "phone_numbers": [{"phone_number": number, "type": None} for number in [person["phoneNumber"]] if number],
        "email_addresses": [
            {"email_address": address, "type": None}
            for address in [person["email"]]
            if address and _ADDRESS.fullmatch(address)
        ],
        "location": country and _place(country=country["iso3166"].upper(), raw=country["name"]),
        "remote_created_at": _instant(oldest["createdAt"]),
    }


def newest(payloads: list[dict[str, Any]]) -> dict[str, Any]:
    """The payload that was updated last."""
    return max(payloads, key=lambda payload: (instants.parse(payload["lastUpdatedAt"]), payload["id"]))


def job(payload: dict[str, Any], ids: KomboIds) -> Fields:
    """A job but for `opened_at`, which depends on what it was before."""
    salary = payload["salary"] or {}
    ends = [end for end in (salary.get("from"), salary.get("to")) if end is not None]
    office = payload["office"]
    contact = contact_address(payload)
    return {
        "name": payload["title"],
        "description": (payload["description"] or "").replace("\\n", "\n") or None,
        "employment_type": _EMPLOYMENT_NAMES.get(payload["employmentTypeId"]),
        "status": _STATUSES.get(payload["status"], payload["status"]),
        "visibility": "PUBLIC" if payload["status"] == "ONLINE" else "UNLISTED",
        "category": _CATEGORY_NAMES.get(payload["categoryId"]),
        "experience_level": _SENIORITY_NAMES.get(payload["seniorityId"]),
        "salary_amount": ends[0] if len(set(ends)) == 1 else None,
        "salary_amount_from": salary.get("from"),
        "salary_amount_to": salary.get("to"),
        "salary_currency": salary.get("currency"),
        "salary_period": (salary.get("frequency") or "").removeprefix("PER_") or None,
        "location": office and _office(office),
        "custom_fields": {key: payload[key] for key in _CUSTOM},
        "integration_fields": [
            {"id": key, "key": key, "type": "JSON", "value": value, "label": None}
            for key, value in payload.items()
            if key not in _TAKEN
        ],
        "remote_created_at": _instant(payload["createdAt"]),
        "remote_updated_at": _instant(payload["lastUpdatedAt"]),
        "contact_id": ids.of("users", contact) if contact else None,
    }


def _office(office: dict[str, Any]) -> dict[str, str | None]:
    street = " ".join(part for part in (office["streetName"], office["streetNumber"]) if part)
    return _place(
        city=office["city"],
        country=office["countryIso"],
        raw=office["name"],
        street_1=street or None,
        zip_code=office["postalCode"],
    )


def contact_address(payload: dict[str, Any]) -> str | None:
    return ((payload["contact"] or {}).get("email") or "").lower() or None


def team(payload: dict[str, Any]) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Who stands behind a job: the person and JOIN's words for their roles, by address. No address, no user."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    members = [(payload["contact"], "HIRING_MANAGER")]
    members += [(member["hiringTeamMember"], member["jobRole"]) for member in payload.get("hiringTeam", [])]
    for person, role in members:
        if person and person["email"]:
            _, roles = found.setdefault(person["email"].lower(), (person, []))
            if role not in roles:
                roles.append(role)
    return found


def unified_role(role: str) -> str | None:
    """Kombo's word for a role, whose list is closed: any other has its label only."""
    return role if role in _ROLES else None


def user(person: dict[str, Any]) -> Fields:
    first, _, last = person["name"].partition(" ")
    return {"first_name": first, "last_name": last or None, "email": person["email"].lower()}


def question(asked: dict[str, Any], ids: KomboIds) -> Fields:
    """A question of a form (`name`) or of an answer (`question`), which knows no options."""
    text = asked.get("name", asked.get("question"))
    kind = _FORMATS.get(asked["type"], "UNKNOWN")
    shape: dict[str, Any] = {"type": kind}
    if kind.endswith("_SELECT"):
        shape["options"] = [
            {"id": ids.of("options", f"{kind}/{text}/{option}"), "name": option, "remote_id": None}
            for option in asked.get("options", [])
        ]
    elif kind == "UNKNOWN":
        shape["raw_question"] = {key: value for key, value in asked.items() if key not in _ANSWER}
    return {
        "id": ids.of("screening_questions", f"{kind}/{text}"),
        "remote_id": None,
        "title": text,
        "description": None,
        "category": None,
        "required": asked.get("required"),
        "format": shape,
        "precondition_question_id": None,
        "precondition_options": None,
    }
