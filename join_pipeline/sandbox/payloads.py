"""Payloads of applications as bytes. They are built on request and cached until the application changes.

A payload depends on how often its application has changed, and on its job's title. Signatures of its URLs change with
the clock, so they are filled in last, over a whole page at once.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any, Final

import msgspec
import numpy as np

from join_pipeline.sandbox import identities
from join_pipeline.sandbox.company import Company
from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.draws import Draw, Ints
from join_pipeline.sandbox.instants import DAY, NEVER, iso, iso_column
from join_pipeline.sandbox.journeys import POSITION, REJECTED
from join_pipeline.sandbox.overlay import WrittenApplication
from join_pipeline.sandbox.postings import Postings
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.vocabulary.forms import FREE_TEXT, QUALIFIED, SOURCES, Question

SIGNATURE: Final = b"signature-comes-here"
_SIGNED: Final = SIGNATURE.decode()
_CACHED_RECORDS: Final = 60_000  # about 80 MB
_ATTACHMENTS: Final = (("CV", 85), ("COVER_LETTER", 30), ("JOIN_CV", 15))
_SOURCES: Final = tuple({"product": source.product, "isPremium": source.is_premium} for source in SOURCES)
_STATES: Final = ("APPLIED", "ACTIVE", "OFFER", "HIRED", "REJECTED")
_CONSENTS: Final = ("NOT_REQUIRED", "NOT_REQUIRED", "GIVEN", "GIVEN", "REQUESTED")


def state_word(code: int, n_stages: int) -> str:
    """JOIN's word for a place: the selected stage defines it, unless the application is rejected."""
    if code & REJECTED:
        return "REJECTED"
    position = code & POSITION
    if position >= n_stages - 2:
        return "OFFER" if position == n_stages - 2 else "HIRED"
    return "ACTIVE" if position else "APPLIED"


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _consent(draw: Draw, answered: int, now: int) -> str:
    word = draw.pick(_CONSENTS)
    if answered == NEVER:
        return word
    if answered > now:
        return "REQUESTED"
    return "REJECTED" if draw.chance(15) else "GIVEN"


class Payloads:
    """Makes application payloads for one sandbox at one address."""

    def __init__(self, company: Company, config: SandboxConfig, postings: Postings, base_url: str) -> None:
        self._company = company
        self._config = config
        self._postings = postings
        self._states = {word: dict.fromkeys(config.state_keys, word) for word in _STATES}
        self._files = f"{base_url}/v2/attachments"
        self._cache: dict[int, tuple[int, bytes]] = {}
        self._encoder = msgspec.json.Encoder()
        self._iso = partial(iso_column, has_milliseconds=config.has_milliseconds)

    def applications(self, state: State, rows: Ints) -> list[bytes]:
        """Encoded records, with `SIGNATURE` where signatures belong."""
        cache, numbers, stamps = self._cache, rows.tolist(), self._stamps(state, rows)
        records = []
        for row, stamp in zip(numbers, stamps, strict=True):
            kept = cache.get(row)
            records.append(kept[1] if kept is not None and kept[0] == stamp else b"")
        missing = [place for place, record in enumerate(records) if not record]
        if len(cache) + len(missing) > _CACHED_RECORDS:
            cache.clear()
        for place, payload in zip(missing, self._payloads(state, rows[missing]), strict=True):
            records[place] = self._encoder.encode(payload)
            cache[numbers[place]] = stamps[place], records[place]
        return records

    def _stamps(self, state: State, rows: Ints) -> list[int]:
        n = self._company.n_applications
        if not len(rows) or rows.max() < n:
            stamps: list[int] = (
                (state.changes[rows] << 16) + state.job_titles[self._company.arrivals.job[rows]]
            ).tolist()
            return stamps
        return [
            self._written_stamp(state, row) if row >= n else self._stamps(state, np.array([row]))[0]
            for row in rows.tolist()
        ]

    def _written_stamp(self, state: State, row: int) -> int:
        written = state.written.application(row)
        assert written is not None  # noqa: S101 - listings hold only what was written
        return (state.written_changes(written) << 16) + int(state.job_titles[written.job])

    def application(self, state: State, row: int) -> dict[str, Any]:
        """An Application as JOIN answers it."""
        return next(self._payloads(state, np.array([row])))

    def _payloads(self, state: State, rows: Ints) -> Iterator[dict[str, Any]]:
        timeline = self._of_timeline(state, rows[rows < self._company.n_applications])
        for row in rows.tolist():
            written = state.written.application(row)
            yield next(timeline) if written is None else self._written(state, written)

    def _of_timeline(self, state: State, rows: Ints) -> Iterator[dict[str, Any]]:
        # a page of each column at once: value by value, numpy would take as long as the draws
        company, arrivals, people = self._company, self._company.arrivals, self._company.people
        numbers = (rows, arrivals.job[rows], arrivals.candidate[rows], arrivals.source[rows], arrivals.created[rows])
        columns = [column.tolist() for column in (*numbers, people.consent_at[rows], state.code[rows])]
        columns += [self._iso(arrivals.created[rows]), self._iso(state.updated[rows])]
        for row, job, candidate, source, created, consent_at, code, created_at, updated_at in zip(
            *columns, strict=True
        ):
            draw = Draw(company.seed, "application", row)
            kinds = [kind for kind, percent in _ATTACHMENTS if draw.chance(percent)]
            yield self._payload(
                state,
                row,
                job=job,
                code=code,
                created_at=created_at,
                updated_at=updated_at,
                candidate=identities.candidate(company, candidate, state.now),
                source=_SOURCES[source],
                attachments=kinds,
                questions=self._answers(row, job, created),
                qualified=draw.pick(QUALIFIED),
                consent=_consent(draw, consent_at, state.now),
                external_id=f"ext-{draw.below(100_000)}" if draw.chance(6) else None,
            )

    def _answers(self, row: int, job: int, created: int) -> list[dict[str, Any]]:
        questions = self._postings.questions(job)
        if not questions:
            return []
        draw = Draw(self._company.seed, "answers", row)
        return [
            self._answer(question, required, draw, created, f"{row + 1}/q{number}")
            for number, (question, required) in enumerate(questions)
        ]

    def _written(self, state: State, written: WrittenApplication) -> dict[str, Any]:
        if written.candidate < self._company.arrivals.n_candidates:
            person = identities.candidate(self._company, written.candidate, state.now)
        else:
            person = {
                "id": written.candidate + 1,
                **written.person,
                "country": None,
                "tags": None,
                "professionalLinks": [],
            }
        return self._payload(
            state,
            written.application,
            job=written.job,
            code=0,
            created_at=iso(written.created, has_milliseconds=self._config.has_milliseconds),
            updated_at=iso(state.written_updated(written), has_milliseconds=self._config.has_milliseconds),
            candidate=person,
            source={"product": written.product, "isPremium": False},
            attachments=[document.type for document in written.documents],
            questions=[],
            qualified="UNKNOWN",
            consent="NOT_REQUIRED",
            external_id=written.external_id,
        )

    def _payload(
        self,
        state: State,
        row: int,
        *,
        job: int,
        code: int,
        created_at: str,
        updated_at: str,
        candidate: dict[str, Any],
        source: dict[str, Any],
        attachments: list[str],
        questions: list[dict[str, Any]],
        qualified: str,
        consent: str,
        external_id: str | None,
    ) -> dict[str, Any]:
        pipeline = self._postings.pipeline(job)
        return {
            "id": row + 1,
            "createdAt": created_at,
            "lastUpdatedAt": updated_at,
            **self._states[state_word(code, len(pipeline))],
            "currentStage": pipeline[code & POSITION],
            "job": self._postings.reference(job, state.job_titles.item(job)),
            "candidate": candidate,
            "source": source,
            "attachments": [
                {"type": kind, "url": f"{self._files}/{row + 1}/{number}?{_SIGNED}"}
                for number, kind in enumerate(attachments)
            ],
            "screeningQuestions": questions,
            "qualified": qualified,
            "consent": {"id": row + 1, "consentStatus": consent},
            "integrationExternalId": external_id,
        }

    def _answer(self, question: Question, required: bool, draw: Draw, created: int, path: str) -> dict[str, Any]:
        is_skipped = not required and draw.chance(30)
        answer: str | None = None
        file: str | None = None
        if not is_skipped:
            match question.type:
                case "TEXT":
                    answer = draw.pick(FREE_TEXT)
                case "INTEGER":
                    answer = str(draw.below(20) if draw.chance(60) else 1_000 * (30 + draw.below(90)))
                case "DATE":
                    answer = _day(created // DAY + draw.below(120))
                case "BOOLEAN":
                    answer = "true" if draw.chance(70) else "false"
                case "SINGLE_CHOICE":
                    answer = draw.pick(question.options)
                case "MULTIPLE_CHOICE":
                    answer = ",".join(option for option in question.options if draw.chance(45)) or question.options[0]
                case _:  # a file, or what nobody knows
                    file = f"{self._files}/{path}?{_SIGNED}"
        return {
            "question": question.name,
            "type": question.type,
            "answer": answer,
            "file": file,
            "isSkipped": is_skipped,
        }
