"""Resending: what was kept because JOIN did not take it, or because its end is not known, is brought to its end.

A creation that JOIN never got is made. Of one that is there, the missing attachments are sent with the same request:
JOIN's API takes documents with an application only, so it is for JOIN to add them or to refuse a second application.
"""

import time
from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from join_pipeline.actions.comparison import missing
from join_pipeline.actions.create import Creation, Sleep
from join_pipeline.actions.journal import Entry, Kept
from join_pipeline.actions.send import DUPLICATE, Sending
from join_pipeline.actions.session import Desk, journal_of, opened
from join_pipeline.errors import AlreadyAppliedError, InputError, NotFoundError, PermanentError, SourceError
from join_pipeline.settings import Settings
from join_pipeline.sources.join.feeds import APPLICATIONS

Ending = Literal["sent", "created", "refused", "gone", "open"]
BY_HAND = (
    "JOIN takes documents with a new application only. Upload them in JOIN by hand (`join-pipeline attachments kept` "
    "saves them), then `join-pipeline attachments resend --forget` this key."
)


class Resent(msgspec.Struct, kw_only=True):
    """What became of one kept request. `unsent` names attachments that JOIN still lacks."""

    key: str
    ending: Ending
    message: str
    application_id: str | None = None
    unsent: list[str] = []


def resend(settings: Settings, keys: Collection[str] = (), *, sleep: Sleep = time.sleep) -> list[Resent]:
    """Bring every kept request, or those of these keys, to its end."""
    chosen = _chosen(settings, keys)
    if not chosen:
        return []
    with opened(settings) as desk:
        return [_resent(desk, key, sleep) for key in chosen]


def forget(settings: Settings, keys: Collection[str]) -> None:
    """Let go of what is kept under these keys; what was created stays known."""
    journal = journal_of(settings)
    for key in _chosen(settings, keys):
        with journal.locked(key):
            journal.drop(key)


def kept_documents(settings: Settings, key: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each attachment under a key that JOIN lacks."""
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


def _resent(desk: Desk, key: str, sleep: Sleep) -> Resent:
    creation = Creation(desk, key, sleep)
    kept = desk.journal.kept(key)
    if kept is None:
        return Resent(key=key, ending="sent", message="another command has sent it meanwhile")
    person = desk.journal.key_of("address", kept.job, kept.person.email_address.casefold())
    with desk.journal.locked(key, person):
        try:
            return _brought_to_end(creation)
        except AlreadyAppliedError as error:
            return Resent(key=key, ending="refused", message=str(error), application_id=error.application_id)
        except NotFoundError as error:
            return Resent(key=key, ending="gone", message=str(error))
        except SourceError as error:
            return Resent(key=key, ending="open", message=str(error))


def _brought_to_end(creation: Creation) -> Resent:
    journal, key = creation.desk.journal, creation.key
    kept = journal.kept(key)
    entry = creation.settled()
    if kept is None:
        return Resent(key=key, ending="sent", message="another command has sent it meanwhile")
    is_new = entry is None
    if entry is None:
        left = journal.find(key)
        entry = creation.create(kept, left.request if left else "", left.source if left else None)
    _, unsent = creation.verified(entry, is_new=is_new)
    if unsent and not is_new:
        _send_missing(creation, entry, kept)
        _, unsent = creation.verified(entry)
    ours = creation.desk.ids.maybe("applications", entry.application)
    if unsent:
        return Resent(key=key, ending="refused", message=BY_HAND, application_id=ours, unsent=unsent)
    ending: Ending = "created" if is_new else "sent"
    return Resent(key=key, ending=ending, message="JOIN has all of it", application_id=ours)


def _send_missing(creation: Creation, entry: Entry, kept: Kept) -> None:
    """Send what the application lacks, once. What JOIN answers is judged by what it shows afterwards."""
    client = creation.desk.client
    body, _ = client.get(APPLICATIONS.record_path(entry.application or ""))
    places = tuple(missing(kept, msgspec.json.decode(body)))
    sending = Sending(client, entry.key, kept, entry.sent_at, True, creation.sleep)
    answer = sending.post(places)
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
