"""What the vars do: the time zone that cuts days, and as_of, which turns the clock back."""

from pathlib import Path

from join_pipeline_tests.dbt.building import dbt
from join_pipeline_tests.dbt.company import Company, Seen


def company() -> Company:
    """One applies at 23:30 UTC on 31 January, which is February in Berlin; the night of 29 March has no two o'clock."""
    one = Company()
    one.syncs(20, 40, 83, 84)
    one.application("late", Seen(2), Seen(3, "Hired", "HIRED", updated=82.5), applied=26 + 23.5 / 24)
    one.application("spring", Seen(4), applied=83 + 1.5 / 24)
    return one


def test_days_are_cut_in_the_time_zone_and_durations_do_not_care(tmp_path: Path) -> None:
    company().write(tmp_path / "warehouse.duckdb")
    days = {}
    only = ("--resource-type", "seed", "--resource-type", "model")
    for zone in ("Europe/Berlin", "America/New_York"):
        build = dbt(tmp_path, "build", *only, variables={"time_zone": zone})
        assert build.failures == []
        rows = build.rows("select applied_on::varchar as it from recruiting.fct_application order by application_key")
        days[zone] = [row["it"] for row in rows]
        assert build.row("select days_to_hire from recruiting.fct_time_to_hire") == {
            "days_to_hire": 82.5 - 26 - 23.5 / 24
        }
    assert days == {
        "Europe/Berlin": ["2026-02-01", "2026-03-29"],
        "America/New_York": ["2026-01-31", "2026-03-28"],
    }


def test_as_of_builds_as_if_later_syncs_had_not_been(tmp_path: Path) -> None:
    company().write(tmp_path / "warehouse.duckdb")
    build = dbt(tmp_path, "build", "--exclude-resource-type", "unit_test", variables={"as_of": "2026-02-20 00:00+00"})
    assert build.failures == []
    assert build.rows("select application_key, status from recruiting.fct_application") == [
        {"application_key": "p-late", "status": "OPEN"}
    ]
