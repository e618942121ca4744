"""Sending a kept request to JOIN until it is known what became of it, and never so that it is there twice.

Belongs here: attempts, what is looked up between them, with which documents. Not here: the journal's rows and the
answer (creating).

An answer that was lost says nothing: before every further attempt the application is looked up by its key and the
e-mail address. Where JOIN carries out a request late, after the look, the next attempt is refused by JOIN itself, which
takes an address once per job; then it is looked up once more.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx
import msgspec

from join_pipeline.actions.journal import Kept, external_id_of
from join_pipeline.actions.lookup import find
from join_pipeline.errors import (
    AlreadyAppliedError,
    NotFoundError,
    PermanentError,
    RateLimited,
    SourceError,
    TransientError,
)
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import APPLICATIONS

ATTEMPTS: Final = 4
FIRST_WAIT: Final = 1.0
DUPLICATE: Final = b"already exists"
"""What JOIN's message holds where the address has applied to the job. Its status code is not known."""


@dataclass(frozen=True, slots=True)
class Sent:
    """JOIN has it, under these ids where it told; `places` of the documents that went along, as far as is known."""

    application: str | None
    candidate: str | None
    places: tuple[int, ...]


@dataclass(slots=True)
class Sending:
    """One request on its way. `is_uncertain`: an attempt's end is not known, so JOIN may have it."""

    client: JoinClient
    key: str
    kept: Kept
    sent_at: datetime
    is_uncertain: bool = False
    sleep: Callable[[float], None] = time.sleep

    def send(self) -> Sent:
        """Create it: with all documents; else, where JOIN refuses, with all but one; else with none.

        Documents that keep JOIN from answering are left out at last, too. Raises `AlreadyAppliedError`, or what kept
        the request from being sent even without documents.
        """
        everything, *fewer = _rungs(len(self.kept.documents))
        try:
            return self._deliver(everything)
        except RateLimited:
            raise
        except TransientError as error:
            if not fewer:
                raise
            try:
                return self._deliver(fewer[-1], attempts=1)
            except AlreadyAppliedError:
                raise
            except (TransientError, PermanentError):
                raise error from None
        except PermanentError as error:
            if not _is_about_documents(error):
                raise
            for rung in fewer:
                try:
                    return self._deliver(rung)
                except PermanentError as again:
                    if not _is_about_documents(again):
                        raise
            raise  # without documents, too: it is not about them

    def look(self) -> Sent | None:
        """What JOIN has of it by now. `AlreadyAppliedError` where the address has applied otherwise."""
        found = find(self.client, self.kept.job, external_id_of(self.key), self.kept.person.email_address, self.sent_at)
        if found is None:
            return None
        if not found.is_ours:
            raise already_applied(found.application)
        return Sent(found.application, found.candidate, tuple(range(len(self.kept.documents))))

    def post(self, places: tuple[int, ...]) -> httpx.Response:
        """The request itself, once."""
        return self.client.ask(
            "POST",
            APPLICATIONS.path,
            headers={"Content-Type": "application/json"},
            content=msgspec.json.encode(body_of(self.key, self.kept, places)),
        )

    def _deliver(self, places: tuple[int, ...], attempts: int = ATTEMPTS) -> Sent:
        wait, last = FIRST_WAIT, TransientError("not sent")
        for attempt in range(attempts):
            if self.is_uncertain and (known := self.look()):
                return known
            try:
                answer = self.post(places)
                if answer.is_success:
                    return _told(answer, places)
                if answer.is_client_error and DUPLICATE in answer.content.lower():
                    known = self.look()
                    if known and self.is_uncertain:
                        return known
                    # nothing of this request was ever taken: what carries its key is of a journal that is lost
                    raise already_applied(known.application if known else None)
                last = self._failure(answer)
            except RateLimited as error:  # no place in the window: it was not sent
                last = error
            except TransientError as error:
                self.is_uncertain = True
                last = error
            if attempt < attempts - 1:
                asked = last.retry_after if isinstance(last, RateLimited) else None
                self.sleep(asked or wait)
                wait *= 2
        if self.is_uncertain and (known := self.look()):
            return known
        raise last

    def _failure(self, answer: httpx.Response) -> TransientError:
        """An answer that is worth another attempt; every other one is raised."""
        error = self.client.refusal(answer, APPLICATIONS.path)
        if not isinstance(error, TransientError):
            raise error
        if not isinstance(error, RateLimited):
            self.is_uncertain = True
        return error


def body_of(key: str, kept: Kept, places: tuple[int, ...]) -> dict[str, Any]:
    """The JSON that JOIN takes."""
    person = kept.person
    body: dict[str, Any] = {
        "jobId": int(kept.job),
        "candidate": {
            "email": person.email_address,
            "firstName": person.first_name,
            "lastName": person.last_name,
            **({"phone": person.phone_number} if person.phone_number else {}),
        },
        "source": kept.source,
        "integrationExternalId": external_id_of(key),
    }
    if places:
        body["documents"] = [
            {"type": document.type, "name": document.name, "data": b64encode(document.content).decode()}
            for document in (kept.documents[place] for place in places)
        ]
    return body


def already_applied(application: str | None) -> AlreadyAppliedError:
    """The error for it, with JOIN's id of what is there, where known. It names no person."""
    where = "" if application is None else f" as application remote:{application}"
    return AlreadyAppliedError(
        f"JOIN has an application of this e-mail address to this job{where}. Nothing was created.",
        remote_id=application,
    )


def _told(answer: httpx.Response, places: tuple[int, ...]) -> Sent:
    try:
        told = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    ids = told if isinstance(told, dict) else {}
    return Sent(_text(ids.get("id")), _text(ids.get("candidateId")), places)


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) and str(value).isdigit() else None


def _rungs(n: int) -> Iterator[tuple[int, ...]]:
    """All places, all but one each, none."""
    yield tuple(range(n))
    if n > 1:
        yield from (tuple(place for place in range(n) if place != left_out) for left_out in range(n - 1, -1, -1))
    if n:
        yield ()


def _is_about_documents(error: SourceError) -> bool:
    """Whether a refusal may be about documents: then the same may go through with fewer."""
    return isinstance(error, PermanentError) and not isinstance(error, AlreadyAppliedError | NotFoundError)
