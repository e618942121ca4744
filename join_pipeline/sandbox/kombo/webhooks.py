"""Kombo's signed webhooks, and the switches for testers. They are under /control, so on loopback only."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import fields
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal, json_answer, json_body
from join_pipeline.sandbox.control import check_loopback
from join_pipeline.sandbox.instants import iso
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline.sandbox.kombo.platform import END_USER, sync_id
from join_pipeline.sandbox.kombo.service import Kombo

# keys, limits and the times of syncs are those of the start
_FIXED: Final = ("api_key", "integration_id", "webhook_secret", "rate_limit", "actions_in_flight", "connected_days",
                 "sync_hours")  # fmt: skip
SWITCHES: Final = tuple(field.name for field in fields(KomboConfig) if field.name not in _FIXED)


def signature(secret: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


class KomboControl:
    """The control endpoints of one Kombo."""

    def __init__(self, kombo: Kombo) -> None:
        self._kombo = kombo

    async def switches(self, request: Request) -> Response:
        """POST changes those of the body; what it says about records holds from the next sync on."""
        check_loopback(request)
        replica = self._kombo.replica
        if request.method == "POST":
            body = await json_body(request)
            if unknown := set(body) - set(SWITCHES):
                raise Refusal(422, f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SWITCHES)}")
            try:
                changed = msgspec.convert(msgspec.to_builtins(replica.settings) | body, KomboConfig)
            except (ValueError, msgspec.ValidationError) as error:
                raise Refusal(422, str(error)) from error
            replica.switch(changed, self._kombo.world.clock.now())
        return json_answer({name: getattr(replica.settings, name) for name in SWITCHES})

    async def send(self, request: Request) -> Response:
        """POST {url, type}: one webhook, about the last sync; answers what the receiver said."""
        check_loopback(request)
        body = await json_body(request)
        url, kind = body.get("url"), body.get("type", "data-changed")
        if not (isinstance(url, str) and _is_near(url)):
            raise Refusal(422, "url must be one of this machine")
        told = self._content(kind)
        if told is None:
            raise Refusal(422, "type must be data-changed or sync-finished")
        raw = msgspec.json.encode(
            {"id": sync_id(self._kombo, self._kombo.world.clock.now()), "type": kind, "data": told}
        )
        headers = {
            "Content-Type": "application/json",
            "X-Kombo-Signature": signature(self._kombo.world.config.kombo.webhook_secret, raw),
        }
        try:
            async with httpx.AsyncClient(timeout=10) as client:
                answer = await client.post(url, content=raw, headers=headers)
        except httpx.HTTPError as error:
            raise Refusal(502, f"the receiver did not answer: {type(error).__name__}") from error
        return json_answer({"status": answer.status_code})

    def _content(self, kind: str) -> dict[str, Any] | None:
        replica = self._kombo.replica
        replica.look(self._kombo.world.clock.now())
        at = replica.synced or replica.connected
        integration = {
            "integration_id": replica.settings.integration_id,
            "integration_tool": "join",
            "integration_category": "ATS",
        }
        if kind == "data-changed":
            return integration | {"changed_models": [{"name": name} for name in sorted(replica.changes)]}
        if kind == "sync-finished":
            return integration | {
                "sync_id": sync_id(self._kombo, at),
                "sync_state": "SUCCEEDED",
                "sync_started_at": iso(at),
                "sync_ended_at": iso(at),
                "sync_duration_seconds": 0,
                "end_user": END_USER,
                "log_url": "https://kombo.example/logs/sandbox",
            }
        return None


def _is_near(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
