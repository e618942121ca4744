"""The list endpoints: one page of one model, selected by filters and cursor."""

from bisect import bisect_right
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.kombo.answers import KomboRefusal
from join_pipeline.sandbox.kombo.filters import UNSUPPORTED, cursor_after, page_size, read_cursor, tests
from join_pipeline.sandbox.kombo.service import Endpoint, Kombo
from join_pipeline.sandbox.kombo.tables import Entry

PATHS: Final = {
    "users": "users",
    "jobs": "jobs",
    "candidates": "candidates",
    "application-stages": "application_stages",
    "applications": "applications",
    "tags": "tags",
}
NOT_AVAILABLE: Final = ("roles", "offers", "interviews", "rejection-reasons", "notes", "scorecards", "attachments")


class Lists:
    """The lists of one Kombo."""

    def __init__(self, kombo: Kombo) -> None:
        self._kombo = kombo
        self._sorted: dict[str, list[Entry]] = {}

    def of(self, model: str) -> Endpoint:
        def page(request: Request) -> Response:
            return self._page(model, request)

        return page

    def _page(self, model: str, request: Request) -> Response:
        settings = self._kombo.replica.settings
        if settings.models_off.get(model) == "refused":
            raise KomboRefusal(
                "INTEGRATION.MODEL_DISABLED", f"{model} are switched off in the scope of this integration"
            )
        query = dict(request.query_params)
        size, after = page_size(query.get("page_size")), read_cursor(query)
        lacks = () if settings.has_application_times and model == "applications" else UNSUPPORTED.get(model, ())
        checks = tests(model, query, self._kombo.records, lacks=lacks)
        entries = self._entries(model)
        if "ids" in query and self._kombo.world.strikes("unknown_ids"):
            unknown = set(query["ids"].split(",")) - {entry.id for entry in entries}
            if unknown:
                raise Refusal(404, f"{len(unknown)} of these ids are not known")
        found: list[Entry] = []
        for place in range(bisect_right(entries, after, key=lambda entry: entry.id), len(entries)):
            if all(check(entries[place]) for check in checks):
                if len(found) == size:
                    following = cursor_after(found[-1].id, query)
                    if "cursor" in query and self._kombo.world.strikes("repeated_cursor"):
                        following = query["cursor"]
                    return self._answer(model, found, following)
                found.append(entries[place])
        return self._answer(model, found, None)

    def _entries(self, model: str) -> list[Entry]:
        """By id. Records are never removed, so that a cursor stays good while others come."""
        known = self._kombo.replica.tables[model].entries
        kept = self._sorted.get(model)
        if kept is None or len(kept) != len(known) or (kept and known[kept[0].key] is not kept[0]):
            kept = self._sorted[model] = sorted(known.values(), key=lambda entry: entry.id)
        return kept

    def _answer(self, model: str, entries: list[Entry], cursor: str | None) -> Response:
        results = [self._kombo.records.record(model, entry) for entry in entries]
        body = msgspec.json.encode({"status": "success", "data": {"results": results, "next": cursor}})
        return Response(self._kombo.world.sign(body), media_type="application/json")


def not_available(request: Request) -> Response:
    """A model or an action that the connector does not have."""
    kind = "MODEL" if request.method == "GET" else "ACTION"
    raise KomboRefusal(f"INTEGRATION.{kind}_NOT_AVAILABLE", "the JOIN connector does not offer this")
