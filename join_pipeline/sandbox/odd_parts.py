"""Records with one part of an odd shape: any kind of odd value, in any value or key.

Belongs here: where a record is spoiled and with what. Not here: when (faults). Some of it is JSON that no writer of
Python's makes, so a record is spoiled as text.
"""

import json
import random
from collections.abc import Iterator
from typing import Any, Final

ODD_JSON: Final = {
    "huge": "1e999",
    "tiny": "-1e999",
    "digits": "9" * 5000,
    "past int64": str(2**63),
    "past int32": str(2**31),
    "past all": str(10**30),
    "nan": "NaN",
    "infinity": "-Infinity",
    "deep list": "[" * 3000 + "]" * 3000,
    "deep object": '{"a":' * 3000 + "1" + "}" * 3000,
    "half a pair": r'"half \ud83d"',
    "lost half": r'"\udc00"',
    "nul": r'"a\u0000b"',
    "null": "null",
    "true": "true",
    "text true": '"true"',
    "number": "17",
    "negative": "-3",
    "fraction": "1.5",
    "number as text": '"12"',
    "text": '"Anna"',
    "empty": '""',
    "blank": '"  "',
    "no instant": '"2026-13-45T99:00:00Z"',
    "year one": '"0001-01-01T00:00:00Z"',
    "list": "[]",
    "object": "{}",
    "named": '{"id": 4, "name": "Anna"}',
    "list of it": '[true, 5, null, "x", {"id": 4, "name": "Anna"}, [1]]',
    "list of null": "[null]",
}
ODD_KEYS: Final = ("odd\0key", "half \ud83d", "odd" * 50, "")
GONE: Final = "gone"
KEY: Final = "key"
KINDS: Final = (*ODD_JSON, GONE, KEY)
# an odd value here leaves open which record it is, or whether it is there
IDENTITY: Final = frozenset({"id", "remote_deleted_at"})
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place of a record but its root."""
    if at:
        yield at
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*at, key))


def spoiled(record: dict[str, Any], place: Place, kind: str, chance: random.Random) -> str:
    """The record's JSON with one odd place: another value, none at all, or an odd key with an odd value beside it."""
    copy = json.loads(json.dumps(record))
    *parents, last = place
    parent: Any = copy
    for step in parents:
        parent = parent[step]
    if kind == GONE:
        del parent[last]
        return json.dumps(copy)
    odd = chance.choice([*ODD_JSON]) if kind == KEY else kind
    if kind != KEY:
        parent[last] = _mark(odd)
    elif isinstance(parent, dict):
        parent[chance.choice(ODD_KEYS)] = _mark(odd)
    else:
        copy[chance.choice(ODD_KEYS)] = _mark(odd)
    return json.dumps(copy).replace(json.dumps(_mark(odd)), ODD_JSON[odd])


def spoiled_somewhere(record: dict[str, Any], chance: random.Random) -> str:
    """The record's JSON with one odd place that leaves its identity readable."""
    there = [place for place in places(record) if place[0] not in IDENTITY]
    return spoiled(record, chance.choice(there), chance.choice(KINDS), chance)


def _mark(kind: str) -> str:
    return f"@{kind}@"
