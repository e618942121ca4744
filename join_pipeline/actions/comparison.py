"""Comparison of what JOIN shows of an application with what was requested.

Belongs here: pure functions over a payload and a request. Not here: reading the payload (create).
"""

from collections import Counter

from join_pipeline.actions.journal import Kept
from join_pipeline.actions.request import ApplicationRequest
from join_pipeline.actions.written_source import WrittenSource, is_shown_as
from join_pipeline.models import MODELS
from join_pipeline.models.rows import Row


def missing_documents(kept: Kept, payload: Row) -> list[int]:
    """The places of the documents that JOIN does not show. JOIN may show a document under another type."""
    shown = Counter(str(item.get("type")) for item in payload.get("attachments") or [] if isinstance(item, dict))
    if shown.total() >= len(kept.documents):
        return []
    places = []
    for place, document in enumerate(kept.documents):
        if shown[document.type]:
            shown[document.type] -= 1
        else:
            places.append(place)
    return places


def differences(payload: Row, request: ApplicationRequest | None, source: WrittenSource) -> list[str]:
    """The fields that JOIN shows with another value than was written, in words."""
    found = []
    product = (payload.get("source") or {}).get("product")
    if not is_shown_as(source.word, product):
        found.append(f"source: written as {source.word}, JOIN shows “{product}”" if product else "source: not shown")
    candidate = payload.get("candidate") or {}
    if request is not None:
        names = (request.candidate.first_name, request.candidate.last_name)
        if (candidate.get("firstName"), candidate.get("lastName")) != names:
            found.append("candidate: JOIN knows this e-mail address under another name and keeps that")
        if request.candidate.phone_number and not candidate.get("phoneNumber"):
            found.append("candidate.phone_number is not shown by JOIN")
    return found


def with_all_columns(model: str, row: Row) -> Row:
    """A record with all columns of its model, in their order. Columns that only a sync can fill are null."""
    return {column.name: row.get(column.name) for column in MODELS[model].columns}
