"""The job that a request names, and whether it takes applications.

Belongs here: asking JOIN, because a job may have closed a minute ago. Not here: the request's other fields (request).
"""

from collections.abc import Iterator
from typing import Final

from join_pipeline.actions.session import Session, parse_remote_id
from join_pipeline.errors import ContractError, InputError, JobClosedError, NotFoundError, RefusedError
from join_pipeline.http.contracts import read
from join_pipeline.sources.join.feeds import JOBS
from join_pipeline.sources.join.payloads import JobPayload

FIELD: Final = "application.job_id"
CLOSED: Final = {"ARCHIVED": "is archived", "DRAFT": "is a draft"}
"""JOIN's statuses of jobs that take no applications. An offline job is not advertised, and still takes them."""


def look_up_job(session: Session, job_id: str) -> JobPayload:
    """The job with this id, ours or `remote:` and JOIN's. Raises `InputError` if there is none."""
    remote_id = parse_remote_id(FIELD, job_id)
    job = _by_remote_id(session, remote_id) if remote_id is not None else _by_id(session, job_id)
    if job is None:
        raise InputError(FIELD, "names no job of this company. Take the id from a sync, or remote: and JOIN's own id")
    return job


def refuse_closed(job: JobPayload) -> None:
    """Raise `JobClosedError` if the job takes no applications."""
    if job.status in CLOSED:
        raise JobClosedError(FIELD, f"the job {CLOSED[job.status]} and takes no applications")


def _by_remote_id(session: Session, remote_id: str) -> JobPayload | None:
    try:
        body, _ = session.client.get(JOBS.record_path(remote_id))
    except NotFoundError:
        return None
    return read(JobPayload, body)


def _by_id(session: Session, job_id: str) -> JobPayload | None:
    """The job with this id of ours. An id of ours can't be reversed, so the id of every job is made and compared."""
    for listing in ({}, *({"status": status} for status in JOBS.per_status)):
        try:
            for job in _listed(session, listing):
                if session.ids.of(JOBS.name, job.id) == job_id:
                    return job
        except RefusedError:
            continue  # a status that JOIN does not offer
    return None


def _listed(session: Session, params: dict[str, str]) -> Iterator[JobPayload]:
    for page in session.client.pages(JOBS.path, params):
        for record in page.records:
            try:
                yield read(JobPayload, record.payload)
            except ContractError:
                continue
