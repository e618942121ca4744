"""The marts show the right values for each hard case."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from join_pipeline_tests.dbt.building import Build
from join_pipeline_tests.dbt.company import day

FETCH = timedelta(minutes=10)


def application(built: Build, name: str) -> Mapping[str, Any]:
    return built.row(f"select * from recruiting.fct_application where application_key = 'p-{name}'")


def events(built: Build, name: str) -> list[tuple[Any, ...]]:
    """Type, target, lo, at of each event: target is the stage, or the outcome."""
    return [
        (row["event_type"], row["target"], row["event_at_lo"], row["event_at"])
        for row in built.rows(f"""
            select event_type, coalesce(to_stage_id, to_outcome) as target, event_at_lo, event_at
            from recruiting.fct_application_stage_event
            where application_key = 'p-{name}'
            order by event_number
        """)
    ]


def test_everything_builds_and_every_test_of_dbt_passes(built: Build) -> None:
    assert built.failures == []
    assert built.success


def test_of_two_moves_within_one_interval_the_last_is_an_event_and_the_other_a_stage_between(built: Build) -> None:
    assert events(built, "two_moves") == [
        ("FIRST_SEEN", "Screening", day(9), day(9)),
        ("STAGE_CHANGED", "Offer", day(10), day(10.8)),
    ]
    between = built.row("""
        select n_stages_between from recruiting.fct_application_stage_event
        where application_key = 'p-two_moves' and event_type = 'STAGE_CHANGED'
    """)
    assert between == {"n_stages_between": 2}


def test_moves_back_and_re_entries_are_counted(built: Build) -> None:
    counts = ("n_stage_changes", "n_back_moves", "n_reentries")
    assert [application(built, "back_move")[count] for count in counts] == [2, 1, 0]
    assert [application(built, "reentry")[count] for count in counts] == [3, 1, 1]
    assert application(built, "back_move")["furthest_milestone"] == "INTERIM"


def test_a_skipped_milestone_is_reached_by_assumption_only(built: Build) -> None:
    reached = built.rows("""
        select milestone, is_observed, reached_at from intermediate.int_application_milestone
        where application_key = 'p-skipped' order by milestone_rank
    """)
    assert [tuple(row.values()) for row in reached] == [
        ("SCREENING", True, day(9)),
        ("INTERIM", False, day(12.25)),
        ("OFFER", False, day(12.25)),
        ("HIRED", True, day(12.25)),
    ]


def test_a_decline_undone_is_an_event_and_no_decision_that_stands(built: Build) -> None:
    assert [one[0] for one in events(built, "decline_undone")] == [
        "FIRST_SEEN",
        "OUTCOME_CHANGED",
        "REOPENED",
        "STAGE_CHANGED",
        "OUTCOME_CHANGED",
    ]
    undone = application(built, "decline_undone")
    assert (undone["status"], undone["decided_at"], undone["n_reopened"]) == ("HIRED", day(13.5), 1)


def test_one_that_reappears_had_not_vanished_and_moved_while_it_was_away(built: Build) -> None:
    assert events(built, "vanished_and_returned") == [
        ("FIRST_SEEN", "Screening", day(9), day(9)),
        ("VANISHED", None, day(11), day(12) + FETCH),
        ("REAPPEARED", "Screening", day(14), day(15) + FETCH),
        ("STAGE_CHANGED", "Interview", day(11), day(11.2)),
    ]
    returned = application(built, "vanished_and_returned")
    assert (returned["status"], returned["is_deleted"], returned["n_reappeared"]) == ("OPEN", False, 1)


def test_only_a_full_sync_dates_a_vanishing(built: Build) -> None:
    vanished = application(built, "vanished")
    assert vanished["status"] == "VANISHED"
    assert vanished["decided_at_lo"] == day(21)
    assert vanished["decided_at"] == day(23) + FETCH
    assert events(built, "by_increment")[-2:] == [
        ("OUTCOME_CHANGED", "HIRED", day(21), day(21.5)),
        ("VANISHED", None, day(22), day(23) + FETCH),
    ]


def test_a_decision_survives_deletion(built: Build) -> None:
    deleted = application(built, "decided_and_deleted")
    assert (deleted["status"], deleted["is_deleted"], deleted["decided_at"]) == ("DECLINED", True, day(10.5))
    assert application(built, "by_increment")["status"] == "HIRED"


def test_a_historic_hire_has_an_upper_bound_only(built: Build) -> None:
    hire = built.row("select * from recruiting.fct_time_to_hire where application_key = 'p-historic_hire'")
    assert hire["is_historic"]
    assert (hire["days_to_hire_lo"], hire["days_to_hire"], hire["days_to_hire_hi"]) == (None, None, 6.0)
    assert application(built, "historic_decline")["is_historic"]


def test_an_unknown_outcome_is_neither_open_nor_decided(built: Build) -> None:
    unknown = application(built, "unknown_outcome")
    assert (unknown["status"], unknown["decided_at"], unknown["decided_evidence"]) == ("UNKNOWN", None, "unknown")


@pytest.mark.parametrize(("name", "evidence"), [("seen_moved", "bounded"), ("untouched", "source")])
def test_first_seen_already_moved_happened_since_creation(built: Build, name: str, evidence: str) -> None:
    (event,) = built.rows(f"""
        select evidence, event_at_lo, event_at from recruiting.fct_application_stage_event
        where application_key = 'p-{name}'
    """)
    assert event["evidence"] == evidence
    assert event["event_at_lo"] == application(built, name)["applied_at"]
    assert (event["event_at"] == event["event_at_lo"]) == (evidence == "source")


def test_a_hire_that_came_and_went_between_two_syncs_is_no_historic_one(built: Build) -> None:
    hire = built.row("select * from recruiting.fct_time_to_hire where application_key = 'p-came_and_hired'")
    assert (hire["is_historic"], hire["hired_evidence"]) == (False, "bounded")
    assert (hire["days_to_hire_lo"], hire["days_to_hire"], hire["days_to_hire_hi"]) == (0.0, 0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "lo", "hi"), [("over_the_gap", day(15), day(17.5)), ("not_announced", day(15), day(20) + FETCH)]
)
def test_days_without_a_sync_widen_the_interval(built: Build, name: str, lo: datetime, hi: datetime) -> None:
    hired = application(built, name)
    assert (hired["hired_at_lo"], hired["hired_at"], hired["hired_at_hi"]) == (lo, hi, hi)
    assert hired["hired_evidence"] == "observed"


def test_what_last_updated_at_did_not_announce_is_told(built: Build) -> None:
    unannounced = built.rows("""
        select distinct application_key from recruiting.fct_application_stage_event where is_unannounced order by all
    """)
    assert unannounced == [{"application_key": "p-not_announced"}]


def test_without_a_creation_the_first_sync_bounds_it(built: Build) -> None:
    for name in ("no_creation", "from_the_future"):
        made = application(built, name)
        assert (made["applied_evidence"], made["applied_at_lo"], made["applied_at"]) == (
            "bounded",
            day(12),
            day(13) + FETCH,
        )


def test_three_applications_of_one_candidate_are_three_rows_and_one_candidate(built: Build) -> None:
    assert built.row("""
        select count(*) as n, count(distinct job_id) as n_jobs
        from recruiting.fct_application where candidate_key = 'p-c-thrice'
    """) == {"n": 3, "n_jobs": 3}
    assert built.row("select n_applications from recruiting.dim_candidate where candidate_key = 'p-c-thrice'") == {
        "n_applications": 3
    }


def test_one_who_applies_twice_for_a_job_is_two_rows_and_what_is_seen_twice_is_one_event(built: Build) -> None:
    assert built.row("""
        select count(*) as n, count(distinct candidate_key) as n_candidates
        from recruiting.fct_application where application_key like 'p-twice%'
    """) == {"n": 2, "n_candidates": 1}
    assert events(built, "seen_twice") == [
        ("FIRST_SEEN", "Screening", day(9), day(9)),
        ("STAGE_CHANGED", "Interview", day(10), day(10.5)),
    ]


def test_a_job_that_is_archived_leaves_its_open_applications_open(built: Build) -> None:
    assert [application(built, f"left_behind_{n}")["status"] for n in range(2)] == ["OPEN", "OPEN"]
    vacancy = built.row("select * from recruiting.fct_job_vacancy where job_id = 'Archived'")
    assert (vacancy["vacancy_status"], vacancy["n_open_applications"], vacancy["n_hired"]) == ("CLOSED", 2, 0)
    assert (vacancy["closed_at_lo"], vacancy["closed_at"]) == (day(12), day(12.75))
    # made on day 2, and perhaps a draft until it was first seen on day 10
    assert (vacancy["opened_at"], vacancy["opened_evidence"]) == (day(2), "bounded")
    assert day(10) <= vacancy["opened_at_hi"] < day(10.1)
    assert (vacancy["event"], vacancy["entry_days"], vacancy["exit_days"]) == ("CLOSED", 8.0, 10.75)
    assert 8 < vacancy["exit_days_lo"] < 8.001


def test_a_stage_that_is_renamed_and_moved_in_the_pipeline_moves_nobody(built: Build) -> None:
    """Its newest name and place hold for the whole history: Trial is an offer now, and lies behind another stage."""
    for name, at in (("before_renaming", 10.5), ("after_renaming", 13.5)):
        assert events(built, name) == [
            ("FIRST_SEEN", "Screening", day(9), day(9)),
            ("STAGE_CHANGED", "Trial", day(at - 0.5), day(at)),
        ]
        assert application(built, name)["furthest_milestone"] == "OFFER"
    skipped = built.rows("""
        select distinct n_stages_between from recruiting.fct_application_stage_event
        where application_key like 'p-%_renaming' and event_type = 'STAGE_CHANGED'
    """)
    assert skipped == [{"n_stages_between": 1}]


def test_the_month_funnel_counts_every_application_once(built: Build) -> None:
    funnel = built.rows("""
        select milestone, n_cohort, n_reached_observed, n_reached_assumed, n_moved_on, n_out, n_waiting
        from recruiting.fct_funnel_cohort
        where cohort_grain = 'month' and scope = 'overall' and cohort_on = date '2026-01-01'
        order by milestone_rank
    """)
    assert [tuple(row.values()) for row in funnel] == [
        ("SCREENING", 29, 23, 29, 18, 1, 10),
        ("INTERIM", 29, 8, 18, 10, 2, 6),
        ("OFFER", 29, 3, 10, 7, 0, 3),
        ("HIRED", 29, 7, 7, 0, 0, 0),
    ]
    truncated = built.row("""
        select bool_and(is_left_truncated) as it from recruiting.fct_funnel_cohort where cohort_on = date '2026-01-01'
        and scope = 'overall'
    """)
    assert truncated == {"it": True}
