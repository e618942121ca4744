"""Kombo's routes: /kombo/v1, its files, and its part of /control."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.kombo.actions import Actions
from join_pipeline.sandbox.kombo.lists import NOT_AVAILABLE, PATHS, Lists, not_available
from join_pipeline.sandbox.kombo.platform import Platform
from join_pipeline.sandbox.kombo.service import Kombo
from join_pipeline.sandbox.kombo.webhooks import KomboControl

_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def kombo_routes(kombo: Kombo) -> list[Route]:
    lists, actions, platform, control = Lists(kombo), Actions(kombo), Platform(kombo), KomboControl(kombo)
    ats, action = "/kombo/v1/ats", partial(kombo.of_data, is_action=True)

    def nothing(_: Request) -> Response:
        raise Refusal(404, "no such path")

    return [
        *(Route(f"{ats}/{path}", kombo.of_data(lists.of(model)), methods=["GET"]) for path, model in PATHS.items()),
        *(Route(f"{ats}/{path}", kombo.of_data(not_available), methods=["GET"]) for path in NOT_AVAILABLE),
        Route(f"{ats}/jobs/{{job_id}}/applications", action(actions.create_application), methods=["POST"]),
        Route(f"{ats}/candidates", action(actions.create_candidate), methods=["POST"]),
        Route(f"{ats}/applications/{{id}}/attachments", action(actions.application_attachments), methods=["GET"]),
        Route(f"{ats}/candidates/{{id}}/attachments", action(actions.candidate_attachments), methods=["GET"]),
        Route(f"{ats}/{{path:path}}", kombo.of_data(not_available), methods=["POST", "PUT", "PATCH", "DELETE"]),
        Route("/kombo/v1/check-api-key", kombo.general(platform.check_api_key), methods=["GET"]),
        Route("/kombo/v1/integrations/{id}", kombo.general(platform.integration), methods=["GET"]),
        Route("/kombo/v1/force-sync", kombo.of_integration(platform.force_sync), methods=["POST"]),
        Route("/kombo/v1/passthrough/{tool}/{api}", kombo.of_integration(platform.passthrough), methods=["POST"]),
        Route("/kombo/v1/{path:path}", kombo.general(nothing), methods=_ALL),
        Route("/kombo/files/{application}/{file}", actions.file, methods=["GET"]),
        Route("/control/kombo", control.switches, methods=["GET", "POST"]),
        Route("/control/kombo/webhook", control.send, methods=["POST"]),
    ]
