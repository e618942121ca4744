"""Employees: users of the ATS, who are contacts and members of hiring teams. They are found, shown and exported.

Belongs here: finding their records, what is exported of them. Not here: erasing. Their records are part of jobs, and
the ATS shows them with each sync as long as they are there: so they are deleted there, or kept out (privacy).
"""

from collections.abc import Iterator
from typing import Any, Final

from join_pipeline.errors import InputError
from join_pipeline.models import MODELS
from join_pipeline.people.person import Person, Seeking

MODEL: Final = "users"
KEPT: Final = (
    "that is an employee, a user of the ATS, and no applicant. Nothing was erased: the next sync would read it again. "
    "Delete the user in the ATS, or set JOIN_PIPELINE_KEEP_OUT=users; a full sync then ends the record, and names and "
    "addresses go as those of deleted applicants do"
)


def refuse_erasure(person: Person) -> None:
    """Raise `InputError` if somebody is an employee only. An applicant who is one, too, is erased as an applicant."""
    if person.users and not person.is_known:
        raise InputError("person", KEPT)


def history(look: Seeking, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Every version of an employee's records, with the personal columns that are kept; nothing for others."""
    if not person.users:
        return {}
    return {
        MODEL: list(_versions(look, person, MODEL, "id")),
        "job_hiring_team": list(_versions(look, person, "job_hiring_team", "user_id")),
        "contact_of": list(_contact_of(look, person)),
    }


def _contact_of(look: Seeking, person: Person) -> Iterator[dict[str, Any]]:
    """The versions of jobs that name an employee as the contact, with what they say of it."""
    query = f"""SELECT id, name, status, observed_at FROM {look.versions("jobs")}
        WHERE list_contains(?, contact_id) ORDER BY ALL"""
    for one, name, status, observed_at in look.con.execute(query, [list(person.users)]).fetchall():
        yield {"job_id": one, "name": name, "status": status, "observed_at": observed_at}


def _versions(look: Seeking, person: Person, name: str, key: str) -> Iterator[dict[str, Any]]:
    model = MODELS[name]
    columns = ", ".join(f'{"p" if c.tier.is_personal else "v"}."{c.name}"' for c in model.version_columns)
    query = f"""SELECT {columns} FROM {look.versions(name)} AS v
        LEFT JOIN {look.personal(name)} AS p ON p.id = v.id AND p.sync_id = v.sync_id
        WHERE list_contains(?, v.{key}) ORDER BY ALL"""
    for row in look.con.execute(query, [list(person.users)]).fetchall():
        yield {c.name: value for c, value in zip(model.version_columns, row, strict=True) if value is not None}
