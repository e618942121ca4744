"""Turns: when a connection of several is due, by the words hourly, nightly and off, or by a cron expression.

Belongs here: what a schedule may be, and whether it is a connection's turn. Not here: who looks (component), the file
of connections (listed).

cronsim reads expressions as Debian's cron does, also where daylight saving time skips or repeats an hour.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

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
_ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def is_schedule(value: object) -> bool:
    """Whether it is a word for a schedule or a cron expression."""
    return isinstance(value, str) and (value in SCHEDULES or _turns(value, datetime.now(UTC)) is not None)


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
    """Whether a turn lies between the last look and this one, which is no earlier than it."""
    looked = now - timedelta(minutes=SLOT_MINUTES)
    turns = _turns(schedule, looked.astimezone(zone))
    turn = None if turns is None else next(turns, None)
    # in an hour that comes twice, the turn is that of the first time
    return turn is not None and looked < turn.astimezone(UTC) <= now


def _turns(text: str, after: datetime) -> CronSim | None:
    """The turns of a cron expression of five fields; None if it is none."""
    expression = _ALIASES.get(text.strip().lower(), text).replace("?", "*")  # as Quartz has it
    try:
        return CronSim(expression, after) if len(expression.split()) == 5 else None
    except CronSimError:
        return None
