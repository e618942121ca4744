"""Coarse: days in place of instants in what is published, and durations to a tenth of a day.

Whoever may look into the ATS finds a person by an exact instant. Estimates are made from instants before this, so they
stay as they are. A lower bound is rounded down and an upper bound up, so the truth stays between them.
Belongs here: which columns are made coarse, and their SQL. Not here: publishing (publish).
"""

import re
from collections.abc import Mapping
from typing import Final

OF_SYNCS: Final = frozenset(
    {
        "dim_sync",
        "mart_data_quality",
        "mart_follow_up",
        "mart_hiring_forecast",
        "mart_hiring_forecast_backtest",
    }
)
"""Tables whose instants are the pipeline's own. No person can be found by them."""
_DURATION: Final = re.compile(r"(?!share_)(?:.*_)?days(?:_.*)?")


def coarse(table: str, types: Mapping[str, str], time_zone: str) -> dict[str, str]:
    """SQL by column of a table, for the columns that are made coarse."""
    if table in OF_SYNCS:
        return {}
    found = {name: _coarse(name, kind.lower(), time_zone) for name, kind in types.items()}
    return {name: sql for name, sql in found.items() if sql}


def _coarse(name: str, kind: str, time_zone: str) -> str:
    column = f'"{name}"'
    if kind == "timestamp with time zone":
        local = f"({column} AT TIME ZONE '{time_zone}')"
        day = f"date_trunc('day', {local})"
        if name.endswith("_hi"):
            day = f"CASE WHEN {day} = {local} THEN {day} ELSE {day} + INTERVAL 1 DAY END"
        return f"({day}) AT TIME ZONE '{time_zone}'"
    if kind == "double" and _DURATION.fullmatch(name):
        if name.endswith("_lo"):
            return f"floor({column} * 10) / 10"
        return f"ceil({column} * 10) / 10" if name.endswith("_hi") else f"round({column}, 1)"
    return ""
