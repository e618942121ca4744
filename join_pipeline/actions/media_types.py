"""Media types: which type some bytes have, by their beginning, and which extension a type has.

Belongs here: pure functions over bytes and names. Not here: safe names (file_names).
"""

import mimetypes
import re
from typing import Final

SNIFFED: Final = 2048
OCTETS: Final = "application/octet-stream"
HTML: Final = "text/html"
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ZIP: Final = "application/zip"
_OLE: Final = "application/x-ole-storage"
_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"PK\x03\x04", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
)
_EXTENSIONS: Final = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "application/rtf": ".rtf",
    _ZIP: ".zip",
    _WORD: ".docx",
    "application/msword": ".doc",
    "text/plain": ".txt",
    HTML: ".html",
}
# what a server answers with in place of a file: a login page, or why it has none
_PAGES: Final = frozenset({HTML, "application/xhtml+xml", "application/json", "application/xml", "text/xml"})
_HTML: Final = re.compile(
    rb"(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|(html|head|body|title|meta|script|link|style|base)[\s>/])",
    re.IGNORECASE | re.DOTALL,
)
# formats that are containers: only the name or the sender says what is in them
_CONTAINERS: Final = {
    _ZIP: ("application/vnd.", "application/epub", "application/x-zip", "application/java"),
    _OLE: ("application/msword", "application/vnd.ms-", "application/vnd.visio"),
}


def sniff(beginning: bytes) -> str | None:
    """The media type by the first bytes. None where they don't show it."""
    for prefix, kind in _BEGINNINGS:
        if beginning.startswith(prefix):
            return kind
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    start = beginning.translate(None, b"\0") if beginning[:2] in {b"\xff\xfe", b"\xfe\xff"} else beginning
    return HTML if _HTML.match(start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")) else None


def is_page(beginning: bytes, told: str | None, name: str) -> bool:
    """Whether a web page or an error message came where a file with this name is due."""
    due = mimetypes.guess_type(name)[0] or OCTETS
    kind = sniff(beginning)
    if due in _PAGES or kind not in {HTML, None}:
        return False
    said = (told or "").partition(";")[0].strip().lower()
    if kind == HTML or due == OCTETS:
        return HTML in {kind, said}
    return said in _PAGES and not due.startswith("text/")  # some servers call every text a page


def media_type(beginning: bytes, told: str | None, name: str) -> str:
    """The media type of a file: by its bytes, else by the type that its sender gave, else by its name."""
    kind = sniff(beginning)
    told = (told or "").partition(";")[0].strip().lower() or None
    others = (told, mimetypes.guess_type(name)[0])
    if kind in _CONTAINERS:
        return next((other for other in others if other and other.startswith(_CONTAINERS[kind])), kind)
    if kind is not None:
        return kind
    known = next((other for other in others if other and other != OCTETS), None)
    return known or ("text/plain" if _is_text(beginning) else OCTETS)


def contradicts(beginning: bytes, told: str) -> bool:
    """Whether the bytes show another media type than the given one."""
    kind = sniff(beginning)
    told = told.partition(";")[0].strip().lower()
    if kind is None or told in {kind, OCTETS}:
        return False
    same = {kind, told} <= {"image/jpeg", "image/jpg"} or {kind, told} <= {"application/rtf", "text/rtf"}
    return not same and not told.startswith(_CONTAINERS.get(kind, ("\0",)))


def file_extension(kind: str) -> str:
    """The extension of a media type, such as `.pdf`. It is `.bin` for an unknown type."""
    return _EXTENSIONS.get(kind) or mimetypes.guess_extension(kind) or ".bin"


def _is_text(beginning: bytes) -> bool:
    try:
        text = beginning.decode()
    except UnicodeDecodeError as error:
        if error.start < len(beginning) - 3:  # not just a letter that was cut
            return False
        text = beginning[: error.start].decode()
    return bool(text) and all(letter.isprintable() or letter in "\t\r\n\f" for letter in text)
