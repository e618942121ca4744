"""Lenient reading: a payload that its type refuses, field by field. One odd part costs that part and not the record.

Belongs here: which odd shape becomes which value, by the types of a struct. Not here: strict decoding and which of the
two comes first (contracts), JSON that the strict reader refuses (tolerant), what a payload means (each API's mapping).

A value of another type becomes what the field can hold if that is certain: a number in a text, the text of a number,
the name of an object. Else it becomes null. An element of a list that can't be read leaves None in its place, and the
other elements stay. Only a part whose identity can't be read is lost as a whole (`Part.identity`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Final, TypeVar, cast

import msgspec
from msgspec import inspect

from join_pipeline.errors import ContractError
from join_pipeline.http.tolerant import REPLACEMENT, Unreadable, is_clean

# an instant outside of these bounds has another meaning: year 1 is none, year 9999 is never
MIN_INSTANT: Final = datetime(1900, 1, 1, tzinfo=UTC)
MAX_INSTANT: Final = datetime(9000, 1, 1, tzinfo=UTC)
MAX_ID: Final = 500
FLAGS: Final = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_NAMES: Final = ("name", "title", "label", "value")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_ANYWHERE: Final = "*"
NO_TEXT: Final = "broken letters"


class Part(msgspec.Struct):
    """A JSON object of an API.

    `identity` are the fields without which nobody knows which object it is, by their names here; without them the
    object is not read. Of the fields in `either` one is due. A plain text in place of the object is the field `bare`.
    """

    identity: ClassVar[frozenset[str]] = frozenset({"id"})
    either: ClassVar[tuple[str, ...]] = ()
    bare: ClassVar[str | None] = None


PartT = TypeVar("PartT", bound=Part)


@dataclass(frozen=True, slots=True)
class Odd:
    """A part of an unexpected shape: where it is, which shape, and whether its value is lost. It has no value."""

    path: str
    shape: str
    is_lost: bool = True

    def __str__(self) -> str:
        return f"{self.path} ({self.shape})"

    def is_in(self, path: str) -> bool:
        """Whether it is at `path` or below."""
        return self.path == path or self.path.startswith((f"{path}.", f"{path}["))


class _LostError(Exception):
    """The identity of a part can't be read. The argument is the `Odd` part of it."""


def read(kind: type[PartT], value: Any) -> tuple[PartT, list[Odd]]:
    """Read a parsed payload as `kind`. Raises `ContractError` if its identity can't be read."""
    odd: list[Odd] = []
    if not isinstance(value, dict):
        raise ContractError(f"Expected an object, got {shape_of(value)}")
    try:
        found: PartT = _struct(_fields(kind), value, "", odd)
    except _LostError as error:
        raise ContractError(f"Its identity can't be read - at `{error.args[0]}`") from None
    return found, odd


def scrubbed(value: Any) -> Any:
    """The value with null in place of what no column can hold."""
    if isinstance(value, dict):
        return {key: scrubbed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    return None if isinstance(value, Unreadable) else value


def shape_of(value: Any) -> str:
    """The kind of a JSON value, as people call it."""
    if isinstance(value, Unreadable):
        return value.value
    kinds = ((type(None), "null"), (bool, "flag"), (int | float, "number"), (str, "text"), (list, "list"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "object")


def identity_text(value: Any) -> str | None:
    """The text of an id that is whole: a text that is as it was sent, or a whole number."""
    if isinstance(value, Unreadable | bool):
        return None
    if isinstance(value, int):
        return str(value) if -(2**63) <= value < 2**63 else None
    return value if isinstance(value, str) and value.strip() and len(value) <= MAX_ID and is_clean(value) else None


@dataclass(frozen=True, slots=True)
class _Struct:
    """A struct's fields by the API's keys, with what each type may be."""

    kind: type[Part]
    fields: tuple[inspect.Field, ...]
    identity: frozenset[str]
    either: tuple[str, ...]
    bare: str | None


@cache
def _fields(kind: type[Part]) -> _Struct:
    (info,) = inspect.multi_type_info([kind])
    return _Struct(kind, cast(inspect.StructType, info).fields, kind.identity, kind.either, kind.bare)


def _struct(struct: _Struct, value: dict[str, Any], path: str, odd: list[Odd]) -> Any:
    found: dict[str, Any] = {}
    known = set()
    for field in struct.fields:
        key = field.encode_name
        known.add(key)
        at = f"{path}.{key}" if path else key
        is_identity = field.name in struct.identity
        if key not in value:
            if not field.required:
                continue
            if is_identity and not _may_be_null(field.type):
                raise _LostError(Odd(at, "missing"))
            odd.append(Odd(at, "missing"))
            found[field.name] = None
            continue
        given = value[key]
        result = _value(field.type, given, at, odd, is_id=is_identity or key == "id" or key.endswith("_id"))
        if is_identity and result is None and (not _may_be_null(field.type) or given not in (None, "")):
            raise _LostError(Odd(at, shape_of(given)))
        if result is not None or given is None or field.required:
            found[field.name] = result
        # else the default holds: it says that the part is not known
    for key, given in value.items():
        if key not in known:
            _note_unreadable({key: given}, f"{path}.{_ANYWHERE}" if path else _ANYWHERE, odd)
    if struct.either and not found.keys() & set(struct.either):
        found[struct.either[0]] = None
        if not any(field.encode_name in value for field in struct.fields if field.name in struct.either):
            odd.append(Odd(f"{path}.{struct.either[0]}" if path else struct.either[0], "missing"))
    return struct.kind(**found)


def _may_be_null(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _may_be_null(kind.type)
    return isinstance(kind, inspect.UnionType) and any(isinstance(one, inspect.NoneType) for one in kind.types)


def _note_unreadable(value: Any, at: str, odd: list[Odd]) -> None:
    """Note what no column can hold in a part that has no type."""
    if isinstance(value, Unreadable):
        odd.append(Odd(at, value.value))
    elif isinstance(value, str) and REPLACEMENT in value:
        odd.append(Odd(at, NO_TEXT, is_lost=False))
    for item in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _note_unreadable(item, at, odd)


def _without_null(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return _without_null(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    return _without_null(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _value(kind: inspect.Type, given: Any, at: str, odd: list[Odd], *, is_id: bool) -> Any:
    """The value as the field's type, or None. What is not exactly of the type is noted in `odd`."""
    if given is None and _may_be_null(kind):
        return None
    kind = _without_null(kind)
    n_before = len(odd)
    result, is_exact = _as(kind, given, at, odd, is_id=is_id)
    if not is_exact and len(odd) == n_before:
        is_number = isinstance(kind, inspect.IntType | inspect.FloatType) and shape_of(given) == "number"
        odd.append(Odd(at, Unreadable.NUMBER if is_number and result is None else shape_of(given), result is None))
    return result


def _as(kind: inspect.Type, given: Any, at: str, odd: list[Odd], *, is_id: bool) -> tuple[Any, bool]:
    """The value as a type that is no union, and whether it was exactly of that type."""
    if isinstance(kind, inspect.StructType):
        return _part(_fields(kind.cls), given, at, odd)
    if isinstance(kind, inspect.ListType):
        return _list(kind, given, at, odd)
    if isinstance(kind, inspect.DictType | inspect.AnyType):
        _note_unreadable(given, at, odd)
        is_right = isinstance(kind, inspect.AnyType) or isinstance(given, dict)
        return scrubbed(given) if is_right else None, is_right
    result = None if isinstance(given, Unreadable) else _SCALARS[type(kind)](given)
    if isinstance(kind, inspect.StrType):
        result = identity_text(given) if is_id else result
        if result is not None and REPLACEMENT in result:
            odd.append(Odd(at, NO_TEXT, is_lost=False))
    is_exact = type(given) in _EXACT[type(kind)]
    return result, result is not None and is_exact


def _part(struct: _Struct, given: Any, at: str, odd: list[Odd]) -> tuple[Any, bool]:
    if isinstance(given, str) and struct.bare is not None and given.strip():
        key = next(field.encode_name for field in struct.fields if field.name == struct.bare)
        return _struct(struct, {key: given}, at, []), False
    if not isinstance(given, dict):
        return None, False
    try:
        return _struct(struct, given, at, odd), True
    except _LostError as error:
        odd.append(error.args[0])
        return None, False


def _list(kind: inspect.ListType, given: Any, at: str, odd: list[Odd]) -> tuple[Any, bool]:
    if not isinstance(given, list):
        return None, False
    found = [_value(kind.item_type, item, f"{at}[]", odd, is_id=False) for item in given]
    return found, True


def _text(given: Any) -> str | None:
    if isinstance(given, dict):
        return next((given[key] for key in _NAMES if isinstance(given.get(key), str)), None)
    if given is None or isinstance(given, list):
        return None
    return given if isinstance(given, str) else msgspec.json.encode(given).decode()


def _flag(given: Any) -> bool | None:
    return FLAGS.get(str(given).strip().lower())


def whole_text(text: str) -> str | None:
    """The text of a whole number as a number is written; None if it is none."""
    whole = _whole(text)
    return None if whole is None else str(whole)


def _whole(given: Any) -> int | None:
    is_text = isinstance(given, str) and _WHOLE.fullmatch(given.strip())
    if is_text or (isinstance(given, float) and given.is_integer()):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        return None
    return given if -(2**63) <= given < 2**63 else None


def _number(given: Any) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _instant(given: Any) -> datetime | None:
    if not isinstance(given, str):
        return None
    try:
        return in_utc(msgspec.convert(given, datetime))
    except msgspec.ValidationError:
        return None


def in_utc(value: datetime) -> datetime | None:
    """The instant in UTC; None if it is out of range. One without an offset is in UTC."""
    try:
        instant = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:  # in UTC, 9999-12-31T23:59:59-01:00 is in a year that Python does not have
        return None
    return instant if MIN_INSTANT <= instant <= MAX_INSTANT else None


_SCALARS: Final[Mapping[type[inspect.Type], Callable[[Any], Any]]] = {
    inspect.StrType: _text,
    inspect.BoolType: _flag,
    inspect.IntType: _whole,
    inspect.FloatType: _number,
    inspect.DateTimeType: _instant,
}
_EXACT: Final[Mapping[type[inspect.Type], tuple[type, ...]]] = {
    inspect.StrType: (str,),
    inspect.BoolType: (bool,),
    inspect.IntType: (int,),
    inspect.FloatType: (float, int),
    inspect.DateTimeType: (str,),
}
