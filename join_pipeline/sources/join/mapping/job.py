"""Mapping a job's payload: the job, its hiring team, and the questions of its form if JOIN shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from join_pipeline.http.contracts import extras, present, shown_key
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped, Parent, Row, content_digest, country_code, json_text, without_query
from join_pipeline.sources.join.mapping.questions import FROM_JOB, add_question
from join_pipeline.sources.join.mapping.vocabulary import (
    ADVERTISED,
    CONTACT_ROLE,
    EMPLOYMENT_TYPES,
    JOB_STATUSES,
    SALARY_PERIODS,
    TEAM_ROLES,
    slug,
)
from join_pipeline.sources.join.payloads import Contact, JobPayload, Office, Reference, Salary

PATH: Final = "/jobs/{id}"
JOB_SHOWN_IN: Final = {
    "jobs": {
        "contact_id": ("contact",),
        "job_hiring_team": ("contact", "hiringTeam"),
        "job_screening_questions": ("questions",),  # else an application would take what only a form says
        "status": ("status",),  # whether it was a draft tells when the job opened
        "visibility": ("status",),
    }
}
"""For each model, the columns and links whose loss would falsify the history, and the parts that show them."""
# the key of a job's public URL is not documented, so the mapping takes the first of these that is there
URL_KEYS: Final = ("postUrl", "jobAdUrl", "publicUrl", "jobUrl", "url")


@dataclass(frozen=True, slots=True)
class References:
    """The names of the numbers in jobs, and the template of public URLs."""

    categories: Mapping[int, str] = field(default_factory=dict)
    employment_types: Mapping[int, str] = field(default_factory=dict)
    seniority_levels: Mapping[int, str] = field(default_factory=dict)
    post_url_template: str | None = None


def reference_names(rows: Iterable[Reference]) -> dict[int, str]:
    """Names by number. A sub-category comes before a category of the same number, because jobs have sub-categories."""
    names: dict[int, str] = {}
    subs: dict[int, str] = {}
    for row in rows:
        if row.name is not None:
            names[row.id] = row.name
        subs |= {sub.id: sub.name for _, sub in present(row.sub_categories) if sub.name is not None}
    return names | subs


def map_job(payload: JobPayload, raw: dict[str, Any], ids: Ids, references: References) -> Mapped:
    """All rows of one job's payload. `raw` is the same payload with all of its keys."""
    post_url = _post_url(payload, raw, references)  # before queries are removed: it is public and may need its query
    raw = without_query(raw)
    mapped = Mapped()
    parent = Parent(payload.last_updated_at, payload.id)
    mapped.add("jobs", job(payload, raw, ids, references) | {"post_url": post_url})
    if payload.status not in JOB_STATUSES:
        mapped.unknown.append("jobs.status")
    if payload.salary and payload.salary.frequency and payload.salary.frequency not in SALARY_PERIODS:
        mapped.unknown.append("jobs.salary.frequency")
    mapped.unknown.extend(f"jobs.{shown_key(key)}" for key in _extra_keys(raw))
    for email, (contact, roles) in _people(payload, mapped).items():
        mapped.add("users", user(email, contact, ids) | parent.columns())
        remote_id = f"{payload.id}/{email}"
        mapped.add(
            "job_hiring_team",
            {
                "id": ids.of("job_hiring_team", remote_id),
                "remote_id": remote_id,
                "job_id": ids.of("jobs", payload.id),
                "user_id": ids.of("users", email),
                "roles": roles,
            },
        )
    for index, question in present(payload.questions):
        add_question(
            mapped,
            ids,
            parent,
            job=payload.id,
            index=index,
            text=question.name,
            join_type=question.type,
            raw=raw["questions"][index],
            options=question.options,
            required=question.required,
            priority=FROM_JOB,
        )
    return mapped


def job(payload: JobPayload, raw: dict[str, Any], ids: Ids, references: References) -> Row:
    """The job's row, without its public URL. The sync adds `opened_at`, because it depends on what was known."""
    salary = payload.salary or Salary()
    contact_email = _email(payload.contact) if payload.contact else None
    return {
        "id": ids.of("jobs", payload.id),
        "remote_id": str(payload.id),
        "name": payload.title,
        "description": payload.description and payload.description.replace("\\n", "\n"),
        "employment_type": _employment_type(references.employment_types.get(payload.employment_type_id or 0)),
        "status": JOB_STATUSES.get(payload.status or "", payload.status),
        "visibility": payload.status and ("PUBLIC" if payload.status == ADVERTISED else "UNLISTED"),
        "category": references.categories.get(payload.category_id or 0),
        "experience_level": references.seniority_levels.get(payload.seniority_id or 0),
        "salary_amount": _single_amount(salary),
        "salary_amount_from": salary.from_,
        "salary_amount_to": salary.to,
        "salary_currency": salary.currency,
        "salary_period": SALARY_PERIODS.get(salary.frequency, salary.frequency) if salary.frequency else None,
        "location": _location(payload.office),
        "custom_fields": json_text(
            {key: raw.get(key) for key in ("externalId", "language", "workplaceType", "remoteType", "remote")}
        ),
        "integration_fields": json_text([_integration_field(key, raw[key]) for key in _extra_keys(raw)]),
        "remote_created_at": payload.created_at,
        "remote_updated_at": payload.last_updated_at,
        "contact_id": ids.maybe("users", contact_email),
        "remote_data": json_text({PATH: raw}),
        "payload_hash": content_digest(raw),
    }


def user(email: str, contact: Contact, ids: Ids) -> Row:
    """The row of a user. Only contacts with an e-mail address are users, because JOIN gives them no id."""
    first, *rest = (contact.name or "").split(maxsplit=1) or [""]
    return {
        "id": ids.of("users", email),
        "remote_id": email,
        "first_name": first or None,
        "last_name": rest[0].strip() if rest else None,
        "email": email,
    }


def _people(payload: JobPayload, mapped: Mapped) -> dict[str, tuple[Contact, list[str]]]:
    """The job's people by e-mail address, each with the roles in the payload's order."""
    seats: list[tuple[Contact | None, str | None]] = [(payload.contact, CONTACT_ROLE)]
    for _, member in present(payload.hiring_team):
        if member.job_role is not None and member.job_role.upper() not in TEAM_ROLES:
            mapped.unknown.append("job_hiring_team.role")
        role = member.job_role and TEAM_ROLES.get(member.job_role.upper(), member.job_role)
        seats.append((member.hiring_team_member, role))
    people: dict[str, tuple[Contact, list[str]]] = {}
    for contact, role in seats:
        if contact is None or (email := _email(contact)) is None:
            continue
        _, roles = people.setdefault(email, (contact, []))
        if role is not None and role not in roles:
            roles.append(role)
    return people


def _email(contact: Contact) -> str | None:
    return (contact.email or "").strip().lower() or None


def _employment_type(name: str | None) -> str | None:
    return None if name is None else EMPLOYMENT_TYPES.get(slug(name), name)


def _single_amount(salary: Salary) -> float | None:
    """The salary, if both ends are equal or only one is given."""
    if salary.from_ is None or salary.to is None:
        return salary.from_ if salary.to is None else salary.to
    return salary.from_ if salary.from_ == salary.to else None


def _location(office: Office | None) -> Row | None:
    if office is None:
        return None
    street = " ".join(part for part in (office.street_name, office.street_number) if part)
    return {
        "city": office.city,
        "country": country_code(office.country_iso),
        "raw": office.name,
        "state": None,
        "street_1": street or None,
        "street_2": None,
        "zip_code": office.postal_code,
    }


def _post_url(payload: JobPayload, raw: dict[str, Any], references: References) -> str | None:
    shown = next((raw[key] for key in URL_KEYS if isinstance(raw.get(key), str) and raw[key]), None)
    if shown is not None or references.post_url_template is None:
        return shown
    return references.post_url_template.replace("{id}", str(payload.id))


def _extra_keys(raw: dict[str, Any]) -> list[str]:
    return [key for key in extras(JobPayload, raw) if key not in URL_KEYS]


def _integration_field(key: str, value: Any) -> Row:
    # bool comes first, because a bool is an int in Python
    kinds = ((bool, "BOOLEAN"), (int | float, "NUMBER"), (str, "TEXT"))
    kind = next((word for python, word in kinds if isinstance(value, python)), "JSON")
    return {"id": key, "key": key, "type": kind, "value": value, "label": None}
