"""Faults: error responses, lost responses and altered records."""

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.config import STATE_KEYS
from join_pipeline.sandbox.instants import http_date
from join_pipeline.sandbox.limits import RateLimit
from join_pipeline.sandbox.odd_parts import spoiled_somewhere
from join_pipeline.sandbox.world import World

_HTML = "<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>\r\n"
_REQUIRED = ("id", "createdAt", "lastUpdatedAt", "job", "candidate", "currentStage", "state", "title", "status", "name")
_DATED = frozenset({"createdAt", "changed_at"})
"""A record of its own has one of these keys; what the API says of itself has none."""
_ENUMS = ("state", "hiringState", "qualified", "status", "workplaceType", "outcome")


class DroppedResponse(Response):
    """A response that breaks off: the server closes the connection because the announced body does not follow."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})


def instead(
    world: World, request: Request, limit: RateLimit, error_answer: Callable[[Refusal], Response]
) -> Response | None:
    """The error response of a fault that happens now, in the shape of the API, or None."""
    if world.strikes("rate_limited"):
        return error_answer(Refusal(429, "too many requests", limit.exhausted()))
    if world.strikes("server_error"):
        return error_answer(Refusal(500, "something went wrong"))
    if world.strikes("bad_gateway"):
        return Response(_HTML.format(title="502 Bad Gateway"), 502, media_type="text/html")
    if request.method == "GET" and request.url.query and world.strikes("redirected"):
        return Response(status_code=302, headers={"location": request.url.path})
    return _instead_with_200(world, error_answer)


def _instead_with_200(world: World, error_answer: Callable[[Refusal], Response]) -> Response | None:
    if world.strikes("not_json"):
        return Response(_HTML.format(title="Maintenance"), media_type="text/html")
    if world.strikes("error_in_200"):
        answer = error_answer(Refusal(500, "something went wrong"))
        answer.status_code = 200
        return answer
    if world.strikes("huge"):
        return Response(_bomb(), headers={"content-encoding": "gzip"}, media_type="application/json")
    return None


@cache
def _bomb() -> bytes:
    return gzip.compress(b"[" + b" " * 100_000_000 + b"]")


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


def _missing_id(record: dict[str, Any], _chance: random.Random) -> None:
    if _DATED & record.keys():
        record.pop("id", None)


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
    "missing_id": _missing_id,
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
        if body == b"[]" and world.strikes("no_content"):
            return Response(status_code=204)
        body, headers = _dressed(world, body)
        if body != answer.body or headers:
            answer = Response(body, answer.status_code, headers, media_type="application/json")
    if world.strikes("dripping"):
        drops = _drops(bytes(answer.body), world.config.slow_seconds)
        return StreamingResponse(drops, answer.status_code, media_type=answer.media_type)
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


def _dressed(world: World, body: bytes) -> tuple[bytes, dict[str, str]]:
    """The body in another encoding, or packed, and the headers that say so, more or less."""
    headers, chance = {}, world.chance
    if world.strikes("recoded"):
        encoding, charset = chance.choice(
            [
                ("utf-8-sig", "utf-8"),
                ("utf-16", "UTF-16"),
                ("utf-16-be", "iso-8859-1"),
                ("utf-32-le", ""),
                ("utf-8", "x"),
            ]
        )
        body = body.decode().encode(encoding)
        headers["content-type"] = f"application/json; charset={charset}"
    if world.strikes("packed"):
        cut = len(body) // 2
        body = gzip.compress(body[:cut]) + gzip.compress(body[cut:])
        headers["content-encoding"] = chance.choice(["gzip", "GZIP", "x-gzip", "gzip, UTF-8", "gzip, gzip"])
    if world.strikes("broken_packing"):
        body = gzip.compress(body)[:-12]
        headers["content-encoding"] = "gzip"
    return body, headers


async def _drops(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = max(1, len(body) // 100)
    for first in range(0, len(body), size):
        await asyncio.sleep(seconds / 100)
        yield body[first : first + size]


class PageFaults:
    """Pages of a list that are wrong once. Each reading has one such page at most, and it is right the second time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wrong: dict[str, int] = {}  # by list, the number of the page that was wrong

    def part(self, request: Request, n_rows: int, page: slice) -> slice:
        """The part of the list's rows that is answered for this page."""
        if self._world.strikes("ignored_page"):
            return slice(0, page.stop - page.start)
        others = sorted(item for item in request.query_params.multi_items() if item[0] != "page")
        listing, number = f"{request.url.path} {others}", page.start // (page.stop - page.start) + 1
        if self._wrong.get(listing) == number:
            self._wrong[listing] = 0
            return page
        if number == 1:
            self._wrong.pop(listing, None)
        if listing in self._wrong:
            return page
        wrong, size = page, page.stop - page.start
        if size > 1 and n_rows > page.stop and self._world.strikes("short_page"):
            wrong = slice(page.start, page.stop - self._world.chance.randint(1, size - 1))
        elif self._world.strikes("empty_page"):
            wrong = slice(0, 0)
        elif number > 1 and n_rows > page.start and self._world.strikes("repeated_page"):
            wrong = slice(page.start - size, page.start)
        if wrong != page:
            self._wrong[listing] = number
        return wrong


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
    mine = [one for one in _records(content) if isinstance(one, dict) and _DATED & one.keys()]
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
