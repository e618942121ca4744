"""The write endpoints of /v2, and the applications that the fault `shifting` adds and deletes."""

import binascii
from base64 import b64decode
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox import identities
from join_pipeline.sandbox.answers import Refusal, json_answer, json_body
from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.jobs import OFFLINE, PUBLISHED
from join_pipeline.sandbox.overlay import Document, WrittenApplication
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.vocabulary.forms import DOCUMENT_TYPES, WRITTEN_SOURCES
from join_pipeline.sandbox.world import World


def _text(body: dict[str, Any], key: str, *, where: str = "", optional: bool = False) -> str | None:
    value = body.get(key)
    if value is None and optional:
        return None
    if not isinstance(value, str) or not value.strip():
        raise Refusal(422, f"{where}{key} must be a text that is not empty")
    return value


def _documents(world: World, body: dict[str, Any]) -> tuple[Document, ...]:
    documents = body.get("documents") or []
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        raise Refusal(422, "documents must be a list of objects")
    taken = tuple(_document(document) for document in documents)
    if sum(len(document.content) for document in taken) > world.config.max_documents_bytes:
        raise Refusal(413, "documents are too large")
    if any(document.name.lower().endswith(world.config.refused_documents) for document in taken):
        raise Refusal(422, "documents: this kind of file is not taken")
    if taken and world.strikes("documents_error"):
        raise Refusal(503, "documents can't be stored at the moment")
    return taken


def _document(body: dict[str, Any]) -> Document:
    kind, name, data = (_text(body, key, where="documents: ") or "" for key in ("type", "name", "data"))
    if kind not in DOCUMENT_TYPES:
        raise Refusal(422, f"documents: type must be one of {', '.join(DOCUMENT_TYPES)}")
    try:
        return Document(kind, name, b64decode(data, validate=True))
    except binascii.Error as error:
        raise Refusal(422, "documents: data must be base64") from error


class AlreadyApplied(Refusal):
    """A second application of one person to one job."""


def is_open(state: State, job: int) -> bool:
    """Whether a job accepts applications."""
    return state.has_job(job) and state.job_status[job] in (PUBLISHED, OFFLINE)


def _job_open(state: State, job_id: object) -> int:
    if not isinstance(job_id, int) or isinstance(job_id, bool):
        raise Refusal(422, "jobId must be an integer")
    if not is_open(state, job_id - 1):
        raise Refusal(422, "jobId names no job that takes applications")
    return job_id - 1


def _candidate(world: World, state: State, job: int, person: dict[str, str | None]) -> int:
    """The candidate with this address, or a new one. Rejects a second application to one job."""
    email = (person["email"] or "").lower()
    live = world.written.live(state.now)
    known = next((w.candidate for w in live if (w.person["email"] or "").lower() == email), None)
    if known is None:
        known = identities.candidate_by_email(world.company, email, state.now)
        if known is not None and not state.has_candidate(known):
            known = None  # the candidate was deleted with the last application
    if known is None:
        return world.written.new_candidate()
    if any(w.job == job and w.candidate == known for w in live):
        raise AlreadyApplied(world.config.duplicate_status, "Candidate already exists for this job")
    if (world.company.arrivals.candidate[state.live[world.company.arrivals.job[state.live] == job]] == known).any():
        raise AlreadyApplied(world.config.duplicate_status, "Candidate already exists for this job")
    return known


def write_application(
    world: World, *, job: int, product: str, person: dict[str, str | None], documents: tuple[Document, ...], **more: Any
) -> WrittenApplication:
    """Add an application that arrives now. Rejects a person who has applied to the job before."""
    state = world.look()
    application = WrittenApplication(
        application=world.written.next_application(),
        job=job,
        candidate=_candidate(world, state, job, person),
        created=state.now,
        product=product,
        person=person,
        documents=documents,
        **more,
    )
    world.written.applications.append(application)
    state.touch()
    return application


async def create_application(world: World, request: Request) -> Response:
    body = await json_body(request)
    state = world.look()
    job = _job_open(state, body.get("jobId"))
    written = body.get("candidate")
    if not isinstance(written, dict):
        raise Refusal(422, "candidate must be an object")
    person = {key: _text(written, key, where="candidate: ") for key in ("firstName", "lastName", "email")}
    person["phoneNumber"] = _text(written, "phone", where="candidate: ", optional=True)
    if "@" not in (person["email"] or ""):
        raise Refusal(422, "candidate: email must be an address")
    if person["phoneNumber"] and not person["phoneNumber"].startswith("+"):
        raise Refusal(422, "candidate: phone must begin with +")
    source = body.get("source")
    if source not in WRITTEN_SOURCES:
        raise Refusal(422, f"source must be one of {', '.join(WRITTEN_SOURCES)}")
    documents, external_id = _documents(world, body), _text(body, "integrationExternalId", optional=True)
    if world.config.adds_documents and (known := _add_documents(world, state, job, external_id, documents)):
        return json_answer({"candidateId": known.candidate + 1}, world.config.created_status)
    are_lost = bool(documents) and world.strikes("documents_lost")
    application = write_application(
        world,
        job=job,
        product=WRITTEN_SOURCES[source],
        person=person,
        documents=() if are_lost else documents,
        external_id=external_id if world.config.keeps_external_id else None,
    )
    if are_lost:
        raise Refusal(500, "documents were not stored")
    answer = {"id": application.application + 1, "candidateId": application.candidate + 1}
    if not world.config.shows_created_id:
        del answer["id"]
    return json_answer(answer, world.config.created_status)


def _add_documents(
    world: World, state: State, job: int, external_id: str | None, documents: tuple[Document, ...]
) -> WrittenApplication | None:
    """Add these documents to the application that already has this key."""
    live = world.written.live(state.now) if external_id else []
    known = next((one for one in live if one.job == job and one.external_id == external_id), None)
    if known is not None:
        known.documents += documents
        known.revised += (state.now,)
        state.touch()
    return known


async def create_note(world: World, request: Request) -> Response:
    text = request.path_params["id"]
    state = world.look()
    if not (text.isascii() and text.isdigit() and len(text) < 19 and state.has_candidate(int(text) - 1)):
        raise Refusal(404, "no such candidate")
    content = _text(await json_body(request), "content")
    note = {
        "id": len(world.written.notes) + 1,
        "candidateId": int(text),
        "content": content,
        "createdAt": iso(state.now),
    }
    world.written.notes.append(note)
    return json_answer({"id": note["id"]}, world.config.created_status)


def shift(world: World) -> None:
    """Add an application at the head of the list, or delete one that was added so."""
    state = world.look()
    arrived = [application for application in world.written.live(state.now) if application.is_shift]
    if arrived and world.chance.random() < 0.5:
        world.chance.choice(arrived).gone = state.now
    else:
        jobs = state.job_listing((PUBLISHED,))
        if not len(jobs):
            return
        index = world.written.next_application()
        name = f"shift.{index + 1}"
        person = {"firstName": "Shift", "lastName": "Example", "email": f"{name}@example.org", "phoneNumber": None}
        world.written.applications.append(
            WrittenApplication(
                application=index,
                job=int(world.chance.choice(jobs)),
                candidate=world.written.new_candidate(),
                created=state.now,
                product=WRITTEN_SOURCES["OTHER"],
                person=dict(person),
                is_shift=True,
            )
        )
    state.touch()
