"""Turns: when a connection of several is due, by the words hourly, nightly and off, or by a cron expression.

Belongs here: what a schedule may be, and whether it is a connection's turn. Not here: who looks (component), the file
of connections (listed).

It reads cron itself: what Dagster brings along for that is no interface, and nothing here imports Dagster.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

SCHEDULES: Final = {
    "hourly": "every hour what changed, and every night all",
    "nightly": "every night all",
    "off": "nothing by itself",
}
WHAT: Final = f'{", ".join(SCHEDULES)}, or a cron expression of five fields, as in "30 6 * * mon-fri"'
SLOT_MINUTES: Final = 5
"""How often somebody looks which connections are due."""
_NIGHT: Final = (3 * 60 + 30, 90)
"""From 03:30 on, for so many minutes. Not between 02:00 and 03:00, which daylight saving time skips and repeats."""
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: Final[Sequence[tuple[int, int, Sequence[str]]]] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 7, _DAYS),
)
"""Of each field of a cron expression the least and the greatest number, and names for the numbers from the least on."""
_ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_PART: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?")


def is_schedule(value: object) -> bool:
    """Whether it is a word for a schedule or a cron expression."""
    return isinstance(value, str) and (value in SCHEDULES or _cron(value) is not None)


def is_due(schedule: str, name: str, now: datetime, zone: str, *, full: bool) -> bool:
    """Whether the connection's turn is in the minutes from `now` on: to read all, or what changed.

    A hash of its name spreads the connections: over the hour, and over the night of the connection's time zone. With a
    cron expression it is no other turn than that, as its time zone has it, looked at from the minutes before `now` on.
    """
    if schedule not in SCHEDULES:
        return not full and _is_cron_due(schedule, now, ZoneInfo(zone))
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    if not full:
        return schedule == "hourly" and place % 60 // SLOT_MINUTES == now.minute // SLOT_MINUTES
    local = now.astimezone(ZoneInfo(zone))
    minute = _NIGHT[0] + place % _NIGHT[1]
    return (
        schedule in {"hourly", "nightly"} and minute // SLOT_MINUTES == (local.hour * 60 + local.minute) // SLOT_MINUTES
    )


def _is_cron_due(schedule: str, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a minute of the expression lies between the last look and this one, which is no earlier than it."""
    fields = _cron(schedule)
    minutes = (now - timedelta(minutes=before) for before in range(SLOT_MINUTES))
    return fields is not None and any(_fits(fields, minute.astimezone(zone)) for minute in minutes)


def _fits(fields: Sequence[frozenset[int] | None], at: datetime) -> bool:
    minute, hour, day, month, weekday = fields
    days = [
        number in allowed for number, allowed in ((at.day, day), (at.isoweekday() % 7, weekday)) if allowed is not None
    ]
    # as cron has it: if both are given, either of them is enough
    return (any(days) if days else True) and all(
        allowed is None or number in allowed
        for number, allowed in ((at.minute, minute), (at.hour, hour), (at.month, month))
    )


@lru_cache(maxsize=4_096)
def _cron(text: str) -> tuple[frozenset[int] | None, ...] | None:
    """The numbers that each field allows, None for all; None if it is no cron expression."""
    words = _ALIASES.get(text.strip().lower(), text).split()
    if len(words) != len(_FIELDS):
        return None
    found: list[frozenset[int] | None] = []
    for word, (least, greatest, names) in zip(words, _FIELDS, strict=True):
        parts = [_numbers(part, least, greatest, names) for part in word.lower().split(",")]
        if not all(parts):
            return None
        found.append(None if word in {"*", "?"} else frozenset(n for part in parts for n in part))
    weekday = found[4]
    found[4] = weekday and frozenset(n % 7 for n in weekday)  # 7 is Sunday, too
    return tuple(found)


def _numbers(part: str, least: int, greatest: int, names: Sequence[str]) -> range:
    """The numbers of one part of a field, as in 1-5/2; an empty range if it is none."""
    nothing, found = range(0), _PART.fullmatch("*" if part == "?" else part)
    if found is None:
        return nothing
    star, first, last, step = found.groups()
    begin = least if star else _number(first, least, names)
    end = greatest if star or (step and not last) else _number(last or first, least, names)
    if begin is None or end is None or not least <= begin <= end <= greatest or step == "0":
        return nothing
    return range(begin, end + 1, int(step or 1))


def _number(word: str, least: int, names: Sequence[str]) -> int | None:
    if word in names:
        return names.index(word) + least
    return int(word) if word.isascii() and word.isdecimal() else None
