"""Bridges: links with the times at which they were seen."""

from join_pipeline_tests.dbt.building import Build
from join_pipeline_tests.dbt.company import day


def test_a_tag_that_is_taken_off_and_put_on_again_has_two_periods(built: Build) -> None:
    periods = built.rows("select * from recruiting.bridge_candidate_tag order by period_number")
    assert [tuple(row.values()) for row in periods] == [
        ("p-c-untouched", "p-t-star", 1, day(10), day(12)),
        ("p-c-untouched", "p-t-star", 2, day(14), None),
    ]


def test_a_job_has_its_questions_and_its_team(built: Build) -> None:
    question = built.row(
        "select * from recruiting.bridge_job_question join recruiting.dim_question using (question_id)"
    )
    assert (question["title"], question["question_index"], question["is_required"]) == ("Seit wann?", 0, True)
    member = built.row("select * from recruiting.bridge_job_team")
    assert (member["member_number"], member["roles"], member["user_key"]) == (1, "HIRING_MANAGER", None)


def test_days_without_a_sync_are_marked(built: Build) -> None:
    days = built.rows("""
        select date_on::varchar as day, is_synced from recruiting.dim_date
        where date_on between '2026-01-19' and '2026-01-26' order by day
    """)
    assert [row["is_synced"] for row in days] == [True, True, False, False, False, False, True, True]
