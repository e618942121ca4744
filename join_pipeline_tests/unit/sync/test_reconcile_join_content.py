"""JOIN's reconcile: the content of a record that several others show, or that follows from others, rule by rule."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from join_pipeline_tests.unit.sync.join_rows import (
    DELETED,
    application,
    asked,
    job,
    no,
    place,
    reconciled,
    shown,
    shown_job,
    tagged,
)
from join_pipeline_tests.unit.sync.tables import BEFORE, DAY, LAST_SYNC, MINUTE, NOW, Row, Rows, Tables

# Jobs


def test_a_job_opened_when_it_was_made_or_when_the_first_sync_saw_it_as_no_draft(given: Tables) -> None:
    made, opened = BEFORE - 9 * DAY, BEFORE - 3 * DAY
    cases: dict[str, tuple[Row | None, str, datetime | None]] = {
        "new, no draft": (None, "OPEN", made),
        "new, archived": (None, "ARCHIVED", made),
        "new, a draft": (None, "DRAFT", None),
        "a draft as before": ({"status": "DRAFT"}, "DRAFT", None),
        "no draft any more": ({"status": "DRAFT"}, "OPEN", NOW),
        "opened before": ({"status": "OPEN", "opened_at": opened}, "OPEN", opened),
        "opened before, archived now": ({"status": "OPEN", "opened_at": opened}, "ARCHIVED", opened),
        "opened before, a draft again": ({"status": "OPEN", "opened_at": opened}, "DRAFT", opened),
        "a draft again, and opened again": ({"status": "DRAFT", "opened_at": opened}, "OPEN", opened),
        "known by its id only until now": ({"status": None, "payload_hash": None}, "OPEN", made),
        "deleted as a draft, and back open": ({"status": "DRAFT", **DELETED}, "OPEN", NOW),
    }
    found = reconciled(
        given,
        known={"jobs": [job(name) | row for name, (row, _, _) in cases.items() if row is not None]},
        shown=[shown_job(job(name, status=now, remote_created_at=made)) for name, (_, now, _) in cases.items()],
    )
    assert {name: row["opened_at"] for name, row in found.now["jobs"].items()} == {
        name: at for name, (_, _, at) in cases.items()
    }


def test_what_an_application_or_a_job_said_last_holds_with_all_that_it_showed(given: Tables) -> None:
    found = reconciled(
        given,
        shown=[
            shown(application(1, candidate_id="first", state="OFFER", remote_updated_at=NOW), tags=["first"]),
            shown(application(1, candidate_id="last", state="HIRED"), tags=["last"]),
            shown_job(job("j1", name="first"), team=["first"], updated_at=BEFORE + DAY),
            shown_job(job("j1", name="last"), team=["last"]),
        ],
    )  # fmt: skip
    assert (found.now["applications"]["a1"]["state"], found.now["jobs"]["j1"]["name"]) == ("HIRED", "last")
    assert found.now["candidates"].keys() == found.now["tags"].keys() == found.now["users"].keys() == {"last"}
    assert found.now["job_hiring_team"].keys() == {"j1/last"}


# Records that come through several parents


def test_a_candidate_is_as_the_live_application_shows_that_is_greatest_by_update_and_id(given: Tables) -> None:
    later, latest = BEFORE + MINUTE, BEFORE + 2 * MINUTE
    unread = "of which the newer one shows nothing readable"
    known = {
        "unread, and older": application(31),
        "unread, and newer": application(33, remote_updated_at=latest),
        "unread, newer, and gone": application(35, remote_updated_at=latest),
        "unread, newer, and deleted before": application(37, remote_updated_at=latest, **DELETED),
        "unread, of the same instant, and less as a number": application(99, remote_updated_at=later),
        unread: application(39, remote_updated_at=latest),
    }
    came = [
        ("the newer one of the lesser id", application(12)),
        ("the newer one of the lesser id", application(11, remote_updated_at=later)),
        ("the newer one first", application(14, remote_updated_at=later)),
        ("the newer one first", application(13)),
        ("of the same instant", application(9)),
        ("of the same instant", application(10)),
        *((who, application(int(row["remote_id"]) + 1, remote_updated_at=later)) for who, row in known.items()),
    ]
    found = reconciled(
        given,
        known={
            "applications": [row | {"candidate_id": who} for who, row in known.items()],
            "candidates": [{"id": who, "remote_created_at": BEFORE} for who in known],
        },
        shown=[
            *(shown(row | {"candidate_id": who}, first_name=f"by {row['id']}") for who, row in came),
            {"applications": [application(39, candidate_id=unread, remote_updated_at=latest, unread=["candidate_id"])]},
        ],
        missing=no("applications", "a35"),
    )
    assert {who: row["first_name"] for who, row in found.now["candidates"].items()} == {
        "the newer one of the lesser id": "by a11",
        "the newer one first": "by a14",
        "of the same instant": "by a10",
        "unread, and older": "by a32",
        "unread, newer, and gone": "by a36",
        "unread, newer, and deleted before": "by a38",
        "unread, of the same instant, and less as a number": "by a100",
    }


def test_a_user_is_as_the_live_job_shows_that_is_greatest_by_update_and_id(given: Tables) -> None:
    found = reconciled(
        given,
        shown=[
            shown_job(job("newer"), team=["u1", "u2"], updated_at=BEFORE + MINUTE, key=1),
            shown_job(job("older"), team=["u1", "u2"], updated_at=BEFORE, key=2),
            shown_job(job("greater"), team=["u3"], key=10),
            shown_job(job("lesser"), team=["u3"], key=9),
        ],
    )
    assert [found.now["users"][user]["first_name"] for user in ("u1", "u3")] == ["u1, by newer", "u3, by greater"]


@pytest.mark.parametrize(
    ("model", "of", "column"),
    [
        ("application_stages", {"id": "s1"}, "name"),
        ("job_application_stages", place("j1", "s1"), "index"),
        ("screening_questions", {"id": "q1"}, "title"),
        ("job_screening_questions", asked("j1", "q1"), "index"),
    ],
)
def test_a_stage_or_question_is_as_the_parent_shows_that_is_greatest_by_update_and_id(
    given: Tables, model: str, of: Row, column: str
) -> None:
    parents = [(BEFORE, 7), (BEFORE + MINUTE, 9), (BEFORE + MINUTE, 10), (BEFORE + MINUTE, 8), (BEFORE, 11)]
    values = [n if column == "index" else f"number {n}" for n in range(len(parents))]
    links: dict[str, Rows] = {"jobs": [job("j1")], "job_screening_questions": [asked("j1", "q1")]}
    found = reconciled(
        given,
        shown=[
            links,
            *(
                {model: [of | {column: value, "parent_updated_at": updated_at, "parent_id": key}]}
                for value, (updated_at, key) in zip(values, parents, strict=True)
            ),
        ],
    )
    assert found.now[model][of["id"]][column] == values[2]


@pytest.mark.parametrize("model", ["application_stages", "job_application_stages"])
def test_a_stage_stays_as_it_is_known_if_an_application_that_was_not_read_is_newer_and_in_it(
    given: Tables, model: str
) -> None:
    later, earlier = BEFORE + 2 * MINUTE, BEFORE + MINUTE
    unread: dict[str, Row | None] = {
        "nobody else": None,
        "older": application(31),
        "newer": application(32, remote_updated_at=later),
        "of the same instant, and greater as a number": application(200, remote_updated_at=earlier),
        "of the same instant, and less as a number": application(9, remote_updated_at=earlier),
        "newer, and gone": application(33, remote_updated_at=later),
        "newer, and deleted before": application(34, remote_updated_at=later, **DELETED),
        "newer, and read now": application(35, remote_updated_at=later),
        "newer, in another stage by now": application(36, remote_updated_at=later),
        "newer, and the same": application(37, remote_updated_at=later),
        "newer, and its stage unread": application(38, remote_updated_at=later),
        "newer, and erased here": application(39, remote_updated_at=later) | {"id": "erased-1", "remote_id": "39"},
    }
    places = {name: {"current_stage_id": name, "job_id": "j1"} for name in unread}
    is_place = model == "job_application_stages"

    def stage(name: str, content: str, **columns: object) -> Row:
        index = 1 if content == "known" or name == "newer, and the same" else 2
        mark = "known" if index == 1 else content
        return place("j1", name, index, **columns) if is_place else {"id": name, "payload_hash": mark, **columns}

    moved = unread["newer, in another stage by now"] or {}
    odd_one = "newer, and its stage unread"
    odd = (unread[odd_one] or {}) | places[odd_one] | {"unread": ["current_stage_id"]}
    found = reconciled(
        given,
        known={
            "jobs": [job("j1")],
            "applications": [
                *(row | places[name] for name, row in unread.items() if row),
                moved | {"current_stage_id": "elsewhere", "job_id": "j1", "sync_id": LAST_SYNC + "5"},
            ],
            model: [stage(name, "known") for name in unread],
        },
        shown=[
            *({model: [stage(name, "shown", parent_updated_at=earlier, parent_id=100)]} for name in unread),
            {"applications": [(unread["newer, and read now"] or {}) | {"current_stage_id": "elsewhere"}]},
            {"applications": [odd]},
        ],
        missing=no("applications", "a33"),
    )
    kept = {"newer", "of the same instant, and greater as a number", "newer, and its stage unread"}
    name_of = {(f"j1/{name}" if is_place else name): name for name in unread}
    assert {name_of[key] for key in found.now[model]} == unread.keys() - kept
    assert found.gone[model] == {}


def test_a_jobs_own_form_tells_of_a_question_before_any_application_does(given: Tables) -> None:
    def by(priority: int, updated_at: datetime, required: bool | None) -> dict[str, Rows]:
        parent = {"priority": priority, "parent_updated_at": updated_at, "parent_id": 1}
        return {
            "screening_questions": [{"id": "q1", "title": f"by {priority}"} | parent],
            "job_screening_questions": [asked("j1", "q1", required=required) | parent],
        }

    found = reconciled(given, known={"jobs": [job("j1")]}, shown=[by(2, BEFORE, True), by(1, NOW, None)])
    assert found.now["screening_questions"]["q1"]["title"] == "by 2"
    assert found.now["job_screening_questions"]["j1/q1"]["required"] is True


# What follows from other records


def test_a_candidates_source_and_creation_are_the_oldest_live_applications(given: Tables) -> None:
    first, second = BEFORE - 2 * DAY, BEFORE - DAY
    known = {
        "older one unread": application(1, source="known", remote_created_at=first),
        "older one gone": application(3, source="known", remote_created_at=first),
        "older one deleted before": application(5, source="known", remote_created_at=first, **DELETED),
        "newer one unread": application(7, source="known", remote_created_at=BEFORE),
    }
    came = [
        *((who, application(int(row["remote_id"]) + 1, source="shown", remote_created_at=second))
          for who, row in known.items()),
        ("two shown", application(21, source="newer", remote_created_at=second, remote_updated_at=NOW)),
        ("two shown", application(22, source="older", remote_created_at=first)),
        ("two of the same instant", application(10, source="greater", remote_created_at=first)),
        ("two of the same instant", application(9, source="lesser", remote_created_at=first)),
        ("the oldest has none", application(23, source=None, remote_created_at=first)),
        ("the oldest has none", application(24, source="newer", remote_created_at=second)),
    ]  # fmt: skip
    found = reconciled(
        given,
        known={
            "applications": [row | {"candidate_id": who} for who, row in known.items()],
            "candidates": [{"id": who} for who in known],
        },
        shown=[shown(row | {"candidate_id": who}) for who, row in came],
        missing=no("applications", "a3"),
    )
    assert {who: (row["source"], row["remote_created_at"]) for who, row in found.now["candidates"].items()} == {
        "older one unread": ("known", first),
        "older one gone": ("shown", second),
        "older one deleted before": ("shown", second),
        "newer one unread": ("shown", second),
        "two shown": ("older", first),
        "two of the same instant": ("lesser", first),
        "the oldest has none": (None, first),
    }


def test_a_candidate_that_was_not_shown_gets_source_and_creation_of_the_application_that_is_oldest_now(
    given: Tables,
) -> None:
    kept = {"first_name": "Ada", "remote_data": "{}", "source": "first", "remote_created_at": BEFORE - DAY}
    found = reconciled(
        given,
        known={
            "applications": [
                application(1, candidate_id="c1", source="first", remote_created_at=BEFORE - DAY),
                application(2, candidate_id="c1", source="second"),
                application(3, candidate_id="c2", source="first", remote_created_at=BEFORE - DAY),
                application(4, candidate_id="c2", source="second"),
            ],
            "candidates": [{"id": "c1", **kept}, {"id": "c2", **kept}],
        },
        missing=no("applications", "a1", "a4"),
    )
    assert found.now["candidates"].keys() == {"c1"}  # of c2 nothing changed
    row = found.now["candidates"]["c1"]
    assert (row["source"], row["remote_created_at"], row["first_name"]) == ("second", BEFORE, "Ada")
    assert given.con.execute("SELECT seq, remote_data FROM payloads_candidates").fetchall() == [(row["seq"], "{}")]


def test_a_stages_global_index_is_the_largest_on_any_live_job(given: Tables) -> None:
    stages = ("shown", "largest of a job that is gone", "as before", "a tie", "without a place")
    found = reconciled(
        given,
        known={
            "jobs": [job("gone"), job("live"), job("live, too")],
            "job_application_stages": [
                place("live", "shown", 2),
                place("live, too", "shown", 3),
                place("gone", "largest of a job that is gone", 9),
                place("live", "largest of a job that is gone", 4),
                place("live", "as before", 5),
                place("live, too", "as before", 1),
                place("live", "a tie", 5),
                place("live", "without a place", None),
            ],
            "application_stages": [
                {"id": stage, "name": stage, "global_index": index}
                for stage, index in zip(stages, (3, 9, 5, 5, None), strict=True)
            ],
        },
        shown=[
            {"job_application_stages": [place("live", "shown", 7)]},
            {"application_stages": [{"id": "shown", "name": "shown"}]},
        ],
        missing=no("jobs", "gone"),
    )
    assert {stage: row["global_index"] for stage, row in found.now["application_stages"].items()} == {
        "shown": 7,
        "largest of a job that is gone": 4,
    }


def test_a_job_stages_index_is_the_one_last_seen_on_that_job(given: Tables) -> None:
    found = reconciled(
        given,
        known={"jobs": [job("j1"), job("j2")], "job_application_stages": [place("j1", "s", 1), place("j2", "s", 1)]},
        shown=[{"job_application_stages": [place("j1", "s", 3)]}],
    )
    assert {name: row["index"] for name, row in found.now["job_application_stages"].items()} == {"j1/s": 3}


# Tags


def test_an_application_shows_its_candidates_tags_whole_and_an_absent_key_says_nothing(given: Tables) -> None:
    shows: dict[str, Sequence[str] | None] = {
        "shows one of two": ["kept"],
        "shows another": ["another"],
        "shows none": [],
        "has no key": None,
    }
    found = reconciled(
        given,
        known={
            "applications": [application(n, candidate_id=who) for n, who in enumerate(shows)],
            "candidates": [{"id": who} for who in shows],
            "candidate_tags": [tagged(who, tag) for who in shows for tag in ("kept", "dropped")],
        },
        shown=[shown(application(n, candidate_id=who), tags=tags) for n, (who, tags) in enumerate(shows.items())],
    )
    assert found.now["candidate_tags"].keys() == {"shows one of two/kept", "shows another/another"}
    assert found.gone["candidate_tags"].keys() == {
        "shows one of two/dropped",
        "shows another/kept",
        "shows another/dropped",
        "shows none/kept",
        "shows none/dropped",
    }


def test_tags_are_those_that_the_greatest_application_with_the_key_shows(given: Tables) -> None:
    later = BEFORE + MINUTE
    found = reconciled(
        given,
        known={
            "applications": [application(7, candidate_id="a newer one is unread", remote_updated_at=NOW)],
            "candidates": [{"id": "a newer one is unread"}],
            "candidate_tags": [tagged("a newer one is unread", "known")],
        },
        shown=[
            shown(application(1, candidate_id="two show"), tags=["older"]),
            shown(application(2, candidate_id="two show", remote_updated_at=later), tags=["newer"]),
            shown(application(3, candidate_id="the newer shows none"), tags=["older"]),
            shown(application(4, candidate_id="the newer shows none", remote_updated_at=later), tags=[]),
            shown(application(5, candidate_id="the newer has no key"), tags=["older"]),
            shown(application(6, candidate_id="the newer has no key", remote_updated_at=later)),
            shown(application(8, candidate_id="a newer one is unread"), tags=["older"]),
        ],
    )
    assert found.now["candidate_tags"].keys() == {"two show/newer", "the newer has no key/older"}
    assert found.gone["candidate_tags"].keys() == set()


def test_a_candidates_tags_go_with_the_candidate_and_a_tag_with_its_last_live_link(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "applications": [
                application(1, candidate_id="gone"),
                application(2, candidate_id="shows none"),
                application(3, candidate_id="not concerned"),
            ],
            "candidates": [{"id": who} for who in ("gone", "shows none", "not concerned")],
            "candidate_tags": [
                tagged("gone", "of one"),
                tagged("gone", "of two"),
                tagged("not concerned", "of two"),
                tagged("shows none", "taken off"),
                tagged("not concerned", "taken off before", **DELETED),
                tagged("gone", "taken off before"),
            ],
            "tags": [{"id": tag} for tag in ("of one", "of two", "taken off", "taken off before", "untouched")],
        },
        shown=[shown(application(2, candidate_id="shows none"), tags=["new"])],
        missing=no("applications", "a1"),
    )
    assert found.gone["candidate_tags"].keys() == {
        "gone/of one",
        "gone/of two",
        "gone/taken off before",
        "shows none/taken off",
    }
    assert found.gone["tags"].keys() >= {"of one", "taken off", "taken off before"}
    assert "of two" not in found.gone["tags"]
    assert found.now["tags"].keys() == {"new"}
