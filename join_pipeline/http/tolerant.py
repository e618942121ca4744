"""A JSON reader for bodies that the strict one refuses: no number, depth or text of one record makes the rest unread.

Belongs here: reading JSON that is whole but odd. Not here: what a value should be (contracts, lenient). The
strict reader is faster and comes first. This one has no recursion, and what it can't represent is an `Unreadable`.
"""

import re
from enum import StrEnum
from typing import Any, Final

import msgspec

from join_pipeline.errors import ContractError

UNREAD_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of the strict reader."""
MAX_DEPTH: Final = 64
"""Lists and objects nested deeper are not read. No API here nests deeper than ten."""
REPLACEMENT: Final = "\ufffd"
NOT_JSON: Final = "not JSON"
_SPACE: Final = " \t\n\r"
_TOKEN: Final = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<text>"[^"\\]*(?:\\.[^"\\]*)*")
        | (?P<mark>[\[\]{},:])
        | (?P<number>-?(?:0|[1-9][0-9]*)(?P<part>\.[0-9]+)?(?P<power>[eE][+-]?[0-9]+)?)
        | (?P<word>true|false|null|NaN|-?Infinity)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_NO_TEXT: Final = re.compile("[\ud800-\udfff\0]")
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_WORDS: Final = {"true": True, "false": False, "null": None}


class _Before(StrEnum):
    """What came before a token."""

    NOTHING = "nothing"
    OPENED = "opened"
    KEY = "key"
    COLON = "colon"
    VALUE = "value"
    COMMA = "comma"


class Unreadable(StrEnum):
    """A value that no column can hold."""

    NUMBER = "number out of range"
    DEPTH = "nested too deep"


def as_text(body: bytes | str) -> str:
    """The text of a body. A byte that is not UTF-8 becomes U+FFFD."""
    return body if isinstance(body, str) else body.decode(errors="replace")


def is_clean(text: str) -> bool:
    """Whether every letter of the text is as it was sent. A text that isn't can't be an id."""
    return REPLACEMENT not in text and not _NO_TEXT.search(text)


def cleaned(text: str) -> str:
    """The text with U+FFFD in place of NUL and of half a surrogate pair, which not every reader can hold."""
    return _NO_TEXT.sub(REPLACEMENT, text)


def parse(body: bytes | str) -> Any:
    """The value of JSON text. Raises `ContractError` if it is not whole.

    Of a repeated key the last value holds. NUL and half a surrogate pair become U+FFFD.
    """
    text, at = as_text(body), 0
    reader = _Reader()
    while not reader.is_done:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ContractError(NOT_JSON)
        reader.take(token)
        at = token.end()
    if text[at:].strip(_SPACE):
        raise ContractError(NOT_JSON)
    return reader.result


class _Reader:
    """The lists and objects that are open, and what may come next. One token after the other."""

    def __init__(self) -> None:
        self.result: Any = None
        self.is_done = False
        self._open: list[list[Any] | dict[str, Any]] = []
        self._keys: list[str] = []  # of each open object, the key that waits for its value
        self._before = _Before.NOTHING

    def take(self, token: re.Match[str]) -> None:
        mark, is_object = token["mark"], bool(self._open) and isinstance(self._open[-1], dict)
        if mark == ",":
            self._expect(_Before.VALUE)
            self._before = _Before.COMMA
        elif mark == ":":
            self._expect(_Before.KEY)
            self._before = _Before.COLON
        elif mark in ("]", "}"):
            self._close(is_right=bool(self._open) and is_object == (mark == "}"))
        elif is_object and self._before is not _Before.COLON:
            self._expect(_Before.OPENED, _Before.COMMA)
            self._keys[-1] = _key(token)
            self._before = _Before.KEY
        else:
            self._expect(_Before.NOTHING, _Before.OPENED, _Before.COMMA, _Before.COLON)
            self._begin(token)

    def _expect(self, *before: "_Before") -> None:
        if self._before not in before:
            raise ContractError(NOT_JSON)

    def _begin(self, token: re.Match[str]) -> None:
        if token["mark"] is None:
            self._place(_scalar(token))
            return
        self._open.append([] if token["mark"] == "[" else {})
        self._keys.append("")
        self._before = _Before.OPENED

    def _close(self, *, is_right: bool) -> None:
        self._expect(_Before.VALUE, _Before.OPENED)
        if not is_right:
            raise ContractError(NOT_JSON)
        self._keys.pop()
        value = self._open.pop()
        self._place(Unreadable.DEPTH if len(self._open) >= MAX_DEPTH else value)

    def _place(self, value: Any) -> None:
        self._before = _Before.VALUE
        if not self._open:
            self.result, self.is_done = value, True
        elif isinstance(holder := self._open[-1], list):
            holder.append(value)
        else:
            holder[self._keys[-1]] = value


def _key(token: re.Match[str]) -> str:
    if token["text"] is None:
        raise ContractError(NOT_JSON)
    return _text_of(token["text"])


def split(body: bytes | str) -> list[str] | dict[str, str] | None:
    """The elements of a list or the members of an object, each as its own JSON text; None for any other value.

    The caller knows that the text is whole JSON.
    """
    text = as_text(body)
    first = _TOKEN.match(text)
    if first is None or first["mark"] not in ("[", "{"):
        return None
    is_object = first["mark"] == "{"
    parts: list[str] = []
    members: dict[str, str] = {}
    depth, at, key = 1, first.end(), ""
    begins = at
    while depth and (token := _TOKEN.match(text, at)):
        mark, at = token["mark"], token.end()
        if mark in ("[", "{"):
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
        if depth == 1 and mark == ":" and is_object:
            key, begins = _text_of(text[begins : at - 1].strip(_SPACE)), at
        if depth == 0 or (depth == 1 and mark == ","):
            part = text[begins : at - 1].strip(_SPACE)
            begins = at
            if part and is_object:
                members[key] = part
            elif part:
                parts.append(part)
    return members if is_object else parts


def _scalar(token: re.Match[str]) -> Any:
    if token["text"] is not None:
        return _text_of(token["text"])
    word, number = token["word"], token["number"]
    if word is not None:
        return _WORDS.get(word, Unreadable.NUMBER)
    if token["part"] is None and token["power"] is None:
        try:
            return int(number)
        except ValueError:  # more digits than Python reads
            return Unreadable.NUMBER
    value = float(number)
    return Unreadable.NUMBER if value in (float("inf"), float("-inf")) else value


def _text_of(token: str) -> str:
    text = token[1:-1]
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
        text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return cleaned(text)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], REPLACEMENT)
