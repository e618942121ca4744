"""Retention: which applications' personal data is due to be deleted, by the ATS's own ids.

The list is for those who may delete in the ATS, so it has the ids that they search for there, and no name. It is read
from the warehouse, which no reader gets.
Belongs here: reading the list. Not here: the rule and its dates (dbt_project, mart_retention_due), printing (cli).
"""

import contextlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError, foreign
from join_pipeline.settings import Settings

CONSENTS: Final = "('REJECTED', 'EXPIRED')"


@dataclass(frozen=True, slots=True)
class Due:
    """One application whose data is due, or will be.

    `application`, `candidate` and `job` are the ATS's own ids. Nobody saw the instant of the decision, only that it
    lies between two syncs: so the data may be due from `due_from` on, and certainly is from `due_on` on. Both are null
    for a consent that was rejected or has expired: nothing tells when. `is_in_ats`: whether the ATS still has it.
    `is_candidate_needed`: the same candidate still waits elsewhere, or was hired.
    """

    application: str
    candidate: str | None
    job: str | None
    country: str | None
    status: str
    rule: str
    months: int | None
    due_from: date | None
    due_on: date | None
    is_due: bool
    is_in_ats: bool
    is_candidate_needed: bool


COLUMNS: Final = tuple(Due.__dataclass_fields__)


def due(settings: Settings, *, until: date | None = None) -> list[Due]:
    """What is due at the last sync, the longest first, then whose consent does not allow keeping it.

    With `until`, also what will certainly be due by that day. Raises `BuildError` if nothing is built yet.
    """
    return [Due(*row) for row in _rows(settings, QUERY, until=until)]


def candidates_due(settings: Settings) -> list[str]:
    """The ATS's ids of the candidates all of whose applications are certainly due, and who are not needed elsewhere."""
    return [str(remote_id) for (remote_id,) in _rows(settings, CANDIDATES)]


def loaded_up_to(settings: Settings) -> tuple[str, datetime]:
    """The last sync that is built, and the instant up to which it knows everything."""
    ((sync_id, as_of),) = _rows(settings, "SELECT sync_id, as_of FROM ats.as_of")
    return sync_id, as_of


def _rows(settings: Settings, query: str, **values: Any) -> list[tuple[Any, ...]]:
    path = settings.warehouse
    if not path.exists():
        raise BuildError(f"{path} is not there. Nothing is built yet: run `join-pipeline build` first.")
    try:
        with contextlib.closing(duckdb.connect(path, read_only=True)) as con:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(query, values).fetchall()
    except duckdb.Error as error:
        raise BuildError(f"{path} can't be read ({foreign(error)}). `join-pipeline build` makes it again.") from None


CANDIDATES: Final = """
SELECT any_value(c.remote_id) AS remote_id
FROM recruiting.mart_retention_due AS l
JOIN ats.pseudonyms AS p ON p.model = 'candidates' AND p.pseudonym = l.candidate_key
JOIN ats.candidates AS c ON c.id = p.id
WHERE c.remote_id IS NOT NULL
GROUP BY l.candidate_key
HAVING bool_and(l.is_due) AND NOT bool_or(l.is_candidate_needed)
ORDER BY length(any_value(c.remote_id)), 1
"""
QUERY: Final = f"""
WITH listed AS (
    SELECT application_key, country, status, rule, retention_months, due_on_lo, due_on, is_due, is_deleted,
        is_candidate_needed
    FROM recruiting.mart_retention_due
    WHERE due_on IS NOT NULL AND (is_due OR due_on <= $until::DATE)
    UNION ALL
    SELECT application_key, r.country, r.status, 'consent ' || lower(consent_status), NULL, NULL, NULL, true, false,
        r.is_candidate_needed
    FROM recruiting.fct_application AS f JOIN recruiting.mart_retention_due AS r USING (application_key)
    WHERE upper(f.consent_status) IN {CONSENTS} AND NOT f.is_deleted
)
SELECT a.remote_id, c.remote_id, j.remote_id, l.country, l.status, l.rule, l.retention_months, l.due_on_lo, l.due_on,
    l.is_due, NOT l.is_deleted, l.is_candidate_needed
FROM listed AS l
JOIN ats.pseudonyms AS p ON p.model = 'applications' AND p.pseudonym = l.application_key
JOIN ats.applications AS a ON a.id = p.id
LEFT JOIN ats.candidates AS c ON c.id = a.candidate_id
LEFT JOIN ats.jobs AS j ON j.id = a.job_id
ORDER BY l.due_on NULLS LAST, l.rule, length(a.remote_id), a.remote_id
"""
