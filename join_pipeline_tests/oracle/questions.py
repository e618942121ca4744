"""Screening questions: the parents that ask them, and the answers that they allow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from join_pipeline_tests.oracle import words
from join_pipeline_tests.oracle.values import question_key, text_id, unsigned
from join_pipeline_tests.oracle.world import Payload


@dataclass(frozen=True)
class Asked:
    """A question as one parent shows it. `entry` is the parent's own object, `index` its place in the parent's list."""

    key: str
    format_type: str
    title: str
    index: int
    entry: Payload
    is_job_form: bool


def asked_questions(applications: Sequence[Payload], jobs: Sequence[Payload]) -> Iterator[tuple[str | None, Asked]]:
    """(job, question) for each question of each parent, those that count most last.

    Parents are given in that order; a job's own form, where it is shown, counts more than any application's answers. Of
    a question that a list holds twice, the first counts.
    """
    for application in applications:
        for asked in reversed(list(_form(application.get("screeningQuestions"), "question", is_job_form=False))):
            yield text_id(application.get("job")), asked
    for job in jobs:
        for asked in reversed(list(_form(job.get("questions"), "name", is_job_form=True))):
            yield str(job["id"]), asked


def answer_format(asked: Asked, ref: Callable[[str, str], str | None]) -> dict[str, Any]:
    """The `format` column. An option has no key in JOIN, so its id is that of its text within its question."""
    if asked.format_type == "UNKNOWN":
        answers = ("answer", "file", "isSkipped")
        kept = {key: value for key, value in asked.entry.items() if key not in answers}
        return {"type": "UNKNOWN", "raw_question": unsigned(kept)}
    if not asked.format_type.endswith("_SELECT"):
        return {"type": asked.format_type}
    names = (asked.entry.get("options") or []) if asked.is_job_form else []
    options = [
        {"id": ref("screening_question_options", f"{asked.key}/{name}"), "name": name, "remote_id": None}
        for name in names
    ]
    return {"type": asked.format_type, "options": options}


def _form(entries: list[Payload] | None, title_key: str, *, is_job_form: bool) -> Iterator[Asked]:
    for index, entry in enumerate(entries or ()):
        title = entry.get(title_key)
        if title is not None:
            format_type = words.QUESTION_TYPE.get(entry.get("type"), "UNKNOWN")
            yield Asked(question_key(format_type, title), format_type, title, index, entry, is_job_form)
