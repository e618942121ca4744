"""Days in place of instants: bounds stay around the truth, and estimates keep their columns."""

from typing import Any

import duckdb
import pytest

from join_pipeline.warehouse.coarse import OF_SYNCS, coarse

INSTANT = "timestamp with time zone"
TYPES = {
    "at_lo": INSTANT,
    "at": INSTANT,
    "at_hi": INSTANT,
    "days_to_hire_lo": "double",
    "days_to_hire": "double",
    "days_to_hire_hi": "double",
    "share_of_days": "double",
    "hire_rate": "double",
    "n": "bigint",
}


def made(instant: str, days: float = 0.0) -> dict[str, Any]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        values = {name: f"'{instant}'::TIMESTAMPTZ" if kind == INSTANT else repr(days) for name, kind in TYPES.items()}
        columns = ", ".join(f'{value} AS "{name}"' for name, value in values.items())
        sql = ", ".join(f'({sql})::VARCHAR AS "{name}"' for name, sql in coarse("t", TYPES, "Europe/Berlin").items())
        row = con.execute(f"SELECT {sql} FROM (SELECT {columns})")
        return dict(zip([column[0] for column in row.description], row.fetchall()[0], strict=True))


@pytest.mark.parametrize(
    ("instant", "lo", "hi"),
    [
        ("2026-01-05 14:30:00+00", "2026-01-04 23:00:00+00", "2026-01-05 23:00:00+00"),
        ("2026-01-04 23:00:00+00", "2026-01-04 23:00:00+00", "2026-01-04 23:00:00+00"),
        ("2026-01-05 23:30:00+00", "2026-01-05 23:00:00+00", "2026-01-06 23:00:00+00"),
        ("2026-03-29 10:00:00+00", "2026-03-28 23:00:00+00", "2026-03-29 22:00:00+00"),  # the day that has 23 hours
    ],
)
def test_an_instant_becomes_its_day_in_the_companys_zone(instant: str, lo: str, hi: str) -> None:
    row = made(instant)
    assert (row["at_lo"], row["at"], row["at_hi"]) == (lo, lo, hi)


def test_a_duration_has_a_tenth_of_a_day_between_its_bounds() -> None:
    row = made("2026-01-05 14:30:00+00", 3.14159)
    assert (row["days_to_hire_lo"], row["days_to_hire"], row["days_to_hire_hi"]) == ("3.1", "3.1", "3.2")
    assert set(row) == {"at_lo", "at", "at_hi", "days_to_hire_lo", "days_to_hire", "days_to_hire_hi"}


def test_the_pipelines_own_instants_stay() -> None:
    assert [table for table in OF_SYNCS if coarse(table, TYPES, "UTC")] == []
