"""Creating applications, each exactly once. In JOIN a candidate comes with an application: both actions are one call.

Belongs here: the order of things, what the journal is told when, and the answer. Not here: attempts (sending), fields
(requests), bytes (documents).

    request ─▶ checks ─▶ bytes ─▶ kept file, journal row ─▶ JOIN ─▶ journal row ─▶ read back ─▶ answer
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from join_pipeline.actions.comparison import differences, missing, unified
from join_pipeline.actions.documents import read_documents
from join_pipeline.actions.jobs import find_job, refuse_closed
from join_pipeline.actions.journal import Entry, Kept
from join_pipeline.actions.request import ApplicationRequest, read_request
from join_pipeline.actions.send import Sending, Sent, already_applied
from join_pipeline.actions.session import Desk, opened
from join_pipeline.actions.sources import WrittenSource, source_table, written_source
from join_pipeline.errors import (
    AlreadyAppliedError,
    AuthError,
    InputError,
    NotFoundError,
    PermanentError,
    PipelineError,
    TransientError,
)
from join_pipeline.http.contracts import decode
from join_pipeline.models.rows import Row
from join_pipeline.settings import Settings
from join_pipeline.sources.join.feeds import APPLICATIONS
from join_pipeline.sources.join.mapping.application import map_application
from join_pipeline.sources.join.payloads import ApplicationPayload

MAX_KEY: Final = 255
LOOKS: Final = 3
LOOK_AGAIN_SECONDS: Final = 1.0
Sleep = Callable[[float], None]


class Created(msgspec.Struct, kw_only=True):
    """An application that is at JOIN, as the models will have it. `changed_at` is null until a sync has seen it.

    `warnings` say what was asked for and is not at JOIN; they name fields, never values. `is_replay`: it had been
    created before, by this very request.
    """

    application: Row
    candidate: Row
    warnings: list[str]
    key: str
    is_replay: bool = False


def create_application(
    settings: Settings, request: Mapping[str, Any], *, key: str | None = None, sleep: Sleep = time.sleep
) -> Created:
    """Create the application that `request` describes, with its candidate; exactly once, however often it is asked.

    `key` tells one request from another; without it that is the applicant's e-mail address and the job. Raises
    `InputError` before anything is sent, `AlreadyAppliedError` where somebody else created it before, and a
    `SourceError` where JOIN can't be brought to take it: the same request may then be made again.
    """
    asked = read_request(request)
    if key is not None and not 0 < len(key.strip()) <= MAX_KEY:
        raise InputError("key", f"must have 1 to {MAX_KEY} characters")
    source = written_source(asked.source, settings.platform, source_table(settings.written_source_csv))
    with opened(settings) as desk:
        job = find_job(desk, asked.job_id)
        person = desk.journal.key_of("address", str(job.id), asked.candidate.email_address.casefold())
        chosen = person if key is None else desk.journal.key_of("key", key.strip())
        digest = desk.journal.key_of("request", str(job.id), msgspec.json.encode(asked).decode())
        with desk.journal.locked(chosen, person):
            creation = Creation(desk, chosen, sleep)
            entry = creation.settled()
            if entry is not None:
                if entry.request != digest:
                    raise _conflict(desk, entry, is_key_given=key is not None)
                return creation.answer(entry, asked, source, is_replay=True)
            refuse_closed(job)
            kept = creation.kept_of(digest) or Kept(
                job=str(job.id),
                person=asked.candidate,
                source=source.word,
                documents=read_documents(asked.attachments, desk.data_urls),
            )
            entry = creation.create(kept, digest, source.name)
            return creation.answer(entry, asked, source)


def create_candidate(
    settings: Settings, request: Mapping[str, Any], *, key: str | None = None, sleep: Sleep = time.sleep
) -> dict[str, Any]:
    """The same, answered with the candidate, its `applications`, and the `warnings`."""
    return as_candidate(create_application(settings, request, key=key, sleep=sleep))


def as_candidate(created: Created) -> dict[str, Any]:
    """The answer, turned round: the candidate with the application in it."""
    return {
        "candidate": {**created.candidate, "applications": [created.application]},
        "warnings": created.warnings,
        "key": created.key,
        "is_replay": created.is_replay,
    }


@dataclass(slots=True)
class Creation:
    """One key's way through journal and JOIN. The caller holds the key's lock."""

    desk: Desk
    key: str
    sleep: Sleep = time.sleep

    def settled(self) -> Entry | None:
        """The creation, if JOIN has it: what an earlier try left open is looked up first."""
        entry = self.desk.journal.find(self.key)
        if entry is None or entry.state == "created":
            return entry
        kept = self.desk.journal.kept(self.key)
        if kept is None:
            return None
        try:
            found = self._sending(kept, entry.sent_at, is_uncertain=True).look()
        except AlreadyAppliedError as error:
            self.desk.journal.forget(self.key)
            raise self._named(error) from None
        return None if found is None else self._done(entry, found)

    def kept_of(self, digest: str) -> Kept | None:
        """What an earlier try of the very same request kept: nothing is downloaded twice."""
        entry = self.desk.journal.find(self.key)
        return self.desk.journal.kept(self.key) if entry and entry.request == digest else None

    def create(self, kept: Kept, digest: str, source_name: str | None) -> Entry:
        """Send what is kept. The journal knows of it before JOIN does."""
        journal = self.desk.journal
        before = journal.find(self.key)
        now = self.desk.client.clock.earliest()
        entry = Entry(
            key=self.key,
            request=digest,
            job=kept.job,
            source=source_name,
            state="sending",
            sent_at=min(before.sent_at, now) if before else now,
        )
        journal.keep(self.key, kept)
        journal.write(entry)
        sending = self._sending(kept, entry.sent_at, is_uncertain=before is not None)
        try:
            return self._done(entry, sending.send())
        except AlreadyAppliedError as error:
            journal.forget(self.key)
            raise self._named(error) from None
        except (PermanentError, AuthError) as error:
            if not sending.is_uncertain:
                journal.forget(self.key)
                raise
            raise type(error)(f"{error} {UNKNOWN_END}") from None
        except TransientError as error:
            raise TransientError(f"{error} {UNKNOWN_END if sending.is_uncertain else NOT_CREATED}") from None

    def answer(
        self, entry: Entry, asked: ApplicationRequest | None, source: WrittenSource, *, is_replay: bool = False
    ) -> Created:
        """The record as it is at JOIN now, and what of the request is not there."""
        warnings = [f"{field} is not written: JOIN has no place for it" for field in asked.not_written] if asked else []
        if source.warning:
            warnings.append(f"source: {source.warning}")
        if is_replay:
            warnings.append("it was created before, by the same request; nothing was sent")
        payload, unsent = self.verified(entry, is_new=not is_replay)
        if payload is None:
            warnings.append(
                "JOIN has taken it, and could not be asked for it afterwards: most fields are empty, and it is not "
                "known whether all attachments are there; `join-pipeline attachments resend` looks again"
            )
            return Created(**self._unread(entry), warnings=warnings, key=self.key, is_replay=is_replay)
        warnings += differences(payload, asked, source)
        warnings += [f"{name} was not taken by JOIN; {KEPT}" for name in unsent]
        mapped = map_application(decode(ApplicationPayload, msgspec.json.encode(payload)), payload, self.desk.ids)
        return Created(
            application=unified("applications", mapped.rows["applications"][0]),
            candidate=unified("candidates", next(iter(mapped.rows.get("candidates", [{}])))),
            warnings=warnings,
            key=self.key,
            is_replay=is_replay,
        )

    def verified(self, entry: Entry, *, is_new: bool = False) -> tuple[Row | None, list[str]]:
        """The application as JOIN shows it, and the attachments that it lacks, in words.

        What JOIN shows is let go of; the rest stays kept. `NotFoundError` if JOIN has it no longer.
        """
        journal = self.desk.journal
        kept = journal.kept(self.key)
        payload, places = None, list[int]()
        for look in range(LOOKS):
            if look:
                self.sleep(LOOK_AGAIN_SECONDS)  # it, and its files, may show up a moment later
            payload = self._read(entry, is_new=is_new)
            places = missing(kept, payload) if kept and payload else []
            if payload is not None and not places:
                break
        if kept is None or payload is None:
            return payload, []
        if not places:
            journal.drop(self.key)
            return payload, []
        journal.keep(self.key, msgspec.structs.replace(kept, unsent=places))
        return payload, [f"attachments[{place}] ({kept.documents[place].type})" for place in places]

    def _sending(self, kept: Kept, sent_at: datetime, *, is_uncertain: bool) -> Sending:
        return Sending(self.desk.client, self.key, kept, sent_at, is_uncertain, self.sleep)

    def _done(self, entry: Entry, sent: Sent) -> Entry:
        """Put it down as created, once its id is known."""
        if sent.application is None:
            kept = self.desk.journal.kept(self.key)
            known = self._sending(kept, entry.sent_at, is_uncertain=True).look() if kept else None
            if known is None:
                raise TransientError(f"JOIN has taken the application and does not show it yet. {UNKNOWN_END}")
            sent = Sent(known.application, known.candidate or sent.candidate, sent.places)
        done = msgspec.structs.replace(
            entry, state="created", application=sent.application, candidate=sent.candidate or entry.candidate
        )
        self.desk.journal.write(done)
        return done

    def _read(self, entry: Entry, *, is_new: bool) -> Row | None:
        """The application as JOIN shows it, if it does. `NotFoundError` if it has it no longer."""
        try:
            body, _ = self.desk.client.get(APPLICATIONS.record_path(entry.application or ""))
        except NotFoundError:
            if is_new:
                return None
            self.desk.journal.drop(self.key)
            raise NotFoundError(
                f"The application remote:{entry.application} was created by this request, and JOIN has it no longer: "
                "it was withdrawn or removed. It is not created a second time."
            ) from None
        except TransientError:
            return None
        payload: Row = msgspec.json.decode(body)
        return payload

    def _unread(self, entry: Entry) -> dict[str, Row]:
        ids = self.desk.ids
        known = {
            "applications": {
                "id": ids.maybe("applications", entry.application),
                "remote_id": entry.application,
                "job_id": ids.of("jobs", entry.job),
                "candidate_id": ids.maybe("candidates", entry.candidate),
                "integration_external_id": entry.external_id,
            },
            "candidates": {"id": ids.maybe("candidates", entry.candidate), "remote_id": entry.candidate},
        }
        return {name.removesuffix("s"): unified(name, row) for name, row in known.items()}

    def _named(self, error: AlreadyAppliedError) -> AlreadyAppliedError:
        """The same with our id of the application that is there."""
        ours = self.desk.ids.maybe("applications", error.remote_id)
        return AlreadyAppliedError(f"{error} Its id is {ours}." if ours else str(error), ours, error.remote_id)


UNKNOWN_END: Final = (
    "Whether JOIN has taken the application is not known. Make the same request again, or run `join-pipeline "
    "attachments resend`: it is looked up before it is sent."
)
KEPT: Final = "it is kept, and `join-pipeline attachments resend` sends it"
NOT_CREATED: Final = "Nothing was created. Make the same request again, or run `join-pipeline attachments resend`."


def _conflict(desk: Desk, entry: Entry, *, is_key_given: bool) -> PipelineError:
    if is_key_given:
        return InputError("key", "was used for another request, which is created. Take another key")
    ours = desk.ids.maybe("applications", entry.application)
    error = already_applied(None)
    return AlreadyAppliedError(
        f"{error} It was created from here before, as {ours}, by a request that differed.", ours, entry.application
    )
