"""Mapping screening questions. JOIN gives them no id, so format type and exact text are the key."""

from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from join_pipeline.models.ids import Ids, question_key
from join_pipeline.models.rows import Mapped, Parent, json_text
from join_pipeline.sources.join.mapping.vocabulary import QUESTION_FORMATS, UNKNOWN_FORMAT

FROM_APPLICATION: Final = 1
FROM_JOB: Final = 2  # the job's form holds before an application, because it has options and `required`
_WITH_OPTIONS: Final = frozenset({"SINGLE_SELECT", "MULTI_SELECT"})
_ANSWER_KEYS: Final = frozenset({"answer", "file", "isSkipped"})


def add_question(
    mapped: Mapped,
    ids: Ids,
    parent: Parent,
    *,
    job: int,
    index: int,
    text: str,
    join_type: str | None,
    raw: dict[str, Any],
    options: list[Any] | None = None,
    required: bool | None = None,
    priority: int = FROM_APPLICATION,
) -> None:
    """Add the rows of a question and of its link to the job."""
    format_type = QUESTION_FORMATS.get(join_type or "", UNKNOWN_FORMAT)
    if format_type == UNKNOWN_FORMAT:
        mapped.unknown.append("screening_questions.type")
    ours = _keyed(ids, job, format_type, text)
    order = {**parent.columns(), "priority": priority}
    mapped.add(
        "screening_questions",
        {
            "id": ours.question_id,
            "remote_id": ours.key,
            "title": text,
            "description": None,
            "format": _format_text(format_type, ours.key, raw, options, ids),
            "format_type": format_type,
            **order,
        },
    )
    mapped.add(
        "job_screening_questions",
        {
            "id": ours.link_id,
            "remote_id": f"{job}/{ours.key}",
            "job_id": ours.job_id,
            "question_id": ours.question_id,
            "index": index,
            "required": required,
            "precondition_question_id": None,
            "precondition_options": None,
            **order,
        },
    )


class _Keyed(NamedTuple):
    key: str
    question_id: str
    link_id: str
    job_id: str


@lru_cache(maxsize=65_536)
def _keyed(ids: Ids, job: int, format_type: str, text: str) -> _Keyed:
    """The keys of a question, computed once, because every application of a job repeats its questions."""
    key = question_key(format_type, text)
    return _Keyed(
        key,
        ids.of("screening_questions", key),
        ids.of("job_screening_questions", f"{job}/{key}"),
        ids.of("jobs", job),
    )


def _format_text(format_type: str, key: str, raw: dict[str, Any], options: list[Any] | None, ids: Ids) -> str:
    if format_type != UNKNOWN_FORMAT and not (options and format_type in _WITH_OPTIONS):
        return _plain_format(format_type)
    return json_text(_format(format_type, key, raw, options, ids))


@cache
def _plain_format(format_type: str) -> str:
    """The format of a question that shows no options, of which there are a few."""
    return json_text({"type": format_type} | ({"options": []} if format_type in _WITH_OPTIONS else {}))


def _format(format_type: str, key: str, raw: dict[str, Any], options: list[Any] | None, ids: Ids) -> dict[str, Any]:
    if format_type == UNKNOWN_FORMAT:
        return {"type": format_type, "raw_question": {k: v for k, v in raw.items() if k not in _ANSWER_KEYS}}
    if format_type in _WITH_OPTIONS:
        return {"type": format_type, "options": [_option(key, option, ids) for option in options or []]}
    return {"type": format_type}


def _option(key: str, option: Any, ids: Ids) -> dict[str, Any]:
    name = str(option.get("name", option.get("value", ""))) if isinstance(option, dict) else str(option)
    remote_id = option.get("id") if isinstance(option, dict) else None
    return {
        "id": ids.of("screening_question_options", f"{key}/{name}"),
        "name": name,
        "remote_id": None if remote_id is None else str(remote_id),
    }
