"""Reads what a JOIN account lists at this moment in the plainest way: one request after the other, no retries.

An answer that is not expected ends the reading: the oracle reads a world that stands still and has no faults.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

Payload = dict[str, Any]

PAGE_SIZE = 50
JOB_STATUSES = ("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT")


@dataclass(frozen=True)
class World:
    """One account's payloads, each record once, by id. `lost_jobs` are named by applications and answer 404."""

    applications: tuple[Payload, ...] = ()
    jobs: tuple[Payload, ...] = ()
    lost_jobs: tuple[int, ...] = ()
    categories: tuple[Payload, ...] = ()
    employment_types: tuple[Payload, ...] = ()
    seniority_levels: tuple[Payload, ...] = ()

    @classmethod
    def read(cls, api_url: str, token: str) -> Self:
        """Read everything from `api_url` (with its /v2)."""
        with httpx.Client(base_url=api_url, headers={"Authorization": token}, timeout=30.0, trust_env=False) as client:
            applications = _by_id(_listing(client, "/applications"))
            listed = list(_listing(client, "/jobs", content="true"))
            for status in JOB_STATUSES:
                listed += _listing(client, "/jobs", content="true", status=status)
            jobs = _by_id(listed)

            named = {job_id for application in applications.values() if (job_id := _job_id(application)) is not None}
            unlisted = {job_id: _get(client, f"/jobs/{job_id}", absent=404) for job_id in sorted(named - jobs.keys())}
            jobs |= {job_id: payload for job_id, payload in unlisted.items() if payload is not None}

            return cls(
                applications=tuple(applications[key] for key in sorted(applications)),
                jobs=tuple(jobs[key] for key in sorted(jobs)),
                lost_jobs=tuple(job_id for job_id, payload in unlisted.items() if payload is None),
                categories=tuple(_get(client, "/categories")),
                employment_types=tuple(_get(client, "/employmentTypes")),
                seniority_levels=tuple(_get(client, "/seniorityLevels")),
            )


def _get(client: httpx.Client, path: str, *, absent: int | None = None, **params: str) -> Any:
    """The decoded answer, or None where the status is the one that means absence."""
    answer = client.get(path, params=params)
    if answer.status_code == absent:
        return None
    answer.raise_for_status()
    return answer.json()


def _listing(client: httpx.Client, path: str, **params: str) -> list[Payload]:
    """Every page until an empty one. A status that JOIN doesn't offer (422) lists nothing."""
    absent = 422 if "status" in params else None
    records: list[Payload] = []
    page = 1
    while rows := _get(client, path, absent=absent, page=str(page), pageSize=str(PAGE_SIZE), **params):
        records += rows
        page += 1
    return records


def _by_id(records: Iterable[Payload]) -> dict[int, Payload]:
    return {record["id"]: record for record in records}


def _job_id(application: Mapping[str, Any]) -> int | None:
    return (application.get("job") or {}).get("id")
