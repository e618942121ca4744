"""True and observed values of five applications, written by hand."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from join_pipeline_tests.oracle.marts import (
    cohorts,
    counts_by_status,
    observed_applications,
    observed_changes,
    observed_hires,
    true_applications,
    true_hires,
    true_visits,
)

DAYS = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=n) for n in range(12)]


def day(number: float) -> datetime:
    return DAYS[0] + timedelta(days=number)


def at(number: float) -> str:
    return day(number).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(kind: str, key: int, when: float, old, new):
    return {"type": kind, "record": f"applications/{key}", "from": old, "to": new, "at": at(when)}


def created(key: int, when: float):
    stage = {"id": 1, "name": "Screening", "index": 0}
    to = {"jobId": key % 2, "candidateId": 100 + key, "stage": stage, "state": "APPLIED", "source": "indeed"}
    return event("CREATED", key, when, None, to)


def moved(key: int, when: float, stage: str):
    return event("STAGE_CHANGED", key, when, {"id": 0, "name": "?", "index": 0}, {"id": 1, "name": stage, "index": 1})


def turned(key: int, when: float, old: str, new: str):
    return event("OUTCOME_CHANGED", key, when, old, new)


STORY = sorted(
    [
        {"type": "CREATED", "record": "jobs/1", "from": None, "to": {"title": "x", "status": "ONLINE"}, "at": at(-50)},
        # 1: hired before the first sync, which is on day 2
        created(1, -30), moved(1, -20, "Offer"), moved(1, 1, "Hired"), turned(1, 1, "OFFER", "HIRED"),
        # 2: interview and back again between two syncs, then hired at 6.5, then deleted
        created(2, 2.5), moved(2, 4.2, "Interview"), moved(2, 4.4, "Screening"), moved(2, 6.5, "Hired"),
        turned(2, 6.5, "APPLIED", "HIRED"), event("DELETED", 2, 8.5, "HIRED", None),
        # 3: rejected, undone, offered
        created(3, 0.5), turned(3, 3.5, "APPLIED", "REJECTED"), turned(3, 5.5, "REJECTED", "APPLIED"),
        moved(3, 6.1, "Offer"),
        # 4: rejected and withdrawn between two syncs: seen undecided, then gone
        created(4, 3.1), turned(4, 4.6, "APPLIED", "REJECTED"), event("DELETED", 4, 4.7, "REJECTED", None),
        # 5: came and went between two syncs
        created(5, 5.2), event("DELETED", 5, 5.3, "APPLIED", None),
    ],
    key=lambda told: told["at"],
)  # fmt: skip
SYNCS = [day(number) for number in range(2, 11)]


def by_key(frame: pd.DataFrame) -> dict[str, dict]:
    return {row["application"]: row for row in frame.to_dict("records")}


def test_true_status_and_decisions():
    known = by_key(true_applications(STORY, day(10)))
    assert {key: row["status"] for key, row in known.items()} == {
        "1": "HIRED", "2": "HIRED", "3": "OPEN", "4": "DECLINED", "5": "VANISHED",
    }  # fmt: skip
    assert known["2"]["is_deleted"]
    assert known["2"]["decided_at"] == known["2"]["hired_at"] == day(6.5)
    assert known["2"]["stages"] == ("Screening", "Interview", "Screening", "Hired")
    assert known["3"]["first_decided_at"] == day(3.5)
    assert known["3"]["decided_at"] is pd.NaT
    assert known["5"]["decided_at"] == day(5.3)
    assert known["2"]["applied_at"] == day(2.5)


def test_as_of_cuts_the_story():
    assert counts_by_status(true_applications(STORY, day(5))) == {"HIRED": 1, "OPEN": 1, "DECLINED": 2}


def test_syncs_see_only_what_holds_at_their_instants():
    seen = by_key(observed_applications(STORY, SYNCS))
    assert {key: row["status"] for key, row in seen.items()} == {
        "1": "HIRED",
        "2": "HIRED",
        "3": "OPEN",
        "4": "VANISHED",
    }
    assert seen["2"]["stages"] == ("Screening", "Hired")
    assert seen["2"]["milestones"] == {"SCREENING", "HIRED"}
    assert seen["2"]["seen_at"] == day(3)
    assert seen["1"]["milestones"] == {"HIRED"}
    assert seen["4"]["decided_at"] == day(5)


def test_changes_lie_between_the_syncs_that_prove_them():
    changes = observed_changes(STORY, SYNCS)
    of_three = changes[changes["application"] == "3"]
    told = of_three[["kind", "from", "to", "lo", "hi", "true_at"]].itertuples(index=False, name=None)
    assert list(told) == [
        ("OUTCOME", "PENDING", "DECLINED", day(3), day(4), day(3.5)),
        ("OUTCOME", "DECLINED", "PENDING", day(5), day(6), day(5.5)),
        ("STAGE", "Screening", "Offer", day(6), day(7), day(6.1)),
    ]
    assert ((changes["lo"] <= changes["true_at"]) & (changes["true_at"] <= changes["hi"])).all()
    gone = changes[(changes["kind"] == "DELETION") & (changes["application"] == "4")].iloc[0]
    assert (gone["lo"], gone["true_at"], gone["hi"]) == (day(4), day(4.7), day(5))


def test_hires_are_bounded_and_those_before_the_first_sync_historic():
    hires = by_key(observed_hires(STORY, SYNCS))
    assert hires.keys() == {"1", "2"}
    assert (hires["1"]["lo"], hires["1"]["hi"], hires["1"]["is_historic"]) == (day(-30), day(2), True)
    assert (hires["2"]["lo"], hires["2"]["hi"], hires["2"]["is_historic"]) == (day(6), day(7), False)
    assert hires["2"]["days_lo"] == pytest.approx(3.5)
    assert hires["2"]["days_true"] == pytest.approx(4.0)
    assert hires["2"]["days_hi"] == pytest.approx(4.5)


def test_a_hire_that_was_undone_and_made_again_is_two():
    again = [
        created(9, 1),
        turned(9, 2, "APPLIED", "HIRED"),
        turned(9, 3, "HIRED", "ACTIVE"),
        turned(9, 4, "ACTIVE", "HIRED"),
    ]
    hires = true_hires(again, day(10))
    assert hires["is_last"].tolist() == [False, True]
    assert hires["days_to_hire"].tolist() == [1.0, 3.0]
    assert observed_hires(again, [day(1.5), day(5)])["true_at"].tolist() == [day(4)]
    assert len(true_hires(again, day(3.5))) == 1
    assert true_hires([], day(3)).empty


def test_visits_last_until_the_next_move_or_the_deletion():
    visits = true_visits(STORY, day(10))
    of_two = visits[visits["application"] == "2"]
    assert of_two["stage"].tolist() == ["Screening", "Interview", "Screening", "Hired"]
    assert of_two["milestone"].tolist() == ["SCREENING", "INTERIM", "SCREENING", "HIRED"]
    assert of_two["left_at"].tolist() == [day(4.2), day(4.4), day(6.5), day(8.5)]
    assert visits[visits["application"] == "3"]["left_at"].iloc[-1] is pd.NaT


def test_cohorts_count_milestones_reached_and_what_became_of_them():
    funnel = cohorts(observed_applications(STORY, SYNCS), "Europe/Zurich", first_sync=SYNCS[0])
    march = funnel[funnel["cohort_month"] == date(2026, 3, 1)].set_index("milestone")
    # 2 was hired, 3 is open at Offer, 4 vanished at Screening, 5 was never seen
    assert march["n_applications"].tolist() == [3, 3, 3, 3]
    assert march["n_before_first_sync"].tolist() == [1, 1, 1, 1]
    assert march["n_reached_observed"].tolist() == [3, 0, 1, 1]
    assert march["n_reached_assumed"].tolist() == [3, 2, 2, 1]
    assert march["n_moved_on"].tolist() == [2, 2, 1, 0]
    assert march["n_out"].tolist() == [1, 0, 0, 0]
    assert march["n_waiting"].tolist() == [0, 0, 1, 0]
    assert march.loc["SCREENING", "pass_through_mature"] == pytest.approx(2 / 3)
    assert (march.loc["OFFER", "pass_through_low"], march.loc["OFFER", "pass_through_high"]) == (0.5, 1.0)


def test_months_begin_in_the_configured_time_zone():
    # 23:30 UTC on the last of January is February in Zurich
    story = [created(1, (datetime(2026, 1, 31, 23, 30, tzinfo=UTC) - DAYS[0]) / timedelta(days=1))]
    known = true_applications(story, day(0))
    assert set(cohorts(known, "Europe/Zurich")["cohort_month"]) == {date(2026, 2, 1)}
    assert set(cohorts(known, "UTC", by="job")["cohort_month"]) == {date(2026, 1, 1)}
