"""Mapping Kombo's records to rows. They are unified already, so this is about nesting, deletions and keys.

Belongs here: what a record means. Not here: what absence means (reconcile).

Rows have Kombo's own ids. Only links have none at Kombo, so their ids are computed here. A record that another record
shows is mapped as a stand-in, for the case that its own list lacks it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from join_pipeline.http.contracts import lost, map_payload, present
from join_pipeline.models.ids import Ids, question_key
from join_pipeline.models.rows import Mapped, Row, content_digest, json_text, without_query
from join_pipeline.sources.kombo.payloads import (
    ApplicationPayload,
    CandidatePayload,
    Email,
    JobPayload,
    Member,
    NamedPayload,
    Nested,
    Phone,
    Question,
    RecordPayload,
    TrimmedCandidate,
    UserPayload,
)

VERSION: Final = 2
"""Raise it whenever a record maps to other rows. The versions that follow from it have the reason `mapping`."""
OWN: Final = 1
STAND_IN: Final = 0
OUTCOMES: Final = frozenset({"PENDING", "HIRED", "DECLINED"})
UNKNOWN_FORMAT: Final = "UNKNOWN"
# not the record's own content: keys, Kombo's instants, JOIN's payload, and nested records
_NOT_OWN: Final = frozenset(
    {"id", "changed_at", "remote_deleted_at", "remote_data", "candidate", "current_stage", "job", "applications"}
    | {"stages", "screening_questions", "hiring_team", "tags"}
)
_KEYS: Final = frozenset({"id", "remote_id"})
SHOWN_IN: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "applications": {name: (name,) for name in ("candidate_id", "job_id", "current_stage_id")},
    "candidates": {"candidate_tags": ("tags",)},
    "jobs": {
        "contact_id": ("contact_id",),
        "job_application_stages": ("stages",),
        "job_screening_questions": ("screening_questions",),
        "job_hiring_team": ("hiring_team",),
    },
}
"""For each feed, the columns and links whose loss would falsify the history, and the parts that show them."""


def map_record(feed: str, text: str, ids: Ids) -> Mapped:
    """All rows of one record of a feed. For a deleted record: the deletion and, if Kombo shows it, its last content."""
    kind, rows_of = _KINDS[feed]
    mapped, odd = map_payload(kind, text, lambda payload, raw: _mapped(feed, payload, raw, ids, rows_of))
    mapped.odd = [f"{feed}.{part}" for part in odd]
    mapped.mark(feed, lost(odd, SHOWN_IN.get(feed, {})))
    return mapped


def _mapped(
    feed: str, payload: RecordPayload, raw: dict[str, Any], ids: Ids, rows_of: Callable[[Mapped, Any, Ids], None]
) -> Mapped:
    raw, kind = without_query(raw), type(payload)
    mapped = Mapped()
    if payload.remote_deleted_at is None:
        rows_of(mapped, payload, ids)
        own = mapped.rows[feed][0]
        own["payload_hash"] = content_digest({key: raw.get(key) for key in _content(kind)})
        if payload.remote_data is not None:
            own["remote_data"] = json_text(raw["remote_data"])
        return mapped
    mapped.gone.append((feed, payload.id, payload.remote_deleted_at))
    if not _is_nulled(raw):
        ending = Mapped()
        rows_of(ending, payload, ids)
        mapped.endings = {feed: ending.rows[feed][:1]}
    return mapped


@cache
def _content(kind: type[RecordPayload]) -> tuple[str, ...]:
    """The keys of a record's own content, without those that no type here declares.

    Kombo adds keys to its schema without notice. A new key would make every record an unannounced change.
    """
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.name not in _NOT_OWN)


def _is_nulled(raw: dict[str, Any]) -> bool:
    """Whether a deleted record has lost its fields."""
    return not any(value for key, value in raw.items() if key not in _NOT_OWN | _KEYS)


def _order(payload: RecordPayload, priority: int = OWN) -> Row:
    return {"parent_updated_at": payload.changed_at, "parent_id": 0, "priority": priority}


def _own(payload: RecordPayload, **fields: Any) -> Row:
    key = {"id": payload.id, "remote_id": payload.remote_id, "remote_data": None}
    return key | fields | _order(payload)


def _stand_in(mapped: Mapped, model: str, parent: RecordPayload, shown: Nested | None, **fields: Any) -> None:
    if shown is not None:
        key = {"id": shown.id, "remote_id": shown.remote_id, "remote_data": None}
        mapped.add(model, key | fields | _order(parent, STAND_IN))


def _application(mapped: Mapped, payload: ApplicationPayload, _ids: Ids) -> None:
    outcome = payload.outcome if payload.outcome in OUTCOMES else None
    if payload.outcome != outcome:
        mapped.unknown.append("applications.outcome")
    mapped.add(
        "applications",
        _own(
            payload,
            outcome=outcome,
            current_stage_id=payload.current_stage_id,
            job_id=payload.job_id,
            candidate_id=payload.candidate_id,
            remote_created_at=payload.remote_created_at,
            remote_updated_at=payload.remote_updated_at,
        ),
    )
    for model, shown in (("jobs", payload.job), ("application_stages", payload.current_stage)):
        if shown is not None:
            _stand_in(mapped, model, payload, shown, name=shown.name)
    if payload.candidate is not None:
        _stand_in(mapped, "candidates", payload, payload.candidate, **_person(payload.candidate))


def _person(payload: TrimmedCandidate | CandidatePayload) -> Row:
    return {
        "first_name": payload.first_name,
        "last_name": payload.last_name,
        "source": payload.source,
        "phone_numbers": [_built(one) for _, one in present(payload.phone_numbers)],
        "email_addresses": [_built(one) for _, one in present(payload.email_addresses)],
    }


def _built(value: Phone | Email) -> Row:
    return msgspec.structs.asdict(value)


def _candidate(mapped: Mapped, payload: CandidatePayload, ids: Ids) -> None:
    location = payload.location and msgspec.structs.asdict(payload.location)
    mapped.add(
        "candidates",
        _own(payload, **_person(payload), location=location, remote_created_at=payload.remote_created_at),
    )
    for _, tag in present(payload.tags):
        _stand_in(mapped, "tags", payload, tag, name=tag.name)
        link = _link(ids, "candidate_tags", payload, tag.id, tag.remote_id)
        mapped.add("candidate_tags", link | {"candidate_id": payload.id, "tag_id": tag.id})


def _link(ids: Ids, model: str, parent: RecordPayload, child: str, child_remote_id: str | None) -> Row:
    """The `id` and `remote_id` of a link. The id is computed from both Kombo ids, because a remote id may be null."""
    remote_id = None if child_remote_id is None else f"{parent.remote_id}/{child_remote_id}"
    return {"id": ids.of(model, f"{parent.id}/{child}"), "remote_id": remote_id}


def _job(mapped: Mapped, payload: JobPayload, ids: Ids) -> None:
    names = (
        "name description employment_type status visibility category post_url experience_level salary_amount"
        " salary_amount_from salary_amount_to salary_currency salary_period opened_at remote_created_at"
        " remote_updated_at contact_id"
    )
    fields: Row = {name: getattr(payload, name) for name in names.split()}
    fields["location"] = payload.location and msgspec.structs.asdict(payload.location)
    fields["custom_fields"] = None if payload.custom_fields is None else json_text(payload.custom_fields)
    fields["integration_fields"] = json_text(payload.integration_fields or [])
    mapped.add("jobs", _own(payload, **fields))
    for _, stage in present(payload.stages):
        _stand_in(mapped, "application_stages", payload, stage, name=stage.name)
        link = _link(ids, "job_application_stages", payload, stage.id, stage.remote_id)
        mapped.add("job_application_stages", link | {"job_id": payload.id, "stage_id": stage.id, "index": stage.index})
    for position, question in present(payload.screening_questions):
        _question(mapped, payload, question, position, ids)
    for _, member in present(payload.hiring_team):
        names_of = {"first_name": member.first_name, "last_name": member.last_name, "email": member.email}
        _stand_in(mapped, "users", payload, member, **names_of)
        link = _link(ids, "job_hiring_team", payload, member.id, member.remote_id)
        roles = _roles(mapped, member)
        mapped.add("job_hiring_team", link | {"job_id": payload.id, "user_id": member.id, "roles": roles})


def _question(mapped: Mapped, job: JobPayload, question: Question, position: int, ids: Ids) -> None:
    """Add a question and its link to the job. JOIN gives questions no id, so their remote id is the question key."""
    kind = (question.format or {}).get("type", UNKNOWN_FORMAT)
    kind = kind if isinstance(kind, str) else UNKNOWN_FORMAT
    if kind == UNKNOWN_FORMAT:
        mapped.unknown.append("screening_questions.type")
    key = question.remote_id or question_key(kind, question.title or "")
    options = question.precondition_options
    mapped.add(
        "screening_questions",
        {
            "id": question.id,
            "remote_id": key,
            "title": question.title,
            "description": question.description,
            "format": None if question.format is None else json_text(question.format),
            "format_type": kind,
            **_order(job),
        },
    )
    mapped.add(
        "job_screening_questions",
        _link(ids, "job_screening_questions", job, question.id, key)
        | {
            "job_id": job.id,
            "question_id": question.id,
            "index": position,
            "required": question.required,
            "precondition_question_id": question.precondition_question_id,
            "precondition_options": None if options is None else [option for _, option in present(options)],
        },
    )


def _roles(mapped: Mapped, member: Member) -> list[str]:
    """The roles in Kombo's words, or JOIN's label for a role that Kombo has no word for."""
    job_roles = [role for _, role in present(member.job_roles)]
    shown = [role.unified_type or role.remote_label for role in job_roles] or member.hiring_team_roles or []
    mapped.unknown.extend("job_hiring_team.role" for role in job_roles if role.unified_type is None)
    return list(dict.fromkeys(role for role in shown if role))


def _named(model: str) -> Callable[[Mapped, NamedPayload, Ids], None]:
    def add(mapped: Mapped, payload: NamedPayload, _ids: Ids) -> None:
        mapped.add(model, _own(payload, name=payload.name, global_index=payload.global_index))

    return add


def _user(mapped: Mapped, payload: UserPayload, _ids: Ids) -> None:
    names = {"first_name": payload.first_name, "last_name": payload.last_name, "email": payload.email}
    mapped.add("users", _own(payload, **names))


_KINDS: Final[Mapping[str, tuple[type[RecordPayload], Callable[[Mapped, Any, Ids], None]]]] = {
    "applications": (ApplicationPayload, _application),
    "candidates": (CandidatePayload, _candidate),
    "jobs": (JobPayload, _job),
    "tags": (NamedPayload, _named("tags")),
    "application_stages": (NamedPayload, _named("application_stages")),
    "users": (UserPayload, _user),
}
