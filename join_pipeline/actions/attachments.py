"""Attachments of applications and candidates: listing them, and downloading them.

Belongs here: what JOIN shows of attachments, and saving their files. Not here: the download itself (download), safe
names (file_names).

JOIN gives an attachment a type and a URL that expires, and no id, name or media type. The id is made from the
application and the URL without its signature. Name and media type come from the response's headers, from the URL, or
from the first bytes.
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

from join_pipeline.actions.download import FileResponse, GoneError, parse_url
from join_pipeline.actions.file_names import new_file, safe_name
from join_pipeline.actions.media_types import OCTETS, SNIFFED, file_extension, media_type
from join_pipeline.actions.remote_ids import remote_application_id, remote_application_ids
from join_pipeline.actions.session import Session, open_session
from join_pipeline.errors import ContractError, InputError, NotFoundError, SourceError
from join_pipeline.models.rows import without_query
from join_pipeline.settings import Settings
from join_pipeline.sources.join.feeds import APPLICATIONS

MAX_FILE_BYTES: Final = 100 * 2**20
TYPES: Final = {"CV": "CV", "JOIN_CV": "CV", "COVER_LETTER": "COVER_LETTER"}
"""The unified model's types by JOIN's types. Every other type is OTHER."""


class ListedAttachment(msgspec.Struct, kw_only=True):
    """One attachment. `data_url` is null where JOIN gives no URL. A URL expires, and may need JOIN's token.

    `fault` says why the file could not be read. Then the name is made from the attachment's type.
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


class SavedAttachment(msgspec.Struct, kw_only=True):
    """One downloaded attachment, or the `fault` that prevented the download."""

    id: str
    type: str
    content_type: str | None
    application_id: str
    path: Path | None = None
    n_bytes: int = 0
    fault: str | None = None


def application_attachments(settings: Settings, application_id: str) -> list[ListedAttachment]:
    """The attachments of an application, by our id or by `remote:` and JOIN's id."""
    with open_session(settings) as session:
        application = remote_application_id(session, application_id)
        return [_described(session, item) for item in _shown(session, application)]


def candidate_attachments(settings: Settings, candidate_id: str) -> list[ListedAttachment]:
    """The attachments of a candidate's known applications, by the candidate's id, ours or `remote:` and JOIN's."""
    with open_session(settings) as session:
        applications = remote_application_ids(session, candidate_id)
        return [_described(session, item) for one in applications for item in _shown(session, one, is_only=False)]


def save_attachments(
    settings: Settings,
    folder: Path,
    *,
    application_id: str | None = None,
    candidate_id: str | None = None,
    attachment_id: str | None = None,
    max_bytes: int = MAX_FILE_BYTES,
) -> list[SavedAttachment]:
    """Download the attachments of an application or a candidate, or one of them, into `folder`.

    Names are made safe, nothing is overwritten, and each file is limited in size. A failed download stops no other.
    """
    if (application_id is None) == (candidate_id is None):
        raise InputError("application_id", "needs exactly one of application_id and candidate_id")
    with open_session(settings) as session:
        if application_id is not None:
            items = _shown(session, remote_application_id(session, application_id))
        else:
            applications = remote_application_ids(session, candidate_id or "")
            items = [item for one in applications for item in _shown(session, one, is_only=False)]
        if attachment_id is not None:
            items = [item for item in items if item.id == attachment_id]
            if not items:
                raise InputError("attachment_id", "names no attachment that JOIN shows now")
        return [_downloaded(session, item, folder, max_bytes) for item in items]


@dataclass(frozen=True, slots=True)
class ShownAttachment:
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


def _shown(session: Session, application: str, *, is_only: bool = True) -> list[ShownAttachment]:
    """The attachments that an application shows now. Raises `NotFoundError` if JOIN has it no longer and `is_only`."""
    try:
        body, _ = session.client.get(APPLICATIONS.record_path(application))
    except NotFoundError:
        if not is_only:
            return []
        raise NotFoundError(f"JOIN has no application {application} (any more).") from None
    payload = msgspec.json.decode(body)
    shown = payload.get("attachments") if isinstance(payload, dict) else None
    candidate = payload.get("candidate") if isinstance(payload, dict) else None
    person = candidate.get("id") if isinstance(candidate, dict) else None
    items: list[ShownAttachment] = []
    for place, raw in enumerate(shown if isinstance(shown, list) else []):
        given = raw if isinstance(raw, dict) else {}
        kind, url = given.get("type"), given.get("url")
        # a file keeps its id when its URL is signed anew
        mark = hashlib.sha256(str(without_query(url) if isinstance(url, str) else place).encode()).hexdigest()[:16]
        remote = f"{application}/{kind}/{mark}"
        if any(item.remote_id == remote for item in items):
            remote = f"{remote}/{place}"
        items.append(
            ShownAttachment(
                id=session.ids.of("attachments", remote),
                remote_id=remote,
                type=TYPES.get(str(kind), "OTHER"),
                remote_type=kind if isinstance(kind, str) else None,
                url=url if isinstance(url, str) else None,
                application=application,
                application_id=session.ids.of("applications", application),
                candidate_id=session.ids.maybe("candidates", person),
                place=place,
            )
        )
    return items


def _described(session: Session, item: ShownAttachment) -> ListedAttachment:
    """The attachment with its name and media type. Only the response's headers and first bytes are read."""
    name, kind, fault = _fallback_name(item, None), None, None
    try:
        with _open_file(session, item) as answer:
            beginning = b"".join(_first_chunks(answer.chunks(MAX_FILE_BYTES), SNIFFED))
            name, kind = _name_and_type(item, answer.headers, beginning)
    except SourceError as error:
        fault = str(error)
    return ListedAttachment(
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


def _downloaded(session: Session, item: ShownAttachment, folder: Path, max_bytes: int) -> SavedAttachment:
    saved = SavedAttachment(id=item.id, type=item.type, content_type=None, application_id=item.application_id)
    try:
        with _open_file(session, item) as answer:
            chunks = answer.chunks(max_bytes)
            beginning = b"".join(_first_chunks(chunks, SNIFFED))
            name, saved.content_type = _name_and_type(item, answer.headers, beginning)
            with new_file(folder, name) as (file, placed):
                saved.n_bytes = file.write(beginning)
                for chunk in chunks:
                    saved.n_bytes += file.write(chunk)
            saved.path = placed[0]
    except SourceError as error:
        saved.fault, saved.n_bytes = str(error), 0
    return saved


@contextlib.contextmanager
def _open_file(session: Session, item: ShownAttachment) -> Iterator[FileResponse]:
    """The response with the file. An expired URL is renewed once, by reading the application again."""
    with contextlib.ExitStack() as stack:
        try:
            answer = stack.enter_context(session.join_downloader.open(_url(item)))
        except GoneError:
            again = next((one for one in _shown(session, item.application) if one.id == item.id), None)
            if again is None:
                raise
            answer = stack.enter_context(session.join_downloader.open(_url(again)))
        yield answer


def _url(item: ShownAttachment) -> str:
    try:
        parse_url(item.url or "")
    except InputError:
        raise ContractError("JOIN shows this attachment without a URL that could be fetched.") from None
    return item.url or ""


def _first_chunks(chunks: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    n = 0
    while n < n_bytes and (chunk := next(chunks, b"")):
        n += len(chunk)
        yield chunk


def _name_and_type(item: ShownAttachment, headers: httpx.Headers, beginning: bytes) -> tuple[str, str]:
    """A safe name with an extension, and the media type."""
    told = _name_in_headers(headers) or _name_in_url(item.url)
    kind = media_type(beginning, headers.get("content-type"), told or "")
    name = safe_name(told) if told else _fallback_name(item, kind)
    if "." not in name and kind != OCTETS:
        name += file_extension(kind)
    return name, kind


def _name_in_headers(headers: httpx.Headers) -> str | None:
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


def _fallback_name(item: ShownAttachment, kind: str | None) -> str:
    end = file_extension(kind) if kind else ""
    return safe_name(f"{(item.remote_type or 'attachment').lower()}-{item.place + 1}{end}")
