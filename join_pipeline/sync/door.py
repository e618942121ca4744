"""The door: what of a payload may enter the lake, decided before anything is written.

If anything is kept out, a payload is cut down to the keys that the mapping reads, because nobody knows what the others
hold. Then the parts that the words name are cut out of it.
Belongs here: cutting a payload. Not here: which keys the parts are (a source's `DOOR`), the words (models.kept_out).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from msgspec import inspect

from join_pipeline.errors import ContractError
from join_pipeline.http.contracts import Part
from join_pipeline.http.tolerant import as_text, parse

UNREAD: Final = b"null"
"""What is kept of a payload that is no JSON object. It breaks the contract, and is set aside by that."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a payload: the path of its key, in which `[]` means each element, and what stands in its place."""

    path: str
    stand_in: Any = None

    def apply(self, payload: Any) -> None:
        """Cut the part out of a payload."""
        *steps, last = self.path.split(".")
        found = [payload]
        for step in steps:
            name = step.removesuffix("[]")
            parts = [one.get(name) for one in found if isinstance(one, dict)]
            found = [one for part in parts if isinstance(part, list) for one in part] if name != step else parts
        for one in found:
            if isinstance(one, dict) and (last in one or self.stand_in is not None):
                # a list that is not there may be unknown, and what is known of it would stay
                one[last] = self.stand_in


@dataclass(frozen=True, slots=True)
class Door:
    """A source's payloads: by feed, their types, and the keys that the mapping reads without a field.

    `cuts` are the parts by word and feed; `always` are those that go if anything is kept out. A feed without a type is
    about no person, and enters whole.
    """

    kinds: Mapping[str, type[Part]]
    cuts: Mapping[str, Mapping[str, tuple[Cut, ...]]]
    also: Mapping[str, frozenset[str]] = field(default_factory=dict)
    always: tuple[Cut, ...] = ()

    def let_in(self, feed: str, body: bytes, kept_out: frozenset[str]) -> bytes:
        """What may enter of a feed's payload."""
        kind = self.kinds.get(feed)
        if not kept_out or kind is None:
            return body
        payload = _read(body)
        if not isinstance(payload, dict):
            return UNREAD
        kept = _declared(_info(kind), payload, self.also.get(feed, frozenset()))
        for cut in (*self.always, *(cut for word in sorted(kept_out) for cut in self.cuts.get(word, {}).get(feed, ()))):
            cut.apply(kept)
        # escapes keep what a text says, even half a pair, which UTF-8 can't
        return json.dumps(kept).encode()


def _read(body: bytes) -> Any:
    text = as_text(body)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # the tolerant reader tells whether it is JSON at all
    try:
        return parse(text)
    except ContractError:
        return None


@cache
def _info(kind: type[Part]) -> inspect.Type:
    return inspect.type_info(kind)


def _declared(kind: inspect.Type, value: Any, also: frozenset[str] = frozenset()) -> Any:
    """A value without the keys that its type does not declare.

    An object or a list where the type has none becomes an empty one. So the mapping sees that the part is odd.
    """
    kinds = list(_plain(kind))
    if isinstance(value, dict):
        if any(isinstance(one, inspect.DictType | inspect.AnyType) for one in kinds):
            return value
        struct = next((one for one in kinds if isinstance(one, inspect.StructType)), None)
        if struct is None:
            return {}
        known = {one.encode_name: one.type for one in struct.fields}
        return {
            name: _declared(known[name], part) if name in known else part
            for name, part in value.items()
            if name in known or (name in also and isinstance(part, str))
        }
    if isinstance(value, list):
        of = next((one for one in kinds if isinstance(one, inspect.ListType)), None)
        return [] if of is None else [_declared(of.item_type, one) for one in value]
    if value is not None and all(isinstance(one, _NESTED) for one in kinds) and not any(map(_has_bare, kinds)):
        return {}
    return value


_NESTED: Final = (inspect.StructType, inspect.ListType, inspect.NoneType)


def _has_bare(kind: inspect.Type) -> bool:
    """Whether the type may be written as a bare text."""
    return isinstance(kind, inspect.StructType) and getattr(kind.cls, "bare", None) is not None


def _plain(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types that a value may have, without what is said of them."""
    if isinstance(kind, inspect.Metadata):
        yield from _plain(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _plain(one)
    else:
        yield kind
