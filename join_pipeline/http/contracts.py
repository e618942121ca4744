"""Decoding payloads as their types. An error names the field that breaks the contract, never its value.

Belongs here: decoding, strictly first and field by field if that fails. Not here: what any API's payloads look like
(each API's own payloads), which odd shape becomes which value (lenient), JSON that is odd itself (tolerant).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from join_pipeline.errors import ContractError
from join_pipeline.http import lenient
from join_pipeline.http.lenient import MAX_INSTANT, MIN_INSTANT, Odd, Part, in_utc
from join_pipeline.http.tolerant import REPLACEMENT, as_text, parse

__all__ = [
    "MAX_INSTANT",
    "MIN_INSTANT",
    "Due",
    "Odd",
    "Part",
    "Whole",
    "decode",
    "extras",
    "key_of",
    "lost",
    "map_payload",
    "present",
    "read",
    "shown_key",
]

T = TypeVar("T")
PayloadT = TypeVar("PayloadT", bound=msgspec.Struct)
PartT = TypeVar("PartT", bound=Part)
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that fits an Arrow column of 64 bits. Numbers in JSON have no limit."""
if TYPE_CHECKING:
    Due: TypeAlias = T | None
else:
    Due = Annotated[T, msgspec.Meta(description="due")]
"""A value that every payload of the contract has. If one lacks it, or shows it in another shape, it is None."""

MAX_KEY: Final = 60
ODD_TEXT: Final = ("\\u0000", "\\ufffd", REPLACEMENT)
"""Signs of a text that was not whole: an id with one of them is none."""
_DECODERS: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def decode(kind: type[PayloadT], text: str | bytes) -> PayloadT:
    """Decode a payload as `kind`, with its instants in UTC. Raises `ContractError`, which names the field only."""
    decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    try:
        payload: PayloadT = decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ContractError("not JSON") from None
    except RecursionError:
        raise ContractError("nested too deep") from None
    for name, value in _instants(payload):
        instant = in_utc(value)
        if instant is None:
            raise ContractError(f"Instant out of range - at `$.{key_of(kind, name)}`")
        setattr(payload, name, instant)
    return payload


def map_payload(kind: type[PartT], text: str, rows_of: Callable[[PartT, dict[str, Any]], T]) -> tuple[T, list[Odd]]:
    """What `rows_of` makes of a payload and of the same payload with all of its keys; and its odd parts.

    Nearly every payload has none. Raises `ContractError` if nobody can know which record it is.
    """
    if not any(sign in text for sign in ODD_TEXT):
        try:
            return rows_of(decode(kind, text), msgspec.json.decode(text)), []
        except (ContractError, msgspec.MsgspecError, RecursionError, OverflowError):
            pass  # the lenient way tells what is odd
    raw = parse(text)
    payload, odd = lenient.read(kind, raw)
    return rows_of(payload, lenient.scrubbed(raw)), odd


def read(kind: type[PartT], text: str | bytes) -> PartT:
    """A payload without its odd parts. Raises `ContractError` if nobody can know which record it is."""
    return map_payload(kind, as_text(text), lambda payload, _raw: payload)[0]


def present(items: Iterable[T] | None) -> Iterator[tuple[int, T]]:
    """The elements of a list that could be read, each with its place in the list."""
    return ((place, item) for place, item in enumerate(items or ()) if item is not None)


def lost(odd: Iterable[Odd], shown_in: Mapping[str, Iterable[str]]) -> list[str] | None:
    """Which columns and links could not be read; None if all could. `shown_in` has the parts that show each."""
    gone = [one for one in odd if one.is_lost]
    return [name for name, paths in shown_in.items() if any(one.is_in(path) for one in gone for path in paths)] or None


def _instants(payload: msgspec.Struct) -> Iterator[tuple[str, datetime]]:
    for name in _dated(type(payload)):
        value = getattr(payload, name)
        if isinstance(value, datetime):
            yield name, value


@cache
def _dated(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a payload that can hold an instant."""
    fields = msgspec.inspect.type_info(kind).fields  # type: ignore[attr-defined]
    return tuple(one.name for one in fields if "DateTimeType" in repr(one.type))


def key_of(kind: type[msgspec.Struct], name: str) -> str:
    """The API's key for a field."""
    return kind.__struct_encode_fields__[kind.__struct_fields__.index(name)]


def extras(kind: type[msgspec.Struct], payload: dict[str, Any]) -> list[str]:
    """The keys of `payload` that have no field in `kind`."""
    known = _keys(kind)
    return [key for key in payload if key not in known]


@cache
def _keys(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(kind.__struct_encode_fields__)


def shown_key(key: str) -> str:
    """A key that an API sent, as a count may name it: short, and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else REPLACEMENT for letter in key[:MAX_KEY])
