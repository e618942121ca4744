"""The read endpoints of /v2. The gate handles tokens, limits and faults."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox import parameters
from join_pipeline.sandbox.answers import Refusal, json_answer
from join_pipeline.sandbox.faults import PageFaults
from join_pipeline.sandbox.files import document
from join_pipeline.sandbox.jobs import DRAFTED, STATUS_OF
from join_pipeline.sandbox.postings import offices
from join_pipeline.sandbox.state import VISIBLE_STATUSES
from join_pipeline.sandbox.vocabulary.work import CATEGORIES, EMPLOYMENT_TYPES, SENIORITY_LEVELS
from join_pipeline.sandbox.world import World
from join_pipeline.sandbox.write_endpoints import shift

_STATUS_KINDS = {word: kind for kind, word in STATUS_OF.items()}


class Reading:
    """The read endpoints of one sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._faults = PageFaults(world)

    def _page(self, request: Request, n_rows: int) -> slice:
        page = parameters.page(request, self._world.config.page_size)
        return self._faults.part(request, n_rows, page)

    def applications(self, request: Request) -> Response:
        world = self._world
        if world.strikes("shifting"):
            shift(world)
        state = world.look()
        jobs: set[int] | None = None
        wanted = parameters.integer(request, "jobId")
        if wanted is not None:
            jobs = {wanted - 1}
        external_id = request.query_params.get("jobExternalId")
        if external_id is not None:
            job = world.postings.by_external_id(external_id)
            named = set() if job is None else {job}
            jobs = named if jobs is None else jobs & named
        found = state.listing(None if jobs is None else frozenset(jobs), parameters.instant(request, "updatedAtGte"))
        rows = found[::-1][self._page(request, len(found))]  # newest first
        body = b"[" + b",".join(world.payloads.applications(state, rows)) + b"]"
        return Response(self._world.sign(body), media_type="application/json")

    def application(self, request: Request) -> Response:
        row, state = _number(request) - 1, self._world.look()
        if not state.has_application(row):
            raise Refusal(404, "no such application")
        body = msgspec.json.encode(self._world.payloads.application(state, row))
        return Response(self._world.sign(body), media_type="application/json")

    def jobs(self, request: Request) -> Response:
        config, state = self._world.config, self._world.look()
        status = request.query_params.get("status")
        if status is None:
            statuses = VISIBLE_STATUSES if config.lists_drafts else tuple(s for s in VISIBLE_STATUSES if s != DRAFTED)
        elif status in config.job_statuses:
            statuses = (_STATUS_KINDS[status],)
        else:
            raise Refusal(422, f"status must be one of {', '.join(config.job_statuses)}")
        with_description = request.query_params.get("content") == "true"
        found = state.job_listing(statuses)
        rows = found[::-1][self._page(request, len(found))]
        return json_answer(
            [self._world.postings.payload(state, int(job), with_description=with_description) for job in rows]
        )

    def job(self, request: Request) -> Response:
        job, state = _number(request) - 1, self._world.look()
        if not state.has_job(job):
            raise Refusal(404, "no such job")
        return json_answer(self._world.postings.payload(state, job, with_description=True))

    def offices(self, request: Request) -> Response:
        country = request.query_params.get("countryCode")
        city = request.query_params.get("cityNameLike", "").casefold()
        found = [
            office
            for office in (offices() if self._world.company.jobs else [])
            if country in (None, office["countryIso"]) and city in (office["city"] or "").casefold()
        ]
        return json_answer(found[self._page(request, len(found))])

    def categories(self, request: Request) -> Response:
        language = parameters.language(request)
        return json_answer(
            [
                _named((*category[:4],), language) | {"subCategories": [_named(sub, language) for sub in category[4]]}
                for category in CATEGORIES
            ]
        )

    def employment_types(self, request: Request) -> Response:
        language = parameters.language(request)
        return json_answer([_named(kind, language) for kind in EMPLOYMENT_TYPES])

    def seniority_levels(self, request: Request) -> Response:
        language = parameters.language(request)
        return json_answer([_named(level, language) for level in SENIORITY_LEVELS])

    def attachment(self, request: Request) -> Response:
        row, state, query = _number(request) - 1, self._world.look(), request.query_params
        signature = query.get("expires", ""), query.get("nonce", ""), query.get("signature", "")
        if not self._world.signer.opens(*signature, state.now):
            raise Refusal(403, "the signature is wrong or has expired")
        if not state.has_application(row):
            raise Refusal(404, "no such file")
        payload = self._world.payloads.application(state, row)
        urls = [item["url"] for item in payload["attachments"]] + [
            item["file"] for item in payload["screeningQuestions"]
        ]
        if not any(url and url.partition("?")[0].endswith(request.url.path) for url in urls):
            raise Refusal(404, "no such file")
        return document(state, row, request.path_params["file"])


def _number(request: Request) -> int:
    """The id in the path. A text that is not an id gives 404."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refusal(404, "no such record")
    return int(text)


def _named(row: tuple[int, str, str, str], language: str) -> dict[str, Any]:
    key, slug, english, german = row
    return {"id": key, "slug": slug, "name": german if language == "de" else english}
