"""Mapping an application's payload: the application, its candidate with tags, its stage, its screening questions."""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from join_pipeline.http.contracts import extras, present, shown_key
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import (
    Mapped,
    Parent,
    Row,
    content_digest,
    country_code,
    json_text,
    text_digest,
    without_query,
)
from join_pipeline.sources.join.mapping.questions import add_question
from join_pipeline.sources.join.mapping.vocabulary import OUTCOMES
from join_pipeline.sources.join.payloads import ApplicationPayload, CandidatePayload, StagePayload

PATH: Final = "/applications/{id}"
APPLICATION_SHOWN_IN: Final = {
    "applications": {
        "candidate_id": ("candidate",),
        "job_id": ("job",),
        "current_stage_id": ("currentStage",),
        "job_screening_questions": ("screeningQuestions",),
    },
    "candidates": {"candidate_tags": ("candidate.tags",)},
}
"""For each model, the columns and links whose loss would falsify the history, and the parts that show them."""
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
NO_LOCATION: Final = dict.fromkeys(("city", "country", "raw", "state", "street_1", "street_2", "zip_code"))


def map_application(payload: ApplicationPayload, raw: dict[str, Any], ids: Ids) -> Mapped:
    """All rows of one application's payload. `raw` is the same payload with all of its keys."""
    raw = without_query(raw)
    mapped = Mapped()
    parent = Parent(payload.last_updated_at, payload.id)
    mapped.add("applications", application(payload, raw, ids))
    if payload.state_word not in OUTCOMES:
        mapped.unknown.append("applications.state")
    mapped.unknown.extend(
        f"applications.{shown_key(key)}" for key in extras(ApplicationPayload, raw) if key not in _UNMAPPED
    )
    if payload.candidate is not None:
        mapped.add("candidates", candidate(payload.candidate, raw["candidate"], ids) | parent.columns())
        _add_tags(mapped, payload.candidate, ids)
    if payload.current_stage is not None:
        mapped.add("application_stages", stage(payload.current_stage, raw["currentStage"], ids) | parent.columns())
        if payload.job is not None:
            place = job_stage(payload.job.id, payload.current_stage, ids)
            mapped.add("job_application_stages", place | parent.columns())
    if payload.job is not None:
        for index, question in present(payload.screening_questions):
            add_question(
                mapped,
                ids,
                parent,
                job=payload.job.id,
                index=index,
                text=question.question,
                join_type=question.type,
                raw=raw["screeningQuestions"][index],
            )
    return mapped


def application(payload: ApplicationPayload, raw: dict[str, Any], ids: Ids) -> Row:
    """The application's row. An unknown state has a null outcome; the caller counts it."""
    state = payload.state_word
    return {
        "id": ids.of("applications", payload.id),
        "remote_id": str(payload.id),
        "outcome": OUTCOMES.get(state or ""),
        "current_stage_id": ids.maybe("application_stages", payload.current_stage and payload.current_stage.id),
        "job_id": ids.maybe("jobs", payload.job and payload.job.id),
        "candidate_id": ids.maybe("candidates", payload.candidate and payload.candidate.id),
        "remote_created_at": payload.created_at,
        "remote_updated_at": payload.last_updated_at,
        "source": payload.source.product if payload.source else None,
        "is_premium_source": payload.source.is_premium if payload.source else None,
        "state": state,
        "qualified": payload.qualified,
        "consent_status": payload.consent.consent_status if payload.consent else None,
        "integration_external_id": payload.integration_external_id,
        "remote_data": json_text({PATH: raw}),
        "payload_hash": content_digest(_own_part(raw)),
    }


def candidate(payload: CandidatePayload, raw: dict[str, Any], ids: Ids) -> Row:
    """The candidate's row. The sync adds source and creation, because they depend on all of its applications."""
    country = payload.country
    shown = msgspec.json.encode(raw, order="sorted")
    has_email = payload.email is not None and _EMAIL.fullmatch(payload.email.strip())
    return {
        "id": ids.of("candidates", payload.id),
        "remote_id": str(payload.id),
        "first_name": payload.first_name,
        "last_name": payload.last_name,
        "phone_numbers": [{"phone_number": payload.phone_number, "type": None}] if payload.phone_number else [],
        "email_addresses": [{"email_address": (payload.email or "").strip(), "type": None}] if has_email else [],
        "location": NO_LOCATION | {"country": country_code(country.iso3166), "raw": country.name} if country else None,
        "remote_data": f'{{"{PATH}":{{"candidate":{shown.decode()}}}}}',
        "payload_hash": text_digest(shown),
        "shows_tags": payload.tags is not msgspec.UNSET,
    }


def stage(payload: StagePayload, raw: dict[str, Any], ids: Ids) -> Row:
    """The row of the stage that an application is in. The index belongs to the job's pipeline, not to the stage."""
    return dict(_stage(ids, payload.id, payload.name, msgspec.json.encode(raw, order="sorted").decode()))


@lru_cache(maxsize=4_096)
def _stage(ids: Ids, key: int, name: str | None, shown: str) -> Row:
    """A stage's row, made once, because every application in it repeats it."""
    raw = msgspec.json.decode(shown)
    return {
        "id": ids.of("application_stages", key),
        "remote_id": str(key),
        "name": name,
        "remote_data": f'{{"{PATH}":{{"currentStage":{shown}}}}}',
        "payload_hash": content_digest({key: value for key, value in raw.items() if key != "index"}),
    }


def job_stage(job: int, payload: StagePayload, ids: Ids) -> Row:
    """The row of the stage's place in the pipeline of the job."""
    remote_id = f"{job}/{payload.id}"
    return {
        "id": ids.of("job_application_stages", remote_id),
        "remote_id": remote_id,
        "job_id": ids.of("jobs", job),
        "stage_id": ids.of("application_stages", payload.id),
        "index": payload.index,
    }


def _add_tags(mapped: Mapped, payload: CandidatePayload, ids: Ids) -> None:
    # null or [] means that there are no tags; an absent key means that they are not known
    tags = payload.tags if isinstance(payload.tags, list) else []
    for tag in dict.fromkeys(tag for _, tag in present(tags)):
        remote_id = f"{payload.id}/{tag}"
        tag_id = ids.of("tags", tag)
        mapped.add("tags", {"id": tag_id, "remote_id": tag, "name": tag})
        mapped.add(
            "candidate_tags",
            {
                "id": ids.of("candidate_tags", remote_id),
                "remote_id": remote_id,
                "candidate_id": ids.of("candidates", payload.id),
                "tag_id": tag_id,
            },
        )


_UNMAPPED: Final = frozenset({"attachments"})  # a command lists them live; they have no model


def _own_part(raw: dict[str, Any]) -> dict[str, Any]:
    """The payload without the fields of other records: of the candidate, the job and the stage."""
    own = {key: value for key, value in raw.items() if key != "candidate"}
    for key in ("job", "currentStage"):
        own[key] = raw[key].get("id") if isinstance(raw.get(key), dict) else None
    return own
