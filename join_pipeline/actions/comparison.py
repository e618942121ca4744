"""What JOIN shows of a creation, held against what was asked for. Pure."""

from collections import Counter

from join_pipeline.actions.journal import Kept
from join_pipeline.actions.request import ApplicationRequest
from join_pipeline.actions.sources import WrittenSource, is_shown_as
from join_pipeline.models import MODELS
from join_pipeline.models.rows import Row


def missing(kept: Kept, payload: Row) -> list[int]:
    """Places of documents that an application does not show. JOIN may show another type than was written."""
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


def differences(payload: Row, asked: ApplicationRequest | None, source: WrittenSource) -> list[str]:
    """What JOIN shows otherwise than it was written."""
    found = []
    product = (payload.get("source") or {}).get("product")
    if not is_shown_as(source.word, product):
        found.append(f"source: written as {source.word}, JOIN shows “{product}”" if product else "source: not shown")
    candidate = payload.get("candidate") or {}
    if asked is not None:
        names = (asked.candidate.first_name, asked.candidate.last_name)
        if (candidate.get("firstName"), candidate.get("lastName")) != names:
            found.append("candidate: JOIN knows this e-mail address under another name and keeps that")
        if asked.candidate.phone_number and not candidate.get("phoneNumber"):
            found.append("candidate.phone_number is not shown by JOIN")
    return found


def unified(model: str, row: Row) -> Row:
    """A record with all columns of its model, in their order; what only a sync can know is null."""
    return {column.name: row.get(column.name) for column in MODELS[model].columns}
