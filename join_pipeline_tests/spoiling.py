"""Payloads with one odd place each: every kind of odd value, in any value or key.

Belongs here: where to spoil and with what. Not here: what a spoiled record becomes (the tests).
"""

import json
import random
from collections.abc import Iterator
from typing import Any, Final

# JSON that Python does not write: the text of a value, in place of its mark
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
KINDS: Final = (*ODD_JSON, GONE, "key")
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place of a payload but its root."""
    if at:
        yield at
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*at, key))


def spoiled(payload: dict[str, Any], place: Place, kind: str, chance: random.Random | None = None) -> str:
    """The payload's JSON with one odd place: another value, none at all, or an odd key with an odd value beside it."""
    copy = json.loads(json.dumps(payload))
    *parents, last = place
    parent: Any = copy
    for step in parents:
        parent = parent[step]
    if kind == GONE:
        del parent[last]
        return json.dumps(copy)
    if kind == "key":
        chance = chance or random.Random(0)
        if isinstance(parent, list):
            parent, last = copy, "id"
        key = chance.choice(ODD_KEYS)
        kind = chance.choice([*ODD_JSON])
        items = list(parent.items())
        parent.clear()
        parent |= {key: _mark(kind)} | dict(items)
    else:
        parent[last] = _mark(kind)
    return json.dumps(copy).replace(json.dumps(_mark(kind)), ODD_JSON[kind])


def _mark(kind: str) -> str:
    return f"@{kind}@"
