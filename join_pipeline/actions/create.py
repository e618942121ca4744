"""Create an application exactly once. JOIN creates its candidate in the same call, so both actions are one call.

Belongs here: the order of the steps, what the journal records at each, and the answer. Not here: attempts (send), the
fields of a request (request), the bytes of attachments (documents).

    request ─▶ checks ─▶ bytes ─▶ kept file, journal row ─▶ JOIN ─▶ journal row ─▶ read back ─▶ answer
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from join_pipeline.actions.comparison import differences, missing_documents, with_all_columns
from join_pipeline.actions.documents import read_documents
from join_pipeline.actions.jobs import look_up_job, refuse_closed
from join_pipeline.actions.journal import Entry, Kept
from join_pipeline.actions.request import ApplicationRequest, read_request
from join_pipeline.actions.send import Submission, Submitted, already_applied
from join_pipeline.actions.session import Session, open_session
from join_pipeline.actions.written_source import WrittenSource, source_table, written_source
from join_pipeline.errors import (
    AlreadyAppliedError,
    AuthError,
    InputError,
    NotFoundError,
    PermanentError,
    PipelineError,
    TransientError,
)
from join_pipeline.http.contracts import read
from join_pipeline.models.rows import Row
from join_pipeline.settings import Settings
from join_pipeline.sources.join.feeds import APPLICATIONS
from join_pipeline.sources.join.mapping.application import map_application
from join_pipeline.sources.join.payloads import ApplicationPayload

MAX_KEY: Final = 255
READS: Final = 3
READ_AGAIN_SECONDS: Final = 1.0
Sleep = Callable[[float], None]


class Created(msgspec.Struct, kw_only=True):
    """An application that JOIN has, with the columns of our models. `changed_at` is null until a sync has seen it.

    `warnings` say which parts of the request JOIN does not have. They name fields, never values. `is_replay` says that
    the same request had created it before.
    """

    application: Row
    candidate: Row
    warnings: list[str]
    key: str
    is_replay: bool = False


def create_application(
    settings: Settings, request: Mapping[str, Any], *, key: str | None = None, sleep: Sleep = time.sleep
) -> Created:
    """Create the application that `request` describes, with its candidate. A repeated request creates nothing again.

    `key` tells one request from another. Without it, the applicant's e-mail address and the job do. Raises `InputError`
    before anything is sent, `AlreadyAppliedError` where the person has applied to the job otherwise, a `SourceError`
    where JOIN does not take the application. After a `SourceError` the same request may be made again.
    """
    checked = read_request(request)
    if key is not None and not 0 < len(key.strip()) <= MAX_KEY:
        raise InputError("key", f"must have 1 to {MAX_KEY} characters")
    source = written_source(checked.source, settings.platform, source_table(settings.written_source_csv))
    with open_session(settings) as session:
        job = look_up_job(session, checked.application.job_id)
        person = session.journal.opaque_key("address", str(job.id), checked.candidate.email_address.casefold())
        chosen = person if key is None else session.journal.opaque_key("key", key.strip())
        digest = session.journal.opaque_key("request", str(job.id), checked.canonical())
        with session.journal.locked(chosen, person):
            creation = Creation(session, chosen, sleep)
            entry = creation.look_up()
            if entry is not None:
                if entry.request != digest:
                    raise _conflict(session, entry, is_key_given=key is not None)
                return creation.answer(entry, checked, source, is_replay=True)
            refuse_closed(job)
            kept = creation.kept_for(digest) or Kept(
                job=str(job.id),
                person=checked.candidate,
                source=source.word,
                documents=read_documents(checked.attachments, session.url_downloader(sleep)),
            )
            entry = creation.create(kept, digest, source.name)
            return creation.answer(entry, checked, source)


def create_candidate(
    settings: Settings, request: Mapping[str, Any], *, key: str | None = None, sleep: Sleep = time.sleep
) -> dict[str, Any]:
    """Create the application. The answer is the candidate with its `applications`, and the `warnings`."""
    return as_candidate(create_application(settings, request, key=key, sleep=sleep))


def as_candidate(created: Created) -> dict[str, Any]:
    """The same answer with the application inside the candidate."""
    return {
        "candidate": {**created.candidate, "applications": [created.application]},
        "warnings": created.warnings,
        "key": created.key,
        "is_replay": created.is_replay,
    }


@dataclass(slots=True)
class Creation:
    """The creation under one key, in the journal and at JOIN. The caller holds the key's lock."""

    session: Session
    key: str
    sleep: Sleep = time.sleep

    def look_up(self) -> Entry | None:
        """The creation, if JOIN has it. Where an earlier attempt's result is unknown, JOIN is asked first."""
        entry = self.session.journal.entry(self.key)
        if entry is None or entry.state == "created":
            return entry
        kept = self.session.journal.kept(self.key)
        if kept is None:
            return None
        try:
            found = self._submission(kept, entry.sent_at, is_uncertain=True).look_up()
        except AlreadyAppliedError as error:
            self.session.journal.forget(self.key)
            raise self._with_our_id(error) from None
        return None if found is None else self._record_created(entry, found)

    def kept_for(self, digest: str) -> Kept | None:
        """What an earlier attempt of the same request kept, so that nothing is downloaded twice."""
        entry = self.session.journal.entry(self.key)
        return self.session.journal.kept(self.key) if entry and entry.request == digest else None

    def create(self, kept: Kept, digest: str, source_name: str | None) -> Entry:
        """Send what is kept. The journal has its row before JOIN is called."""
        journal = self.session.journal
        before = journal.entry(self.key)
        now = self.session.client.clock.earliest()
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
        submission = self._submission(kept, entry.sent_at, is_uncertain=before is not None)
        try:
            return self._record_created(entry, submission.send())
        except AlreadyAppliedError as error:
            journal.forget(self.key)
            raise self._with_our_id(error) from None
        except (PermanentError, AuthError) as error:
            if not submission.is_uncertain:
                journal.forget(self.key)
                raise
            raise type(error)(f"{error} {UNKNOWN_END}") from None
        except TransientError as error:
            raise TransientError(f"{error} {UNKNOWN_END if submission.is_uncertain else NOT_CREATED}") from None

    def answer(
        self, entry: Entry, request: ApplicationRequest | None, source: WrittenSource, *, is_replay: bool = False
    ) -> Created:
        """The application as JOIN has it now, and which parts of the request JOIN does not have."""
        warnings = (
            [f"{field} is not written: JOIN has no place for it" for field in request.not_written] if request else []
        )
        if source.warning:
            warnings.append(f"source: {source.warning}")
        if is_replay:
            warnings.append("it was created before, by the same request; nothing was sent")
        payload, unsent = self.verify(entry, is_new=not is_replay)
        if payload is None:
            warnings.append(
                "JOIN has taken it, and could not be asked for it afterwards: most fields are empty, and it is not "
                "known whether all attachments are there; `join-pipeline attachments resend` looks again"
            )
            return Created(**self._known_rows(entry), warnings=warnings, key=self.key, is_replay=is_replay)
        warnings += differences(payload, request, source)
        warnings += [f"{name} was not taken by JOIN; {KEPT}" for name in unsent]
        application = read(ApplicationPayload, msgspec.json.encode(payload))
        mapped = map_application(application, payload, self.session.ids)
        return Created(
            application=with_all_columns("applications", mapped.rows["applications"][0]),
            candidate=with_all_columns("candidates", next(iter(mapped.rows.get("candidates", [{}])))),
            warnings=warnings,
            key=self.key,
            is_replay=is_replay,
        )

    def verify(self, entry: Entry, *, is_new: bool = False) -> tuple[Row | None, list[str]]:
        """The application as JOIN shows it, and the names of the attachments that it lacks.

        The kept file is removed once JOIN shows all of it. Raises `NotFoundError` if the application is gone.
        """
        journal = self.session.journal
        kept = journal.kept(self.key)
        payload, places = None, list[int]()
        for attempt in range(READS):
            if attempt:
                self.sleep(READ_AGAIN_SECONDS)  # it, and its files, may show up a moment later
            payload = self._get_application(entry, is_new=is_new)
            places = missing_documents(kept, payload) if kept and payload else []
            if payload is not None and not places:
                break
        if kept is None or payload is None:
            return payload, []
        if not places:
            journal.drop(self.key)
            return payload, []
        journal.keep(self.key, msgspec.structs.replace(kept, unsent=places))
        return payload, [f"attachments[{place}] ({kept.documents[place].type})" for place in places]

    def _submission(self, kept: Kept, sent_at: datetime, *, is_uncertain: bool) -> Submission:
        return Submission(self.session.client, self.key, kept, sent_at, is_uncertain, self.sleep)

    def _record_created(self, entry: Entry, sent: Submitted) -> Entry:
        """Record the creation in the journal, once JOIN's id is known."""
        if sent.application is None:
            kept = self.session.journal.kept(self.key)
            known = self._submission(kept, entry.sent_at, is_uncertain=True).look_up() if kept else None
            if known is None:
                raise TransientError(f"JOIN has taken the application and does not show it yet. {UNKNOWN_END}")
            sent = Submitted(known.application, known.candidate or sent.candidate, sent.places)
        done = msgspec.structs.replace(
            entry, state="created", application=sent.application, candidate=sent.candidate or entry.candidate
        )
        self.session.journal.write(done)
        return done

    def _get_application(self, entry: Entry, *, is_new: bool) -> Row | None:
        """The application as JOIN shows it, if it does. Raises `NotFoundError` if JOIN has it no longer."""
        try:
            body, _ = self.session.client.get(APPLICATIONS.record_path(entry.application or ""))
        except NotFoundError:
            if is_new:
                return None
            self.session.journal.drop(self.key)
            raise NotFoundError(
                f"The application remote:{entry.application} was created by this request, and JOIN has it no longer: "
                "it was withdrawn or removed. It is not created a second time."
            ) from None
        except TransientError:
            return None
        payload: Row = msgspec.json.decode(body)
        return payload

    def _known_rows(self, entry: Entry) -> dict[str, Row]:
        ids = self.session.ids
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
        return {name.removesuffix("s"): with_all_columns(name, row) for name, row in known.items()}

    def _with_our_id(self, error: AlreadyAppliedError) -> AlreadyAppliedError:
        """The same error with our id of the application that JOIN has."""
        ours = self.session.ids.maybe("applications", error.remote_id)
        return AlreadyAppliedError(f"{error} Its id is {ours}." if ours else str(error), ours, error.remote_id)


UNKNOWN_END: Final = (
    "Whether JOIN has taken the application is not known. Make the same request again, or run `join-pipeline "
    "attachments resend`: it is looked up before it is sent."
)
KEPT: Final = "it is kept, and `join-pipeline attachments resend` sends it"
NOT_CREATED: Final = "Nothing was created. Make the same request again, or run `join-pipeline attachments resend`."


def _conflict(session: Session, entry: Entry, *, is_key_given: bool) -> PipelineError:
    if is_key_given:
        return InputError("key", "was used for another request, which is created. Take another key")
    ours = session.ids.maybe("applications", entry.application)
    error = already_applied(None)
    return AlreadyAppliedError(
        f"{error} It was created from here before, as {ours}, by a request that differed.", ours, entry.application
    )
