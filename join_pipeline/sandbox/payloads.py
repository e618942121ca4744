"""Applications as bytes on the wire: built when asked for, kept until their record changes.

A payload depends on how often its application has changed, and on its job's title. Signatures of its URLs change with
the clock, so they are filled in last, over a whole page at once.
"""

from datetime import date, timedelta
from typing import Any, Final

import msgspec
import numpy as np

from join_pipeline.sandbox import persons
from join_pipeline.sandbox.company import Company
from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.draws import Draw, Ints
from join_pipeline.sandbox.instants import DAY, NEVER, iso
from join_pipeline.sandbox.journeys import POSITION, REJECTED
from join_pipeline.sandbox.postings import Postings
from join_pipeline.sandbox.state import State
from join_pipeline.sandbox.vocabulary.forms import FREE_TEXT, QUALIFIED, SOURCES, Question
from join_pipeline.sandbox.written import WrittenApplication

SIGNATURE: Final = b"signature-comes-here"
_CACHED_RECORDS: Final = 60_000  # about 80 MB
_CONSENTS: Final = ("NOT_REQUIRED", "NOT_REQUIRED", "GIVEN", "GIVEN", "REQUESTED")


def state_word(code: int, n_stages: int) -> str:
    """JOIN's word for a place: the selected stage defines it, unless the application is rejected."""
    if code & REJECTED:
        return "REJECTED"
    position = code & POSITION
    if position >= n_stages - 2:
        return "OFFER" if position == n_stages - 2 else "HIRED"
    return "ACTIVE" if position else "APPLIED"


class Payloads:
    """Makes application payloads for one sandbox at one address."""

    def __init__(self, company: Company, config: SandboxConfig, postings: Postings, base_url: str) -> None:
        self._company = company
        self._config = config
        self._postings = postings
        self._files = f"{base_url}/v2/attachments"
        self._cache: dict[int, tuple[int, bytes]] = {}
        self._encoder = msgspec.json.Encoder()

    def applications(self, state: State, rows: Ints) -> list[bytes]:
        """Encoded records, with `SIGNATURE` where signatures belong."""
        cache = self._cache
        records = []
        for row, stamp in zip(rows.tolist(), self._stamps(state, rows), strict=True):
            kept = cache.get(row)
            if kept is None or kept[0] != stamp:
                if len(cache) >= _CACHED_RECORDS:
                    cache.clear()
                kept = cache[row] = (stamp, self._encoder.encode(self.application(state, row)))
            records.append(kept[1])
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
        written = state.written.application(row)
        if written is not None:
            return self._written(state, written)
        arrivals = self._company.arrivals
        job, source = int(arrivals.job[row]), SOURCES[arrivals.source[row]]
        created = int(arrivals.created[row])
        draw, answers = Draw(self._company.seed, "application", row), Draw(self._company.seed, "answers", row)
        kinds = [kind for kind, percent in (("CV", 85), ("COVER_LETTER", 30), ("JOIN_CV", 15)) if draw.chance(percent)]
        person = persons.candidate(self._company, int(arrivals.candidate[row]), state.now)
        return self._payload(
            state,
            row,
            job=job,
            code=int(state.code[row]),
            created=created,
            updated=int(state.updated[row]),
            candidate=person,
            source={"product": source.product, "isPremium": source.is_premium},
            attachments=kinds,
            questions=[
                self._answer(question, required, answers, f"{row + 1}/q{number}", created)
                for number, (question, required) in enumerate(self._postings.questions(job))
            ],
            qualified=draw.pick(QUALIFIED),
            consent=self._consent(state, row, draw),
            external_id=f"ext-{draw.below(100_000)}" if draw.chance(6) else None,
        )

    def _consent(self, state: State, row: int, draw: Draw) -> str:
        answered, word = self._company.people.consent_at[row], draw.pick(_CONSENTS)
        if answered == NEVER:
            return word
        if answered > state.now:
            return "REQUESTED"
        return "REJECTED" if draw.chance(15) else "GIVEN"

    def _written(self, state: State, written: WrittenApplication) -> dict[str, Any]:
        if written.candidate < self._company.arrivals.n_candidates:
            person = persons.candidate(self._company, written.candidate, state.now)
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
            created=written.created,
            updated=state.written_updated(written),
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
        created: int,
        updated: int,
        candidate: dict[str, Any],
        source: dict[str, Any],
        attachments: list[str],
        questions: list[dict[str, Any]],
        qualified: str,
        consent: str,
        external_id: str | None,
    ) -> dict[str, Any]:
        pipeline = self._postings.pipeline(job)
        word = state_word(code, len(pipeline))
        signed = SIGNATURE.decode()
        return {
            "id": row + 1,
            "createdAt": iso(created, has_milliseconds=self._config.has_milliseconds),
            "lastUpdatedAt": iso(updated, has_milliseconds=self._config.has_milliseconds),
            **dict.fromkeys(self._config.state_keys, word),
            "currentStage": pipeline[code & POSITION],
            "job": {
                "id": job + 1,
                "title": self._postings.title(job, int(state.job_titles[job])),
                "externalId": self._postings.external_id(job),
            },
            "candidate": candidate,
            "source": source,
            "attachments": [
                {"type": kind, "url": f"{self._files}/{row + 1}/{number}?{signed}"}
                for number, kind in enumerate(attachments)
            ],
            "screeningQuestions": questions,
            "qualified": qualified,
            "consent": {"id": row + 1, "consentStatus": consent},
            "integrationExternalId": external_id,
        }

    def _answer(self, question: Question, required: bool, draw: Draw, path: str, created: int) -> dict[str, Any]:
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
                    answer = (date(1970, 1, 1) + timedelta(days=created // DAY + draw.below(120))).isoformat()
                case "BOOLEAN":
                    answer = "true" if draw.chance(70) else "false"
                case "SINGLE_CHOICE":
                    answer = draw.pick(question.options)
                case "MULTIPLE_CHOICE":
                    answer = ",".join(option for option in question.options if draw.chance(45)) or question.options[0]
                case _:  # a file, or what nobody knows
                    file = f"{self._files}/{path}?{SIGNATURE.decode()}"
        return {
            "question": question.name,
            "type": question.type,
            "answer": answer,
            "file": file,
            "isSkipped": is_skipped,
        }
