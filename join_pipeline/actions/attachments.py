"""Attachments of applications and candidates: listing them, and downloading them.

Belongs here: what JOIN shows of attachments, and saving their files. Not here: the download itself (download), safe
names (file_names).

JOIN gives an attachment a type and a URL that expires, and no id, name or media type. The id is made from the
application and the URL without its signature. Name and media type come from the response's headers, from the URL, or
from the first bytes.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from join_pipeline.actions.content_disposition import file_name
from join_pipeline.actions.download import DownloadError, FileResponse, GoneError, TakenT, parse_url
from join_pipeline.actions.file_names import new_file, safe_name
from join_pipeline.actions.media_types import OCTETS, SNIFFED, file_extension, is_page, media_type
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
        _, name, kind = _fetched(session, item, lambda answer: _beginning(item, answer, answer.chunks(MAX_FILE_BYTES)))
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
    def save(answer: FileResponse) -> SavedAttachment:
        chunks = answer.chunks(max_bytes)
        beginning, name, kind = _beginning(item, answer, chunks)
        with new_file(folder, name) as (file, placed):
            n_bytes = file.write(beginning)
            for chunk in chunks:
                n_bytes += file.write(chunk)
        return msgspec.structs.replace(unsaved, content_type=kind, n_bytes=n_bytes, path=placed[0])

    unsaved = SavedAttachment(id=item.id, type=item.type, content_type=None, application_id=item.application_id)
    try:
        return _fetched(session, item, save)
    except SourceError as error:
        return msgspec.structs.replace(unsaved, fault=str(error))


def _fetched(session: Session, item: ShownAttachment, take: Callable[[FileResponse], TakenT]) -> TakenT:
    """What `take` makes of the file. An expired URL is renewed once, by reading the application again."""
    try:
        return session.join_downloader.fetch(_url(item), take)
    except GoneError:
        again = next((one for one in _shown(session, item.application) if one.id == item.id), None)
        if again is None:
            raise
        return session.join_downloader.fetch(_url(again), take)


def _beginning(item: ShownAttachment, answer: FileResponse, chunks: Iterator[bytes]) -> tuple[bytes, str, str]:
    """The first bytes, a safe name with an extension, and the media type. Raises `DownloadError` if it is no file."""
    beginning = b"".join(_first_chunks(chunks, SNIFFED))
    if not beginning:
        raise DownloadError(f"{answer.host} gave an empty file, of 0 bytes. Look at it in JOIN.")
    told, sender = _told_name(item, answer), answer.headers.get("content-type")
    if is_page(beginning, sender, told or ""):
        raise DownloadError(f"{answer.host} gave a web page, not a file: it may want a login.{answer.advice}")
    kind = media_type(beginning, sender, told or "")
    name = safe_name(told) if told else _fallback_name(item, kind)
    return beginning, name + (file_extension(kind) if "." not in name and kind != OCTETS else ""), kind


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


def _told_name(item: ShownAttachment, answer: FileResponse) -> str | None:
    headers = (value for name, value in answer.headers.raw if name.lower() == b"content-disposition")
    return file_name(next(headers, b"")) or _name_in_url(item.url)


def _name_in_url(url: str | None) -> str | None:
    last = unquote(urlsplit(url or "").path.rpartition("/")[2])
    return last if "." in last.strip(".") else None


def _fallback_name(item: ShownAttachment, kind: str | None) -> str:
    end = file_extension(kind) if kind else ""
    return safe_name(f"{(item.remote_type or 'attachment').lower()}-{item.place + 1}{end}")
