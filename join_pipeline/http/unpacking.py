"""The bytes of a response's body: unpacked within a limit, and JSON in any encoding as UTF-8.

Belongs here: Content-Encoding, charsets, byte-order marks. Not here: whether a text is JSON (bodies), what it means.

Headers are less reliable than bytes: a proxy may unpack a body and keep its header, or name a charset that it is not
in. So what the bytes show goes before what the headers say.
"""

import codecs
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import httpx

from join_pipeline.errors import foreign

MAX_BYTES: Final = 64 * 2**20
ACCEPTED: Final = "gzip, deflate"
CHUNK: Final = 64 * 1024
GZIP: Final = frozenset({"gzip", "x-gzip"})
UNPACKED: Final = GZIP | {"deflate"}
_GZIP: Final = b"\x1f\x8b"
_WBITS_GZIP: Final = zlib.MAX_WBITS | 16
_IS_CHARSET: Final = re.compile(r"iso8859|cp\d|latin|ascii|koi8|mac-|gb|big5|shift_jis|euc_|utf-")


class UnpackingError(httpx.DecodingError):
    """The body can't be unpacked. The message is ours, without a full stop, and never quotes the body."""


class TooLargeError(UnpackingError):
    """The body has more bytes than the limit."""


class Unpacked(httpx.SyncByteStream):
    """A response's body, packed by the codings that its head named, read as one piece within `MAX_BYTES`."""

    def __init__(self, body: httpx.SyncByteStream, codings: list[str]) -> None:
        self._body = body
        self._codings = codings

    def __iter__(self) -> Iterator[bytes]:
        whole = bytearray()
        for chunk in self._body:
            whole += chunk
            if len(whole) > MAX_BYTES:
                raise TooLargeError(f"the body has more than {MAX_BYTES:,} bytes")
        yield unpacked(bytes(whole), self._codings)

    def close(self) -> None:
        self._body.close()


def why_not_unpacked(error: httpx.DecodingError) -> str:
    """Why a body was not unpacked, in a sentence of ours."""
    return str(error) if isinstance(error, UnpackingError) else foreign(error)


def codings_of(headers: httpx.Headers) -> list[str]:
    """The codings in `Content-Encoding`, in the order in which they were applied."""
    return [word.strip().lower() for word in headers.get("content-encoding", "").split(",") if word.strip()]


def unpacked(body: bytes, codings: list[str]) -> bytes:
    """The body without its codings. A coding that is unknown, or that the bytes do not show, changes nothing.

    Raises `UnpackingError` if a packed body is broken or ends too early.
    """
    for coding in reversed(codings):
        if coding in GZIP and body.startswith(_GZIP):
            body = _gunzipped(body)
        elif coding == "deflate" and body:
            body = _inflated(body)
    return body


def unpacking(pieces: Iterator[bytes], codings: list[str], max_bytes: int) -> Iterator[bytes]:
    """The same piece by piece, of bodies that are too large to be held. No coding may unpack to more than `max_bytes`.

    Only the head of a `deflate` body is looked at: a file may begin with anything, so nothing else tells what it is.
    """
    for coding in reversed(codings):
        if coding in UNPACKED:
            pieces = _unpacking(pieces, coding, max_bytes)
    return pieces


def _unpacking(pieces: Iterator[bytes], coding: str, max_bytes: int) -> Iterator[bytes]:
    first, rest = _beginning(pieces)
    if not first or (coding in GZIP and not first.startswith(_GZIP)):
        yield first  # it was unpacked on its way
        yield from rest
        return
    wbits = _WBITS_GZIP if coding in GZIP else zlib.MAX_WBITS if _has_zlib_head(first) else -zlib.MAX_WBITS
    yield from _streamed(chain([first], rest), wbits, max_bytes)


def as_utf8(body: bytes, content_type: str) -> bytes:
    """JSON in UTF-8 and without a byte-order mark, whichever encoding it came in; the same bytes if none fits.

    JSON that is packed although no header says so is unpacked: no JSON begins like gzip.
    """
    if body.startswith(_GZIP):
        body = _gunzipped(body)
    found = json.detect_encoding(body)  # by the mark, or by where the first characters have zeros
    if found != "utf-8":
        return _recoded(body, found) or body
    try:
        body.decode()
    except UnicodeDecodeError:
        return _recoded(body, _charset(content_type)) or body
    return body


def _recoded(body: bytes, encoding: str | None) -> bytes | None:
    try:
        return body.decode(encoding or "utf-8").encode()
    except (UnicodeError, LookupError):
        return None


def _charset(content_type: str) -> str | None:
    """The charset in a `Content-Type`, if Python knows it as a charset of text."""
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    try:
        name = codecs.lookup(found[1]).name if found else ""
    except (LookupError, ValueError):
        return None
    return name if _IS_CHARSET.match(name) else None


def _gunzipped(body: bytes) -> bytes:
    return b"".join(_streamed(_pieces(body), _WBITS_GZIP, MAX_BYTES))


def _inflated(body: bytes) -> bytes:
    """A `deflate` body with or without zlib's head: servers send both."""
    for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            return b"".join(_streamed(_pieces(body), wbits, MAX_BYTES))
        except TooLargeError:
            raise
        except UnpackingError:
            continue
    if body.lstrip()[:1] in (b"[", b"{"):
        return body  # it was unpacked on its way
    raise UnpackingError("the body is no deflate stream, or it ends too early")


def _has_zlib_head(first: bytes) -> bool:
    return first[0] & 15 == zlib.DEFLATED and int.from_bytes(first[:2]) % 31 == 0


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[place : place + CHUNK] for place in range(0, len(body), CHUNK))


def _streamed(pieces: Iterable[bytes], wbits: int, max_bytes: int) -> Iterator[bytes]:
    """The stream that the pieces hold, unpacked: all members of gzip. What follows the last one is padding."""
    rest, pending, n_bytes, stream = iter(pieces), b"", 0, zlib.decompressobj(wbits)
    while True:
        try:
            part = stream.decompress(pending, CHUNK)
        except zlib.error:
            raise UnpackingError("the packed body is broken") from None
        n_bytes += len(part)
        if n_bytes > max_bytes:
            raise TooLargeError(f"the body has more than {max_bytes:,} bytes once it is unpacked")
        if part:
            yield part
        if stream.eof:
            pending = _beginning(rest, stream.unused_data)[0]
            if wbits != _WBITS_GZIP or not pending.startswith(_GZIP):
                return
            stream = zlib.decompressobj(wbits)
            continue
        pending = stream.unconsumed_tail
        if not pending and not part:
            following = next(rest, None)
            if following is None:
                raise UnpackingError("the packed body ends too early")
            pending = following


def _beginning(pieces: Iterator[bytes], read: bytes = b"") -> tuple[bytes, Iterator[bytes]]:
    """So much of the pieces that a packed stream shows itself, if they hold so much, and the pieces that are left."""
    while len(read) < len(_GZIP) and (piece := next(pieces, None)) is not None:
        read += piece
    return read, pieces
