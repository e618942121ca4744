"""Kombo's actions: creating applications and candidates in JOIN, and reading the files of existing ones."""

import binascii
from base64 import b64decode
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.files import document
from join_pipeline.sandbox.kombo.answers import KomboRefusal, invalid, json_object, success
from join_pipeline.sandbox.kombo.service import Kombo
from join_pipeline.sandbox.kombo.tables import Entry
from join_pipeline.sandbox.overlay import Document, WrittenApplication
from join_pipeline.sandbox.payloads import SIGNATURE
from join_pipeline.sandbox.vocabulary.forms import WRITTEN_SOURCES
from join_pipeline.sandbox.write_endpoints import AlreadyApplied, is_open, write_application

MAX_BYTES: Final = 10_000_000
_WRITTEN: Final = {  # what reaches JOIN; everything else is accepted and told
    "candidate": {"first_name", "last_name", "email_address"},
    "application": {"job_id"},
    "source": {"name", "unified_key", "id"},
}
_TYPES: Final = {"CV": "CV", "JOIN_CV": "CV", "COVER_LETTER": "COVER_LETTER"}
_NAMES: Final = {"CV": "cv.pdf", "COVER_LETTER": "cover-letter.pdf", "OTHER": "document.pdf"}


class Actions:
    """The actions of one Kombo."""

    def __init__(self, kombo: Kombo) -> None:
        self._kombo = kombo

    async def create_application(self, request: Request) -> Response:
        body = await json_object(request)
        written, warnings = await self._create(request.path_params["job_id"], body, body.keys() - {"candidate"})
        records, tables = self._kombo.records, self._kombo.replica.tables
        record = records.record("applications", tables["applications"].entries[written.application + 1])
        person = records.record("candidates", tables["candidates"].entries[written.candidate + 1])
        return self._success(record | {"candidate": person}, warnings)

    async def create_candidate(self, request: Request) -> Response:
        body = await json_object(request)
        application = body.get("application")
        if not isinstance(application, dict) or not isinstance(application.get("job_id"), str):
            raise invalid("application.job_id is required")
        rest = body.keys() - {"candidate", "application"}
        written, warnings = await self._create(application["job_id"], body, rest)
        entry = self._kombo.replica.tables["candidates"].entries[written.candidate + 1]
        return self._success(self._kombo.records.record("candidates", entry), warnings)

    async def application_attachments(self, request: Request) -> Response:
        entry = self._find("applications", request.path_params["id"])
        return self._success({"results": self._files(entry)}, [])

    async def candidate_attachments(self, request: Request) -> Response:
        person = self._find("candidates", request.path_params["id"])
        known = self._kombo.replica.tables["applications"].entries
        results = [
            file | {"application_id": entry.id, "candidate_id": person.id}
            for entry in known.values()
            if entry.is_live and entry.payload["candidate"]["id"] == person.key
            for file in self._files(entry)
        ]
        return self._success({"results": results}, [])

    async def file(self, request: Request) -> Response:
        """What a `data_url` opens: no key is needed, the signature is enough."""
        world, query = self._kombo.world, request.query_params
        signature = query.get("expires", ""), query.get("nonce", ""), query.get("signature", "")
        if not world.signer.opens(*signature, world.clock.now()):
            return Response("the link has expired", 403, media_type="text/plain")
        text, file = request.path_params["application"], request.path_params["file"]
        state = world.look()
        if not (text.isdigit() and file.isdigit() and state.has_application(int(text) - 1)):
            return Response("no such file", 404, media_type="text/plain")
        if int(file) >= len(world.payloads.application(state, int(text) - 1)["attachments"]):
            return Response("no such file", 404, media_type="text/plain")
        return document(state, int(text) - 1, file)

    # Creating

    async def _create(self, job_id: str, body: dict[str, Any], rest: set[str]) -> tuple[WrittenApplication, list[str]]:
        warnings = _not_written(body, rest)
        person = _person(body.get("candidate"))
        documents = [await _document(attachment) for attachment in _list(body, "attachments")]
        if sum(len(one.content) for one in documents) > MAX_BYTES:
            raise invalid("attachments: together they are larger than 10 MB")
        world = self._kombo.world
        state = world.look()
        job = self._job(job_id)
        if not is_open(state, job):
            raise KomboRefusal("ATS.JOB_CLOSED", "the job does not take applications")
        try:
            written = write_application(
                world,
                job=job,
                product=_product(body.get("source")),
                person=person,
                documents=tuple(documents),
                is_through_kombo=True,
            )
        except AlreadyApplied as refusal:
            raise KomboRefusal(
                "ATS.APPLICATION_ALREADY_EXISTS", "the candidate applied to this job before"
            ) from refusal
        self._kombo.replica.created(written.application, world.clock.now())
        return written, warnings

    def _job(self, job_id: str) -> int:
        by_remote = job_id.removeprefix("remote:") if job_id.startswith("remote:") else None
        for entry in self._kombo.replica.tables["jobs"].entries.values():
            if entry.is_live and (entry.id == job_id if by_remote is None else str(entry.key) == by_remote):
                return int(entry.key) - 1
        raise invalid("job_id names no job")

    # Files

    def _find(self, model: str, wanted: str) -> Entry:
        for entry in self._kombo.replica.tables[model].entries.values():
            if entry.id == wanted and entry.is_live:
                return entry
        raise Refusal(404, f"no {model.removesuffix('s')} has this id")

    def _files(self, entry: Entry) -> list[dict[str, Any]]:
        """Files that JOIN shows now, not at the last sync."""
        world = self._kombo.world
        state, application = world.look(), int(entry.key) - 1
        if not state.has_application(application):
            raise Refusal(404, "JOIN has no such application any more")
        written = state.written.application(application)
        results = []
        for number, file in enumerate(world.payloads.application(state, application)["attachments"]):
            kind = _TYPES.get(file["type"], "OTHER")
            name = _NAMES[kind] if written is None else written.documents[number].name
            results.append(
                {
                    "id": self._kombo.replica.ids.of("attachments", f"{entry.key}/{number}"),
                    "remote_id": f"{entry.key}/{number}",
                    "type": kind,
                    "data_url": f"{world.url}/kombo/files/{entry.key}/{number}?{SIGNATURE.decode()}",
                    "file_name": name,
                    "content_type": "application/pdf" if name.endswith(".pdf") else "application/octet-stream",
                    "remote_created_at": None,
                    "remote_updated_at": None,
                }
            )
        return results

    def _success(self, data: Any, warnings: list[str]) -> Response:
        answer = success(data, warnings=warnings)
        return Response(self._kombo.world.sign(bytes(answer.body)), media_type="application/json")


def _list(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = body.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise invalid(f"{key} must be a list of objects")
    return found


def _person(body: Any) -> dict[str, str | None]:
    if not isinstance(body, dict):
        raise invalid("candidate is required")
    for key in ("first_name", "last_name", "email_address"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            raise invalid(f"candidate.{key} is required")
    if "@" not in body["email_address"]:
        raise invalid("candidate.email_address must be an e-mail address")
    first, last, email = body["first_name"], body["last_name"], body["email_address"]
    return {"firstName": first, "lastName": last, "email": email, "phoneNumber": None}


def _not_written(body: dict[str, Any], rest: set[str]) -> list[str]:
    """A warning for every input that has no place in JOIN."""
    unwritten = [key for key in rest if key not in ("attachments", "source") and body[key]]
    for part, written in _WRITTEN.items():
        inputs = body.get(part)
        if isinstance(inputs, dict):
            unwritten += [f"{part}.{key}" for key in inputs if key not in written]
    return [f"{name} is not written to JOIN" for name in sorted(unwritten)]


def _product(source: Any) -> str:
    """JOIN knows a closed list of sources: one of them by key or by name, else its catch-all."""
    named = [text.casefold() for text in (source or {}).values() if isinstance(text, str)]
    for key, product in WRITTEN_SOURCES.items():
        if key.casefold() in named or product.casefold() in named:
            return product
    return WRITTEN_SOURCES["OTHER"]


async def _document(attachment: dict[str, Any]) -> Document:
    name, kind, data, url = (attachment.get(key) for key in ("name", "type", "data", "data_url"))
    if not isinstance(name, str) or not name:
        raise invalid("attachments.name is required")
    if kind not in ("CV", "COVER_LETTER", "OTHER"):
        raise invalid("attachments.type must be CV, COVER_LETTER or OTHER")
    if (data is None) == (url is None):
        raise invalid("attachments: exactly one of data and data_url is needed")
    if url is not None:
        return Document(kind, name, await _download(url))
    if not isinstance(data, str) or not attachment.get("content_type"):
        raise invalid("attachments: data is text, and needs its content_type")
    try:
        return Document(kind, name, b64decode(data, validate=True))
    except binascii.Error as error:
        raise invalid("attachments.data must be base64") from error


async def _download(url: Any) -> bytes:
    """The file behind a URL. The sandbox asks nobody but this machine."""
    host = urlsplit(url).hostname if isinstance(url, str) else None
    try:
        is_near = host is not None and ip_address(host).is_loopback
    except ValueError:
        is_near = host == "localhost"
    if not is_near:
        raise invalid("attachments.data_url: the sandbox downloads from this machine only")
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        raise invalid("attachments.data_url can't be downloaded") from error
    if answer.status_code != httpx.codes.OK:
        raise invalid(f"attachments.data_url answered {answer.status_code}")
    return answer.content
