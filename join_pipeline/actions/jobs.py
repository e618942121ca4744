"""Which job a caller means, and whether it takes applications. Asked live: a job may have closed a minute ago."""

from collections.abc import Iterator
from typing import Final

from join_pipeline.actions.session import Desk, remote_id
from join_pipeline.errors import ContractError, InputError, JobClosedError, NotFoundError, RefusedError
from join_pipeline.http.contracts import decode
from join_pipeline.sources.join.feeds import JOBS
from join_pipeline.sources.join.payloads import JobPayload

FIELD: Final = "application.job_id"
CLOSED: Final = {"ARCHIVED": "is archived", "DRAFT": "is a draft"}
"""JOIN's statuses of jobs that take no applications. An offline job is still hired for."""


def find_job(desk: Desk, job_id: str) -> JobPayload:
    """The job of this id, ours or `remote:` and JOIN's. `InputError` if there is none."""
    asked = remote_id(FIELD, job_id)
    job = _by_remote_id(desk, asked) if asked is not None else _by_id(desk, job_id)
    if job is None:
        raise InputError(FIELD, "names no job of this company. Take the id from a sync, or remote: and JOIN's own id")
    return job


def refuse_closed(job: JobPayload) -> None:
    """`JobClosedError` if the job takes no applications."""
    if job.status in CLOSED:
        raise JobClosedError(FIELD, f"the job {CLOSED[job.status]} and takes no applications")


def _by_remote_id(desk: Desk, asked: str) -> JobPayload | None:
    try:
        body, _ = desk.client.get(JOBS.record_path(asked))
    except NotFoundError:
        return None
    return decode(JobPayload, body)


def _by_id(desk: Desk, asked: str) -> JobPayload | None:
    """Our ids can't be turned back into JOIN's: each job's is made and compared."""
    for listing in ({}, *({"status": status} for status in JOBS.per_status)):
        try:
            for job in _listed(desk, listing):
                if desk.ids.of(JOBS.name, job.id) == asked:
                    return job
        except RefusedError:
            continue  # a status that JOIN does not offer
    return None


def _listed(desk: Desk, params: dict[str, str]) -> Iterator[JobPayload]:
    for page in desk.client.pages(JOBS.path, params):
        for record in page.records:
            try:
                yield decode(JobPayload, record.payload)
            except ContractError:
                continue
