"""The bytes of a response's body: unpacked within a limit, and JSON in any encoding as UTF-8.

Belongs here: Content-Encoding, charsets, byte-order marks. Not here: whether a text is JSON (bodies), what it means.

Headers are less reliable than bytes: a proxy may unpack a body and keep its header, or name a charset that it is not
in. So what the bytes show goes before what the headers say.
"""

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from typing import Final

import httpx

MAX_BYTES: Final = 64 * 2**20
ACCEPTED: Final = "gzip, deflate"
CHUNK: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_WBITS_GZIP: Final = zlib.MAX_WBITS | 16
_IS_CHARSET: Final = re.compile(r"iso8859|cp\d|latin|ascii|koi8|mac-|gb|big5|shift_jis|euc_|utf-")


class TooLargeError(httpx.DecodingError):
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
                raise TooLargeError(f"The body has more than {MAX_BYTES:,} bytes")
        yield unpacked(bytes(whole), self._codings)

    def close(self) -> None:
        self._body.close()


def codings_of(headers: httpx.Headers) -> list[str]:
    """The codings in `Content-Encoding`, in the order in which they were applied."""
    return [word.strip().lower() for word in headers.get("content-encoding", "").split(",") if word.strip()]


def unpacked(body: bytes, codings: list[str]) -> bytes:
    """The body without its codings. A coding that is unknown, or that the bytes do not show, changes nothing.

    Raises `httpx.DecodingError` if a packed body is broken or ends too early.
    """
    for coding in reversed(codings):
        if coding in {"gzip", "x-gzip"} and body.startswith(_GZIP):
            body = _gunzipped(body)
        elif coding == "deflate" and body:
            body = _inflated(body)
    return body


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
    """All members of a gzip body. What follows the last one is padding."""
    whole, place = bytearray(), 0
    while body.startswith(_GZIP, place):
        place = _grow(whole, zlib.decompressobj(_WBITS_GZIP), body, place)
    return bytes(whole)


def _inflated(body: bytes) -> bytes:
    """A `deflate` body with or without zlib's head: servers send both."""
    for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        whole = bytearray()
        try:
            _grow(whole, zlib.decompressobj(wbits), body, 0)
        except TooLargeError:
            raise
        except httpx.DecodingError:
            continue
        return bytes(whole)
    if body.lstrip()[:1] in (b"[", b"{"):
        return body  # it was unpacked on its way
    raise httpx.DecodingError("The body is no deflate stream, or it ends too early")


def _grow(whole: bytearray, stream: "zlib._Decompress", body: bytes, place: int) -> int:
    """Unpack the stream that begins at `place` to the end of `whole`, and return the place after it."""
    try:
        while not stream.eof:
            piece = body[place : place + CHUNK]
            part = stream.decompress(piece, CHUNK)
            n_read = len(piece) - len(stream.unused_data if stream.eof else stream.unconsumed_tail)
            if not part and not n_read and not stream.eof:
                raise httpx.DecodingError("The packed body ends too early")
            place += n_read
            whole += part
            if len(whole) > MAX_BYTES:
                raise TooLargeError(f"The body has more than {MAX_BYTES:,} bytes once it is unpacked")
    except zlib.error:
        raise httpx.DecodingError("The packed body is broken") from None
    return place
