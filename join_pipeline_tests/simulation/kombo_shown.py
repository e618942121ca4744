"""What Kombo would return at an instant, and what follows of that for the tables of models.

Belongs here: the judge's own reading of Kombo's records. Columns bear Kombo's names, so a cell is the record's value, a
list of links is the rows of a link model. Nothing of `join_pipeline.sources.kombo` is used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from join_pipeline.models import MODELS
from join_pipeline.models.types import INSTANT
from join_pipeline.sandbox.kombo.config import MODELS as LISTED
from join_pipeline.sandbox.kombo.service import Kombo
from join_pipeline_tests.oracle.compare import _cell
from join_pipeline_tests.oracle.values import instant

Record = Mapping[str, Any]
Cells = dict[str, Any]
# the payload is no content: what of it is Kombo's own has columns
NOT_CONTENT = frozenset({"remote_data"})
LINKS = {
    "candidate_tags": ("candidates", "tags", "candidate_id", "tag_id"),
    "job_application_stages": ("jobs", "stages", "job_id", "stage_id"),
    "job_screening_questions": ("jobs", "screening_questions", "job_id", "question_id"),
    "job_hiring_team": ("jobs", "hiring_team", "job_id", "user_id"),
}
"""By link model: the list that shows it, under which key, and its two columns."""
NAMED = {
    "applications": {"candidate": "candidates", "current_stage": "application_stages", "job": "jobs"},
    "candidates": {"tags": "tags"},
    "jobs": {"stages": "application_stages", "hiring_team": "users"},
}
"""By list: the models of those that its records show."""


@dataclass(frozen=True)
class Shown:
    """All that Kombo lists at an instant, deleted records too, but for what it has lost."""

    at: datetime
    records: dict[str, dict[str, Record]]
    _cells: dict[tuple[str, str], Cells] = field(default_factory=dict)

    def live(self, model: str) -> dict[str, Record]:
        return self._live[model]

    @cached_property
    def _live(self) -> dict[str, dict[str, Record]]:
        return {
            model: {key: record for key, record in records.items() if record["remote_deleted_at"] is None}
            for model, records in self.records.items()
        }

    def cells(self, model: str, key: str) -> Cells:
        """A live record as the row that it must be."""
        if (model, key) not in self._cells:
            self._cells[model, key] = cells(model, self.live(model)[key])
        return self._cells[model, key]

    def linked(self, link: str, parent: str) -> dict[str, Cells]:
        """The rows that a live record's list of links must be, by the other side's id."""
        model, key, *_ = LINKS[link]
        return {shown["id"]: link_cells(link, shown, n) for n, shown in enumerate(self.live(model)[parent][key])}

    def questions(self) -> dict[str, list[Cells]]:
        """What live jobs say of each of their questions."""
        found: dict[str, list[Cells]] = {}
        for job in self.live("jobs").values():
            for question in job["screening_questions"]:
                found.setdefault(question["id"], []).append(cells("screening_questions", question))
        return found


def shown_by(kombo: Kombo, at: datetime, lost: Mapping[str, frozenset[str]], *, refused: frozenset[str]) -> Shown:
    """What Kombo shows now."""
    return Shown(
        at,
        {
            model: {}
            if model in refused
            else {
                entry.id: kombo.records.record(model, entry)
                for entry in kombo.replica.tables[model].entries.values()
                if entry.id not in lost.get(model, ())
            }
            for model in LISTED
        },
    )


def cells(model: str, record: Record) -> Cells:
    found = {}
    for column in MODELS[model].fields:
        if column.name in NOT_CONTENT:
            continue
        value = record["format"]["type"] if column.name == "format_type" else record.get(column.name)
        found[column.name] = _cell(column.name, instant(value) if column.type == INSTANT else value)
    return found


def link_cells(link: str, shown: Record, place: int) -> Cells:
    """Columns of a link but for its two sides."""
    match link:
        case "candidate_tags":
            return {}
        case "job_application_stages":
            return {"index": shown["index"]}
        case "job_hiring_team":
            words = [role["unified_type"] or role["remote_label"] for role in shown["job_roles"]]
            return {"roles": _cell("roles", list(dict.fromkeys(words)))}
        case _:
            names = ("required", "precondition_question_id", "precondition_options")
            return {"index": place} | {name: _cell(name, shown[name]) for name in names}


def row_cells(model: str, row: Mapping[str, Any]) -> Cells:
    """A row of the lake in the same terms."""
    sides = LINKS[model][2:] if model in LINKS else ()
    return {
        column.name: _cell(column.name, row[column.name])
        for column in MODELS[model].fields
        if column.name not in NOT_CONTENT and column.name not in sides
    }


def named_by(feed: str, record: Record) -> Iterator[tuple[str, str]]:
    """Model and id of what a record shows."""
    for key, model in NAMED.get(feed, {}).items():
        value = record.get(key)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "id" in one:
                yield model, one["id"]
