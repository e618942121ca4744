"""Attachments of applications and candidates, listed live and downloaded on request.

JOIN gives an attachment a type and a URL that expires, and no id, name or media type: the id is made of the
application and the URL without its signature, name and media type come with the file's answer or are made of its first
bytes.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from join_pipeline.actions.download import Answer, GoneError, parsed
from join_pipeline.actions.media import OCTETS, SNIFFED, end_of_name, media_type
from join_pipeline.actions.names import new_file, safe_name
from join_pipeline.actions.remote_ids import application_of, applications_of
from join_pipeline.actions.session import Desk, opened
from join_pipeline.errors import ContractError, InputError, NotFoundError, SourceError
from join_pipeline.models.rows import without_query
from join_pipeline.settings import Settings
from join_pipeline.sources.join.feeds import APPLICATIONS

MAX_FILE_BYTES: Final = 100 * 2**20
TYPES: Final = {"CV": "CV", "JOIN_CV": "CV", "COVER_LETTER": "COVER_LETTER"}
"""JOIN's types to those of the unified model; every other one is OTHER."""


class Listed(msgspec.Struct, kw_only=True):
    """One attachment. `data_url` opens the file until it expires, for who has the token; null: JOIN gave none.

    `fault` says why the file could not be looked into: then name and media type are guesses by its type.
    """

    id: str
    remote_id: str
    type: str
    remote_type: str | None
    file_name: str
    content_type: str | None
    application_id: str
    candidate_id: str | None
    data_url: str | None
    remote_created_at: None = None
    remote_updated_at: None = None
    fault: str | None = None


class Saved(msgspec.Struct, kw_only=True):
    """One downloaded attachment, or why it is not."""

    id: str
    type: str
    content_type: str | None
    application_id: str
    path: Path | None = None
    n_bytes: int = 0
    fault: str | None = None


def application_attachments(settings: Settings, application_id: str) -> list[Listed]:
    """The attachments of an application, of our id or `remote:` and JOIN's."""
    with opened(settings) as desk:
        application = application_of(desk, application_id)
        return [_looked_into(desk, item) for item in _items(desk, application)]


def candidate_attachments(settings: Settings, candidate_id: str) -> list[Listed]:
    """The attachments of all of a candidate's applications that are known here, of our id or `remote:` and JOIN's."""
    with opened(settings) as desk:
        applications = applications_of(desk, candidate_id)
        return [_looked_into(desk, item) for one in applications for item in _items(desk, one, is_only=False)]


def save_attachments(
    settings: Settings,
    folder: Path,
    *,
    application_id: str | None = None,
    candidate_id: str | None = None,
    attachment_id: str | None = None,
    max_bytes: int = MAX_FILE_BYTES,
) -> list[Saved]:
    """Download the attachments of an application or a candidate, or one of them, into `folder`.

    Every name is made safe, nothing is overwritten, each file is bounded; one that can't be had does not stop the rest.
    """
    if (application_id is None) == (candidate_id is None):
        raise InputError("application_id", "needs exactly one of application_id and candidate_id")
    with opened(settings) as desk:
        if application_id is not None:
            items = _items(desk, application_of(desk, application_id))
        else:
            applications = applications_of(desk, candidate_id or "")
            items = [item for one in applications for item in _items(desk, one, is_only=False)]
        if attachment_id is not None:
            items = [item for item in items if item.id == attachment_id]
            if not items:
                raise InputError("attachment_id", "names no attachment that JOIN shows now")
        return [_saved(desk, item, folder, max_bytes) for item in items]


@dataclass(frozen=True, slots=True)
class Item:
    """An attachment as an application's payload shows it."""

    id: str
    remote_id: str
    type: str
    remote_type: str | None
    url: str | None
    application: str
    application_id: str
    candidate_id: str | None
    place: int


def _items(desk: Desk, application: str, *, is_only: bool = True) -> list[Item]:
    """What the application shows now; nothing where one of several has gone meanwhile."""
    try:
        body, _ = desk.client.get(APPLICATIONS.record_path(application))
    except NotFoundError:
        if not is_only:
            return []
        raise NotFoundError(f"JOIN has no application {application} (any more).") from None
    payload = msgspec.json.decode(body)
    shown = payload.get("attachments") if isinstance(payload, dict) else None
    candidate = payload.get("candidate") if isinstance(payload, dict) else None
    person = candidate.get("id") if isinstance(candidate, dict) else None
    items: list[Item] = []
    for place, raw in enumerate(shown if isinstance(shown, list) else []):
        given = raw if isinstance(raw, dict) else {}
        kind, url = given.get("type"), given.get("url")
        # the same file has the same id whatever its signature is today
        mark = hashlib.sha256(str(without_query(url) if isinstance(url, str) else place).encode()).hexdigest()[:16]
        remote = f"{application}/{kind}/{mark}"
        if any(item.remote_id == remote for item in items):
            remote = f"{remote}/{place}"
        items.append(
            Item(
                id=desk.ids.of("attachments", remote),
                remote_id=remote,
                type=TYPES.get(str(kind), "OTHER"),
                remote_type=kind if isinstance(kind, str) else None,
                url=url if isinstance(url, str) else None,
                application=application,
                application_id=desk.ids.of("applications", application),
                candidate_id=desk.ids.maybe("candidates", person),
                place=place,
            )
        )
    return items


def _looked_into(desk: Desk, item: Item) -> Listed:
    """The attachment with its name and media type: its answer's headers and first bytes are read, no more."""
    name, kind, fault = _fallback_name(item, None), None, None
    try:
        with _opened(desk, item) as answer:
            beginning = b"".join(_until(answer.chunks(MAX_FILE_BYTES), SNIFFED))
            name, kind = _named(item, answer.headers, beginning)
    except SourceError as error:
        fault = str(error)
    return Listed(
        id=item.id,
        remote_id=item.remote_id,
        type=item.type,
        remote_type=item.remote_type,
        file_name=name,
        content_type=kind,
        application_id=item.application_id,
        candidate_id=item.candidate_id,
        data_url=item.url,
        fault=fault,
    )


def _saved(desk: Desk, item: Item, folder: Path, max_bytes: int) -> Saved:
    saved = Saved(id=item.id, type=item.type, content_type=None, application_id=item.application_id)
    try:
        with _opened(desk, item) as answer:
            chunks = answer.chunks(max_bytes)
            beginning = b"".join(_until(chunks, SNIFFED))
            name, saved.content_type = _named(item, answer.headers, beginning)
            with new_file(folder, name) as (file, placed):
                saved.n_bytes = file.write(beginning)
                for chunk in chunks:
                    saved.n_bytes += file.write(chunk)
            saved.path = placed[0]
    except SourceError as error:
        saved.fault, saved.n_bytes = str(error), 0
    return saved


@contextlib.contextmanager
def _opened(desk: Desk, item: Item) -> Iterator[Answer]:
    """The file's answer. A URL that has expired is renewed once, by asking for the application again."""
    with contextlib.ExitStack() as stack:
        try:
            answer = stack.enter_context(desk.join_files.opened(_url(item)))
        except GoneError:
            again = next((one for one in _items(desk, item.application) if one.id == item.id), None)
            if again is None:
                raise
            answer = stack.enter_context(desk.join_files.opened(_url(again)))
        yield answer


def _url(item: Item) -> str:
    try:
        parsed(item.url or "")
    except InputError:
        raise ContractError("JOIN shows this attachment without a URL that could be fetched.") from None
    return item.url or ""


def _until(chunks: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    n = 0
    while n < n_bytes and (chunk := next(chunks, b"")):
        n += len(chunk)
        yield chunk


def _named(item: Item, headers: httpx.Headers, beginning: bytes) -> tuple[str, str]:
    """A safe name with an end, and the media type."""
    told = _told_name(headers) or _name_in_url(item.url)
    kind = media_type(beginning, headers.get("content-type"), told or "")
    name = safe_name(told) if told else _fallback_name(item, kind)
    if "." not in name and kind != OCTETS:
        name += end_of_name(kind)
    return name, kind


def _told_name(headers: httpx.Headers) -> str | None:
    message = Message()
    message["content-disposition"] = headers.get("content-disposition", "").encode("ascii", "replace").decode()
    try:
        name = message.get_filename()
    except (ValueError, LookupError):
        return None
    return name or None


def _name_in_url(url: str | None) -> str | None:
    last = unquote(urlsplit(url or "").path.rpartition("/")[2])
    return last if "." in last.strip(".") else None


def _fallback_name(item: Item, kind: str | None) -> str:
    end = end_of_name(kind) if kind else ""
    return safe_name(f"{(item.remote_type or 'attachment').lower()}-{item.place + 1}{end}")
