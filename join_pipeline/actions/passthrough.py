"""Passthrough: any call of JOIN's API with the stored token, and JOIN's answer unchanged.

Belongs here: which calls are allowed, and which headers are left out. Not here: sending (sources.join).
An error status of JOIN is data; only a missing answer is an error here. Nothing is sent twice.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import httpx
import msgspec

from join_pipeline.errors import InputError
from join_pipeline.settings import Settings
from join_pipeline.sources.join.client import JoinClient
from join_pipeline.sources.join.options import JoinOptions

READS: Final = ("GET", "HEAD", "OPTIONS")
METHODS: Final = (*READS, "POST", "PUT", "PATCH", "DELETE")
# a caller's headers must not change who is asked, with which token, nor how the body is framed
STRIPPED: Final = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
        "x-http-method-override",
    }
)
HELD_BACK: Final = frozenset({"set-cookie", "connection", "transfer-encoding", "content-encoding", "content-length"})
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%-]+")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class FormPart(msgspec.Struct, kw_only=True):
    """One part of a multipart form."""

    name: str
    value: bytes
    file_name: str | None = None
    content_type: str | None = None


class ApiResponse(msgspec.Struct, kw_only=True):
    """JOIN's answer. `data` is JSON, text, or base64 where the caller wants that."""

    url: str
    status: int
    headers: dict[str, str]
    data: Any


def is_read(method: str) -> bool:
    """Whether a call with this method changes nothing."""
    return method.upper() in READS


def call(
    settings: Settings,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    data: Any = None,
    response_as_base64: bool = False,
    multipart_form_data: list[FormPart] | None = None,
) -> ApiResponse:
    """Call JOIN once. `path` is relative to the base URL. `data` is sent as JSON; bytes are sent unchanged.

    Raises `InputError` for a path or header that could lead elsewhere, and a `SourceError` where JOIN does not answer.
    """
    verb = method.upper()
    if verb not in METHODS:
        raise InputError("method", f"must be one of {', '.join(METHODS)}")
    checked_path(path)
    sent = checked_headers(headers or {})
    content: bytes | None = None
    files = None
    if multipart_form_data is not None:
        if data is not None:
            raise InputError("data", "goes not with multipart_form_data")
        files = [(part.name, (part.file_name, part.value, part.content_type)) for part in multipart_form_data]
    elif isinstance(data, bytes):
        content = data
    elif data is not None:
        content = msgspec.json.encode(data)
        sent.setdefault("content-type", "application/json")
    if content is not None and verb in READS:
        raise InputError("data", f"{verb} takes none")
    options = settings.of(JoinOptions)
    token = options.token(settings.token_file)
    with JoinClient(options.join_api_url, token, timeout_seconds=settings.timeout_seconds) as client:
        answer = client.ask(verb, path, params, headers=sent, content=content, files=files)
        return _api_response(answer, response_as_base64=response_as_base64)


def checked_path(path: str) -> None:
    """Refuse a path that is not below the base URL, however it is written."""
    plain = path
    for _ in range(3):  # a server that decodes twice reads %252e%252e as ..
        plain = unquote(plain)
    if not path.startswith("/") or path.startswith("//"):
        raise InputError("path", "must begin with one / and is relative to the base URL")
    if "?" in path or "#" in path:
        raise InputError("path", "takes no query; parameters go into params")
    if any(part in {".", ".."} for part in plain.replace("\\", "/").split("/")) or "\\" in plain or "//" in plain:
        raise InputError("path", "must not lead out of the base URL")
    if not all(_SEGMENT.fullmatch(part) for part in path.strip("/").split("/") if part) or not plain.isprintable():
        raise InputError("path", "has characters that no path has; write them as %XX")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are sent, with names in lower case. Those that only this package may set are left out."""
    sent = {}
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise InputError("headers", "a header's name or value has characters that no header has")
        if name.lower() not in STRIPPED:
            sent[name.lower()] = value
    return sent


def _api_response(answer: httpx.Response, *, response_as_base64: bool) -> ApiResponse:
    headers = {name: value for name, value in answer.headers.items() if name not in HELD_BACK}
    data: Any = b64encode(answer.content).decode() if response_as_base64 else _data(answer.content)
    return ApiResponse(url=str(answer.request.url), status=answer.status_code, headers=headers, data=data)


def _data(content: bytes) -> Any:
    if not content:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InputError("response_as_base64", "the answer is no text: ask for it as base64") from None
