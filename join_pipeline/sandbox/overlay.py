"""The applications and notes that were written through the API. They add to the timeline and end with the process."""

from dataclasses import dataclass, field
from typing import Any

from join_pipeline.sandbox.instants import NEVER


@dataclass(frozen=True)
class Document:
    type: str
    name: str
    content: bytes


@dataclass
class WrittenApplication:
    """An application outside of the timeline. `application` and `candidate` continue the timeline's numbers."""

    application: int
    job: int
    candidate: int
    created: int
    product: str
    person: dict[str, str | None]  # firstName, lastName, email, phoneNumber
    documents: tuple[Document, ...] = ()
    external_id: str | None = None
    gone: int = NEVER
    is_through_kombo: bool = False
    revised: tuple[int, ...] = ()  # when documents were added
    is_shift: bool = False  # the fault `shifting` made it and may delete it

    def is_live(self, now: int) -> bool:
        return self.created <= now < self.gone


@dataclass
class Written:
    """All that was written, in order of writing."""

    first_application: int
    first_candidate: int
    applications: list[WrittenApplication] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    n_candidates: int = 0

    def application(self, index: int) -> WrittenApplication | None:
        row = index - self.first_application
        return self.applications[row] if 0 <= row < len(self.applications) else None

    def next_application(self) -> int:
        return self.first_application + len(self.applications)

    def new_candidate(self) -> int:
        self.n_candidates += 1
        return self.first_candidate + self.n_candidates - 1

    def live(self, now: int) -> list[WrittenApplication]:
        return [application for application in self.applications if application.is_live(now)]

    def by_candidate(self, candidate: int, now: int) -> list[WrittenApplication]:
        return [application for application in self.live(now) if application.candidate == candidate]
