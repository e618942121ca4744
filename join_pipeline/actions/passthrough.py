"""Passthrough: any call of JOIN's API with the stored token, and JOIN's answer unchanged.

Belongs here: which calls are allowed, and which headers are left out. Not here: sending (sources.join).
An error status of JOIN is data; only a missing answer is an error here. Nothing is sent twice.
"""

import re
import unicodedata
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
    }
)
# headers and parameters by which some servers take another method, path or host than those of the request
OTHER_PATHS: Final = frozenset(
    {
        "x-envoy-original-path",
        "x-forwarded-host",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-forwarded-server",
        "x-forwarded-uri",
        "x-forwarded-url",
        "x-host",
        "x-original-host",
        "x-original-path",
        "x-original-uri",
        "x-original-url",
        "x-rewrite-uri",
        "x-rewrite-url",
    }
)
PREFLIGHT: Final = "access-control-request-method"
HELD_BACK: Final = frozenset({"set-cookie", "connection", "transfer-encoding", "content-encoding", "content-length"})
MOST_DECODINGS: Final = 8
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
    checked_params(params or {})
    sent = checked_headers(headers or {})
    content: bytes | None = None
    files = None
    if multipart_form_data is not None:
        if data is not None:
            raise InputError("data", "goes not with multipart_form_data")
        checked_params({part.name: "" for part in multipart_form_data})
        files = [(part.name, (part.file_name, part.value, part.content_type)) for part in multipart_form_data]
    elif isinstance(data, bytes):
        content = data
    elif data is not None:
        content = msgspec.json.encode(data)
        sent.setdefault("content-type", "application/json")
    if (content is not None or files is not None) and verb in READS:
        raise InputError("data", f"{verb} takes none")
    options = settings.of(JoinOptions)
    token = options.token(settings.token_file)
    with JoinClient(options.join_api_url, token, timeout_seconds=settings.timeout_seconds) as client:
        answer = client.ask(verb, path, params, headers=sent, content=content, files=files)
        return _api_response(answer, response_as_base64=response_as_base64)


def checked_path(path: str) -> None:
    """Refuse a path that is not below the base URL, however a server or a proxy before it reads it."""
    plain = _decoded(path)
    if not path.startswith("/") or path.startswith("//"):
        raise InputError("path", "must begin with one / and is relative to the base URL")
    if "?" in plain or "#" in plain:
        raise InputError("path", "takes no query; parameters go into params")
    # a server that has parameters in paths reads `..;x` as `..`, and one of Windows drops dots and blanks at an end
    parts = [part.partition(";") for part in plain.split("/")]
    stems = [stem.strip() for stem, _, _ in parts]
    if "\\" in plain or "//" in plain or any(stem and not stem.strip(".") for stem in stems):
        raise InputError("path", "must not lead out of the base URL")
    if any(mark and not stem for stem, mark, _ in parts) or plain.count("/") != path.count("/"):
        raise InputError("path", "must not lead out of the base URL: no / is written as %2F, and no part is empty")
    is_plain = all(_SEGMENT.fullmatch(part) for part in path.strip("/").split("/") if part)
    if not is_plain or not plain.isprintable() or "\ufffd" in plain:
        raise InputError("path", "has characters that no path has; write them as %XX")


def _decoded(path: str) -> str:
    """A path as it reads once nothing in it is written as %XX, or as another form of the same letter."""
    plain = path
    for _ in range(MOST_DECODINGS):  # a server that decodes twice reads %252e%252e as ..
        following = unicodedata.normalize("NFKC", unquote(plain))
        if following == plain:
            return plain
        plain = following
    raise InputError("path", "has characters that are written as %XX again and again")


def checked_params(params: Mapping[str, str]) -> None:
    """Refuse parameters by which some servers take another method than the request's."""
    for name in params:
        word = "".join(letter for letter in name.lower() if letter.isalnum())
        if "httpmethod" in word or "methodoverride" in word or (word == "method" and not name[0].isalnum()):
            raise InputError("params", f"{word} would change the method: give the method itself")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are sent, with names in lower case. Those that only this package may set are left out.

    Raises `InputError` for those by which some servers take another method, path or host than the request's.
    """
    sent = {}
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise InputError("headers", "a header's name or value has characters that no header has")
        plain = name.lower().replace("_", "-")  # servers that pass headers as variables read both alike
        if "method" in plain and plain != PREFLIGHT:
            raise InputError("headers", f"{plain} would change the method: give the method itself")
        if plain in OTHER_PATHS:
            raise InputError("headers", f"{plain} would lead to another path or host: give the path itself")
        if plain not in STRIPPED:
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
