"""Resend kept requests: those that JOIN did not take whole, and those whose result is unknown.

Belongs here: what becomes of each kept request. Not here: attempts (send), the steps of a creation (create).

An application that JOIN does not have is created. Where JOIN has the application and lacks attachments, they are sent
with the same request: JOIN's API takes documents with an application only, so JOIN either adds them or refuses.
"""

import time
from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from join_pipeline.actions.comparison import missing_documents
from join_pipeline.actions.create import Creation, Sleep
from join_pipeline.actions.journal import Entry, Kept
from join_pipeline.actions.send import DUPLICATE, Submission
from join_pipeline.actions.session import Session, journal_of, open_session
from join_pipeline.errors import AlreadyAppliedError, InputError, NotFoundError, PermanentError, SourceError
from join_pipeline.settings import Settings
from join_pipeline.sources.join.feeds import APPLICATIONS

Ending = Literal["sent", "created", "refused", "gone", "open"]
BY_HAND = (
    "JOIN takes documents with a new application only. Upload them in JOIN by hand (`join-pipeline attachments kept` "
    "saves them), then `join-pipeline attachments resend --forget` this key."
)


class Resent(msgspec.Struct, kw_only=True):
    """The result of one kept request. `unsent` names attachments that JOIN still lacks."""

    key: str
    ending: Ending
    message: str
    application_id: str | None = None
    unsent: list[str] = []


def resend(settings: Settings, keys: Collection[str] = (), *, sleep: Sleep = time.sleep) -> list[Resent]:
    """Resend every kept request, or those with these keys."""
    chosen = _chosen(settings, keys)
    if not chosen:
        return []
    with open_session(settings) as session:
        return [_resend_one(session, key, sleep) for key in chosen]


def forget(settings: Settings, keys: Collection[str]) -> None:
    """Remove the kept files of these keys. The journal still knows what was created."""
    journal = journal_of(settings)
    for key in _chosen(settings, keys):
        with journal.locked(key):
            journal.drop(key)


def kept_documents(settings: Settings, key: str) -> Iterator[tuple[str, bytes]]:
    """The name and bytes of each attachment under this key that JOIN lacks."""
    _chosen(settings, [key])
    kept = journal_of(settings).kept(key)
    if kept is not None:
        for place in kept.unsent or range(len(kept.documents)):
            yield kept.documents[place].name, kept.documents[place].content


def _chosen(settings: Settings, keys: Collection[str]) -> list[str]:
    kept = journal_of(settings).kept_keys()
    for key in keys:
        if key not in kept:
            raise InputError("key", "nothing is kept under it")
    return [key for key in kept if not keys or key in keys]


def _resend_one(session: Session, key: str, sleep: Sleep) -> Resent:
    creation = Creation(session, key, sleep)
    kept = session.journal.kept(key)
    if kept is None:
        return Resent(key=key, ending="sent", message="another command has sent it meanwhile")
    person = session.journal.opaque_key("address", kept.job, kept.person.email_address.casefold())
    with session.journal.locked(key, person):
        try:
            return _finish(creation)
        except AlreadyAppliedError as error:
            return Resent(key=key, ending="refused", message=str(error), application_id=error.application_id)
        except NotFoundError as error:
            return Resent(key=key, ending="gone", message=str(error))
        except SourceError as error:
            return Resent(key=key, ending="open", message=str(error))


def _finish(creation: Creation) -> Resent:
    journal, key = creation.session.journal, creation.key
    kept = journal.kept(key)
    entry = creation.look_up()
    if kept is None:
        return Resent(key=key, ending="sent", message="another command has sent it meanwhile")
    is_new = entry is None
    if entry is None:
        left = journal.entry(key)
        entry = creation.create(kept, left.request if left else "", left.source if left else None)
    _, unsent = creation.verify(entry, is_new=is_new)
    if unsent and not is_new:
        _send_missing(creation, entry, kept)
        _, unsent = creation.verify(entry)
    ours = creation.session.ids.maybe("applications", entry.application)
    if unsent:
        return Resent(key=key, ending="refused", message=BY_HAND, application_id=ours, unsent=unsent)
    ending: Ending = "created" if is_new else "sent"
    return Resent(key=key, ending=ending, message="JOIN has all of it", application_id=ours)


def _send_missing(creation: Creation, entry: Entry, kept: Kept) -> None:
    """Send the missing attachments once. The caller reads the application again to see what JOIN took."""
    client = creation.session.client
    body, _ = client.get(APPLICATIONS.record_path(entry.application or ""))
    places = tuple(missing_documents(kept, msgspec.json.decode(body)))
    submission = Submission(client, entry.key, kept, entry.sent_at, True, creation.sleep)
    answer = submission.post(places)
    if answer.is_success:
        told = msgspec.json.decode(answer.content)
        other = str(told.get("id")) if isinstance(told, dict) and told.get("id") else entry.application
        if other != entry.application:
            raise PermanentError(
                f"JOIN made a second application, remote:{other}, beside remote:{entry.application}, where it should "
                "have added attachments or refused. Remove the second one in JOIN."
            )
    elif not (answer.is_client_error and DUPLICATE in answer.content.lower()):
        raise client.refusal(answer, APPLICATIONS.path)
