"""Send a kept request to JOIN until its result is known, and never create it twice.

Belongs here: the attempts, the look-ups between them, and which documents each attempt sends. Not here: the journal's
rows and the answer (create).

A lost answer says nothing about the result. So the application is looked up by its key and its e-mail address before
every further attempt. Where JOIN creates it after that look-up, JOIN refuses the next attempt, because it takes an
address once per job; then the application is looked up once more.
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
from join_pipeline.actions.lookup import look_up_application
from join_pipeline.errors import (
    AlreadyAppliedError,
    PermanentError,
    RateLimited,
    TransientError,
)
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.feeds import APPLICATIONS

ATTEMPTS: Final = 4
FIRST_WAIT: Final = 1.0
ABOUT_DOCUMENTS: Final = frozenset({400, 413, 415, 422})
"""Statuses that speak of a request's content. Every other one is about the caller, the path or the moment."""
DUPLICATE: Final = b"already exists"
"""JOIN's message has this text where the address has applied to the job. Its status code is not known."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """JOIN has the application, with these ids where it gave them. `places`: the documents that were sent with it."""

    application: str | None
    candidate: str | None
    places: tuple[int, ...]


@dataclass(slots=True)
class Submission:
    """One request that is being sent. `is_uncertain`: the result of an attempt is unknown, so JOIN may have it."""

    client: JoinClient
    key: str
    kept: Kept
    sent_at: datetime
    is_uncertain: bool = False
    sleep: Callable[[float], None] = time.sleep
    status: int = 0
    """The status of the last answer."""

    def send(self) -> Submitted:
        """Send it with all documents. Where JOIN refuses them, send it with all but one, and at last with none.

        JOIN refuses documents if it answers them twice with a status of `ABOUT_DOCUMENTS`, and takes the same request
        with fewer. Whatever else fails says nothing of them: the whole request is to be sent again later. Raises
        `AlreadyAppliedError`, or the error of the last attempt.
        """
        everything, *fewer = _selections(len(self.kept.documents))
        try:
            return self._submit(everything)
        except PermanentError as error:
            if not fewer or not self._may_be_about_documents(error):
                raise
        for places in (everything, *fewer[:-1]):
            try:
                return self._submit(places)
            except PermanentError as error:
                if not self._may_be_about_documents(error):
                    raise
        return self._submit(())  # where JOIN refuses this, too, the documents are not the reason

    def look_up(self) -> Submitted | None:
        """The application, if JOIN has it. Raises `AlreadyAppliedError` where the address has applied otherwise."""
        found = look_up_application(
            self.client, self.kept.job, external_id_of(self.key), self.kept.person.email_address, self.sent_at
        )
        if found is None:
            return None
        if not found.is_ours:
            raise already_applied(found.application)
        return Submitted(found.application, found.candidate, tuple(range(len(self.kept.documents))))

    def post(self, places: tuple[int, ...]) -> httpx.Response:
        """Send it once, with these documents."""
        return self.client.ask(
            "POST",
            APPLICATIONS.path,
            headers={"Content-Type": "application/json"},
            content=msgspec.json.encode(request_body(self.key, self.kept, places)),
        )

    def _submit(self, places: tuple[int, ...], attempts: int = ATTEMPTS) -> Submitted:
        wait, last = FIRST_WAIT, TransientError("not sent")
        for attempt in range(attempts):
            if self.is_uncertain and (known := self.look_up()):
                return known
            try:
                answer = self.post(places)
                self.status = answer.status_code
                if answer.is_success:
                    return _created_ids(answer, places)
                if answer.is_client_error and DUPLICATE in answer.content.lower():
                    known = self.look_up()
                    if known and self.is_uncertain:
                        return known
                    # no attempt of this request was taken: an application with its key comes from a lost journal
                    raise already_applied(known.application if known else None)
                last = self._failure(answer)
            except RateLimited as error:  # the rate limit's window has no place: nothing was sent
                last = error
            except TransientError as error:
                self.is_uncertain = True
                last = error
            if attempt < attempts - 1:
                retry_after = last.retry_after if isinstance(last, RateLimited) else None
                self.sleep(retry_after or wait)
                wait *= 2
        if self.is_uncertain and (known := self.look_up()):
            return known
        raise last

    def _may_be_about_documents(self, error: PermanentError) -> bool:
        """Whether JOIN may have refused the documents, so that it may take the same request with fewer."""
        return not isinstance(error, AlreadyAppliedError) and self.status in ABOUT_DOCUMENTS

    def _failure(self, answer: httpx.Response) -> TransientError:
        """The error of an answer that may succeed on another attempt. Every other error is raised."""
        error = self.client.refusal(answer, APPLICATIONS.path)
        if not isinstance(error, TransientError):
            raise error
        if not isinstance(error, RateLimited):
            self.is_uncertain = True
        return error


def request_body(key: str, kept: Kept, places: tuple[int, ...]) -> dict[str, Any]:
    """The JSON body of the call that creates an application at JOIN."""
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
    """The error for an address that has applied to the job. It has JOIN's id, where known, and names no person."""
    where = "" if application is None else f" as application remote:{application}"
    return AlreadyAppliedError(
        f"JOIN has an application of this e-mail address to this job{where}. Nothing was created.",
        remote_id=application,
    )


def _created_ids(answer: httpx.Response, places: tuple[int, ...]) -> Submitted:
    try:
        told = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    ids = told if isinstance(told, dict) else {}
    return Submitted(_id_text(ids.get("id")), _id_text(ids.get("candidateId")), places)


def _id_text(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) and str(value).isdigit() else None


def _selections(n: int) -> Iterator[tuple[int, ...]]:
    """The places of all documents, then of all but one each, then of none."""
    yield tuple(range(n))
    if n > 1:
        yield from (tuple(place for place in range(n) if place != left_out) for left_out in range(n - 1, -1, -1))
    if n:
        yield ()
