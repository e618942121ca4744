"""Kombo's general endpoints: check the key, show the integration, force a sync, and pass a request on to JOIN's API."""

from base64 import b64decode, b64encode
from typing import Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.kombo.answers import KomboRefusal, invalid, json_object, success
from join_pipeline.sandbox.kombo.config import MODELS
from join_pipeline.sandbox.kombo.records import BLANK
from join_pipeline.sandbox.kombo.service import Kombo

_METHODS: Final = ("GET", "POST", "DELETE", "PUT", "PATCH")
_OWN_HEADERS: Final = ("authorization", "host", "content-length", "cookie")
_SETUP: Final = {"setup_incomplete": "INCOMPLETE", "setup_pending": "FINAL_SYNC_PENDING"}
_STATUS: Final = {"inactive": "INACTIVE", "credentials_invalid": "INVALID"}
END_USER: Final = {"organization_name": "Sandbox company", "creator_email": None, "origin_id": None}


class Platform:
    """The general endpoints of one Kombo."""

    def __init__(self, kombo: Kombo) -> None:
        self._kombo = kombo

    def check_api_key(self, _: Request) -> Response:
        return success({"environment_id": self._kombo.replica.ids.of("environments", "sandbox")})

    def integration(self, request: Request) -> Response:
        """How an integration is, and what it may read and write."""
        kombo = self._kombo
        config, condition = kombo.replica.settings, kombo.condition()
        if request.path_params["id"] != config.integration_id:
            raise KomboRefusal("PLATFORM.INTEGRATION_NOT_FOUND", "no integration has this id")
        return success(
            {
                "id": config.integration_id,
                "tool": {"id": "join", "label": "JOIN", "internal_label": None, "logo_url": "", "icon_url": ""},
                "category": "ATS",
                "status": _STATUS.get(condition, "ACTIVE"),
                "setup_status": _SETUP.get(condition, "COMPLETED"),
                "end_user": END_USER,
                "scope_config": {"id": kombo.replica.ids.of("scopes", "sandbox"), "name": "Sandbox"},
                "data_expired_at": None,
                "created_at": iso(kombo.replica.connected),
                "beta": False,
                "read_models": [_read_model(model, is_on=model not in config.models_off) for model in MODELS],
                "write_actions": [
                    _part(action, is_on=True, setting="ENABLED", coverage="SUPPORTED")
                    | {"label": action.replace("_", " "), "fields": []}
                    for action in ("create_application", "create_candidate")
                ],
            }
        )

    async def force_sync(self, request: Request) -> Response:
        kombo, now = self._kombo, self._kombo.world.clock.now()
        kind = (await json_object(request)).get("type", "FULL")
        if kind not in ("FULL", "DELTA"):
            raise invalid("type must be FULL or DELTA")
        if now < kombo.replica.connected:
            raise invalid("the integration is not set up yet")
        is_new = kombo.replica.force(now)
        return success({"already_queued": not is_new, "sync_id": sync_id(kombo, now), "type": kind})

    async def passthrough(self, request: Request) -> Response:
        """A request to JOIN's API under this integration's token. What JOIN answers is data, even an error."""
        body = await json_object(request)
        if body.get("method") not in _METHODS or not isinstance(body.get("path"), str):
            raise invalid("method and path are required")
        if (request.path_params["tool"], request.path_params["api"]) != ("join", "v2"):
            raise invalid("the integration has no such API")
        world = self._kombo.world
        url = f"{world.url}/v2/{body['path'].lstrip('/')}"
        headers = {name: text for name, text in (body.get("headers") or {}).items() if name.lower() not in _OWN_HEADERS}
        sent: dict[str, Any] = {"headers": headers | {"Authorization": world.config.token}}
        if form := body.get("multipart_form_data"):
            sent["files"] = [(part["name"], _part_of_form(part["value"])) for part in form]
        elif body.get("data") is not None:
            sent["json"] = body["data"]
        try:
            async with httpx.AsyncClient(timeout=30) as client:
                answer = await client.request(body["method"], url, params=body.get("params"), **sent)
        except httpx.HTTPError as error:
            raise KomboRefusal("PLATFORM.UNKNOWN_ERROR", "JOIN did not answer") from error
        told = {name: text for name, text in answer.headers.items() if name not in ("connection", "transfer-encoding")}
        data = _data(answer, as_base64=bool(body.get("response_as_base64")))
        return success({"url": url, "status": answer.status_code, "headers": told, "data": data}, warnings=[])


def sync_id(kombo: Kombo, at: int) -> str:
    return kombo.replica.ids.of("syncs", at)


def _part(name: str, *, is_on: bool, setting: str, coverage: str) -> dict[str, Any]:
    return {
        "id": name,
        "is_available": is_on,
        "coverage_status": coverage,
        "scope_config_setting": setting,
        "opted_out_by_customer": False,
    }


def _read_model(model: str, *, is_on: bool) -> dict[str, Any]:
    setting = "ENABLED" if is_on else "DISABLED"
    fields = [_part(field, is_on=is_on, setting=setting, coverage="UNKNOWN") for field in BLANK[model]]
    whole = _part(f"ats_{model}", is_on=is_on, setting=setting, coverage="SUPPORTED")
    return whole | {"label": model.replace("_", " "), "fields": fields}


def _part_of_form(value: Any) -> Any:
    if isinstance(value, str):
        return (None, value)
    return (value["name"], b64decode(value.get("data") or ""), value.get("content_type"))


def _data(answer: httpx.Response, *, as_base64: bool) -> Any:
    if as_base64:
        return b64encode(answer.content).decode()
    try:
        return answer.json()
    except ValueError:
        return answer.text
