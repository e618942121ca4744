"""Faults: error responses, lost responses and altered records."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.config import STATE_KEYS
from join_pipeline.sandbox.instants import http_date
from join_pipeline.sandbox.limits import RateLimit
from join_pipeline.sandbox.odd_parts import spoiled_somewhere
from join_pipeline.sandbox.world import World

_HTML = "<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>\r\n"
_REQUIRED = ("id", "createdAt", "lastUpdatedAt", "job", "candidate", "currentStage", "state", "title", "status", "name")
_ENUMS = ("state", "hiringState", "qualified", "status", "workplaceType", "outcome")


class DroppedResponse(Response):
    """A response that breaks off: the server closes the connection because the announced body does not follow."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})


def instead(world: World, limit: RateLimit, error_answer: Callable[[Refusal], Response]) -> Response | None:
    """The error response of a fault that happens now, in the shape of the API, or None."""
    if world.strikes("rate_limited"):
        return error_answer(Refusal(429, "too many requests", limit.exhausted()))
    if world.strikes("server_error"):
        return error_answer(Refusal(500, "something went wrong"))
    if world.strikes("bad_gateway"):
        return Response(_HTML.format(title="502 Bad Gateway"), 502, media_type="text/html")
    if world.strikes("not_json"):
        return Response(_HTML.format(title="Maintenance"), media_type="text/html")
    return None


async def written(world: World, request: Request, write: Callable[[Request], Awaitable[Response]]) -> Response:
    """Run a write with the faults that happen before, during or after it."""
    if world.strikes("write_error"):
        raise Refusal(503, "try again later")
    if world.strikes("write_late"):
        await request.body()  # before the client disconnects
        await asyncio.sleep(world.config.slow_seconds)
    answer = await write(request)
    if answer.status_code < 300:
        if world.strikes("write_failed"):
            raise Refusal(500, "something went wrong")
        if world.strikes("write_lost"):
            return DroppedResponse(answer.body, answer.status_code, media_type=answer.media_type)
    return answer


def _unknown_enum(record: dict[str, Any], chance: random.Random) -> None:
    words = [key for key in _ENUMS if key in record]
    if not words:
        return
    word = chance.choice(words)
    # both names of the state at once, because a reader may use either
    for key in STATE_KEYS if word in STATE_KEYS else (word,):
        if key in record:
            record[key] = "ON_HOLD"


def _missing_field(record: dict[str, Any], chance: random.Random) -> None:
    present = [key for key in _REQUIRED if key in record]
    if present:
        del record[chance.choice(present)]


def _extra_field(record: dict[str, Any], chance: random.Random) -> None:
    record["talentScore"] = {"value": chance.randrange(100), "labels": ["new", "beta"]}


_ODD_DATES = (
    "",
    "0",
    "-1",
    "now",
    "Mon, 31 Jun 2026 12:00:00 GMT",
    "1 Jan 1",
    "2026-06-01T12:00:00Z",
    "\xa0",
    "9" * 500,
)
_RECORD_FAULTS: dict[str, Callable[[dict[str, Any], random.Random], None]] = {
    "unknown_enum": _unknown_enum,
    "missing_field": _missing_field,
    "extra_field": _extra_field,
}


def spoil(world: World, answer: Response) -> Response:
    """The response, altered by the faults that happen now."""
    if answer.media_type == "application/json" and answer.status_code < 300:
        body = bytes(answer.body)
        for name, fault in _RECORD_FAULTS.items():
            if world.strikes(name):
                body = _spoil_record(body, fault, world.chance)
        body = _odd_parts(world, body)
        if body.startswith(b"[") and world.strikes("not_a_list"):
            body = b'{"data":' + body + b"}"
        if world.strikes("truncated"):
            body = body[: max(len(body) * 2 // 3, 1)] if len(body) > 2 else body[:1]
        if body != answer.body:
            answer = Response(body, answer.status_code, media_type="application/json")
    if world.strikes("dropped"):
        return DroppedResponse(answer.body, answer.status_code, media_type=answer.media_type)
    return answer


def dated(world: World) -> str | None:
    """The `Date` of a response, with the faults that happen now; None if it has none."""
    if world.strikes("no_date"):
        return None
    if world.strikes("odd_date"):
        return world.chance.choice(_ODD_DATES)
    now = world.clock.now()
    if world.strikes("wrong_date"):
        now += world.chance.choice(world.config.date_errors) // timedelta(milliseconds=1)
    return http_date(now)


def _spoil_record(body: bytes, fault: Callable[[dict[str, Any], random.Random], None], chance: random.Random) -> bytes:
    content = msgspec.json.decode(body)
    records = [record for record in _records(content) if isinstance(record, dict)]
    if records:
        fault(chance.choice(records), chance)
    return msgspec.json.encode(content)


def _odd_parts(world: World, body: bytes) -> bytes:
    """The body with odd parts in records that are odd for good, and in one more if the fault strikes."""
    share = world.faults.get("odd_for_good", 0.0)
    strikes = world.strikes("odd_part")
    if not share and not strikes:
        return body
    content = msgspec.json.decode(body)
    mine = [one for one in _records(content) if isinstance(one, dict) and {"createdAt", "changed_at"} & one.keys()]
    texts: dict[str, str] = {}
    struck = world.chance.choice(mine) if strikes and mine else None
    for record in mine:
        always = random.Random(f"{world.config.seed} {record.get('id')}")  # noqa: S311 - the same records each time
        is_odd = always.random() < share
        if is_odd or record is struck:
            text = spoiled_somewhere(record, always if is_odd else world.chance)
            record.clear()
            record["@"] = mark = f"@{len(texts)}@"
            texts[msgspec.json.encode({"@": mark}).decode()] = text
    whole = msgspec.json.encode(content).decode()
    for place, text in texts.items():
        whole = whole.replace(place, text)
    return whole.encode()


def _records(content: Any) -> list[Any]:
    """The records of a response: a bare list, one record, or Kombo's envelope around either."""
    if isinstance(content, dict) and "data" in content:
        content = content["data"]
        if isinstance(content, dict):
            content = content.get("results", content)
    return content if isinstance(content, list) else [content]
