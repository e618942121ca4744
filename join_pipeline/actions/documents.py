"""Documents: the bytes of a request's attachments, decoded or downloaded once, and checked.

Belongs here: reading the bytes, and which bytes are refused. Not here: the attachment's other fields (request).
"""

import binascii
from base64 import b64decode
from typing import Final

import msgspec

from join_pipeline.actions.download import Downloader, DownloadError
from join_pipeline.actions.media_types import SNIFFED, contradicts, file_extension, is_page, media_type
from join_pipeline.actions.request import Attachment
from join_pipeline.errors import InputError, TransientError

MAX_BYTES: Final = 10 * 2**20
"""The limit for all attachments of an application together."""
IS_PAGE: Final = "is a web page, not a file"  # typically a login page


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment with its bytes, as JOIN takes it."""

    type: str
    name: str
    content: bytes


def read_documents(attachments: tuple[Attachment, ...], downloader: Downloader) -> list[Document]:
    """The bytes of every attachment. `InputError` names the attachment that can't be read or has the wrong content.

    Raises `TransientError` where a URL may work later. Nothing has been sent to JOIN by then.
    """
    documents: list[Document] = []
    room = MAX_BYTES
    for number, attachment in enumerate(attachments):
        where = f"attachments[{number}]"
        content = _content(attachment, where, room, downloader)
        room -= len(content)
        _check(attachment, where, content)
        documents.append(Document(type=attachment.type, name=attachment.name, content=content))
    return documents


def _content(attachment: Attachment, where: str, room: int, downloader: Downloader) -> bytes:
    too_large = f"all attachments together are larger than {MAX_BYTES // 2**20} MB"
    if attachment.data is not None:
        text = "".join(attachment.data.split())
        if len(text) > (room + 2) // 3 * 4 + 4:
            raise InputError(f"{where}.data", too_large)
        try:
            content = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise InputError(f"{where}.data", "is not base64") from None
        if len(content) > room:
            raise InputError(f"{where}.data", too_large)
        return content
    try:
        content, headers = downloader.download(attachment.data_url or "", room)
    except InputError as error:
        raise InputError(f"{where}.data_url", str(error).removeprefix("url: ")) from None
    except TransientError as error:
        raise TransientError(f"{where}.data_url: {error}") from None
    except DownloadError as error:
        raise InputError(f"{where}.data_url", str(error)) from None
    if is_page(content[:SNIFFED], headers.get("content-type"), attachment.name):
        raise InputError(f"{where}.data_url", IS_PAGE)
    return content


def _check(attachment: Attachment, where: str, content: bytes) -> None:
    field = f"{where}.data" if attachment.data is not None else f"{where}.data_url"
    if not content:
        raise InputError(field, "holds nothing")
    beginning = content[:SNIFFED]
    if attachment.content_type is not None and contradicts(beginning, attachment.content_type):
        found = media_type(beginning, None, "")
        raise InputError(f"{where}.content_type", f"is not what the data is, which is {found}")
    due = attachment.content_type and f"x{file_extension(attachment.content_type.partition(';')[0].strip().lower())}"
    if is_page(beginning, None, due or attachment.name):
        raise InputError(field, IS_PAGE)
