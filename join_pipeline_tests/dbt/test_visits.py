"""Visits: stays in a stage, and the daily flow that they add up to."""

import pytest

from join_pipeline_tests.dbt.building import Build
from join_pipeline_tests.dbt.company import day

SCREENING = ("Screening", day(9))
NIGHT = 10 / 1440


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("untouched", [("Screening", day(9), None, None, "open")]),
        (
            "skipped",
            [(*SCREENING, day(12.25), "MOVED", "completed"), ("Hired", day(12.25), day(12.25), "HIRED", "terminal")],
        ),
        (
            "reentry",
            [
                (*SCREENING, day(10.5), "MOVED", "completed"),
                ("Interview", day(10.5), day(11.5), "MOVED", "completed"),
                ("Case study", day(11.5), day(12.5), "MOVED", "completed"),
                ("Interview", day(12.5), None, None, "open"),
            ],
        ),
        (
            "decline_undone",
            [
                (*SCREENING, day(10.5), "DECLINED", "terminal"),
                ("Screening", day(11.5), day(13.5), "MOVED", "completed"),
                ("Hired", day(13.5), day(13.5), "HIRED", "terminal"),
            ],
        ),
        (
            "vanished_and_returned",
            [(*SCREENING, day(11.2), "MOVED", "completed"), ("Interview", day(11.2), None, None, "open")],
        ),
        ("vanished", [("Interview", day(9.5), day(23 + NIGHT), "VANISHED", "terminal")]),
        ("decided_and_deleted", [(*SCREENING, day(10.5), "DECLINED", "terminal")]),
        ("came_and_hired", [("Hired", day(11.75), day(11.75), "HIRED", "terminal")]),
        ("historic_hire", []),
        ("historic_decline", []),
        ("unknown_outcome", []),
    ],
)
def test_visits(built: Build, name: str, expected: list[tuple[object, ...]]) -> None:
    visits = built.rows(f"""
        select stage_id, entered_at, left_at, exit, visit_status
        from recruiting.fct_stage_visit where application_key = 'p-{name}' order by visit_number
    """)
    assert [tuple(visit.values()) for visit in visits] == expected


def test_an_open_visit_has_lasted_until_the_last_full_sync_at_least(built: Build) -> None:
    visit = built.row("select * from recruiting.fct_stage_visit where application_key = 'p-untouched'")
    assert (visit["known_until_at"], visit["days_in_stage_lo"]) == (day(23), 14.0)
    assert (visit["days_in_stage"], visit["days_in_stage_hi"]) == (None, None)


def test_a_visit_that_came_and_ended_between_two_syncs_may_have_taken_no_time(built: Build) -> None:
    visit = built.row("select * from recruiting.fct_stage_visit where application_key = 'p-came_and_hired'")
    assert (visit["days_in_stage_lo"], visit["days_in_stage"], visit["days_in_stage_hi"]) == (0.0, 0.0, 0.5)


def test_the_daily_flow_of_a_stage(built: Build) -> None:
    """Offer: one comes on day 10 and stays; nothing is looked at on days 16 to 19."""
    flow = built.rows("""
        select date_on::varchar as day, n_opening, n_entered, n_left, n_closing, is_synced
        from recruiting.fct_funnel_daily where stage_id = 'Offer' and job_id = 'Nurse' order by date_on
    """)
    assert [tuple(row.values()) for row in flow[:2]] == [
        ("2026-01-15", 0, 1, 0, 1, True),
        ("2026-01-16", 1, 0, 0, 1, True),
    ]
    assert len(flow) == 14
    assert [row["is_synced"] for row in flow].count(False) == 4


def test_who_waits_now_is_who_is_open(built: Build) -> None:
    now = built.rows("""
        select stage_id, sum(n_closing) as n from recruiting.fct_funnel_daily
        where date_on = date '2026-01-28' group by stage_id order by stage_id
    """)
    assert now == built.rows("""
        select stage_id, count(*) as n from recruiting.fct_application where status = 'OPEN'
        group by stage_id order by stage_id
    """)
