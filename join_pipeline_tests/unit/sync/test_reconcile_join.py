"""JOIN's reconcile, rule by rule of the unified models: what absence means, and what follows from other records."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import source_of
from join_pipeline_tests.unit.sync.tables import BEFORE, DAY, MINUTE, NOW, Found, Row, Rows, Tables

JOIN = source_of("join", load_settings(data=Path()))
DELETED = {"remote_deleted_at": BEFORE}


def reconciled(given: Tables, **tables: Any) -> Found:
    return given.reconciled(JOIN, **tables)


def application(n: int, **columns: Any) -> Row:
    """The n-th application. Nothing that it names is there unless it is told."""
    return {"id": f"a{n}", "remote_id": str(n), "remote_created_at": BEFORE, "remote_updated_at": BEFORE} | columns


def shown(row: Row, *, tags: Sequence[str] | None = None, **candidate: Any) -> dict[str, Rows]:
    """The payload of an application: itself, and its candidate, with tags where its key is there."""
    parent = {"parent_updated_at": row["remote_updated_at"], "parent_id": int(row["remote_id"])}
    who = row["candidate_id"]
    return {
        "applications": [row],
        "candidates": [{"id": who, "shows_tags": tags is not None} | parent | candidate],
        "tags": [{"id": tag, "name": tag} for tag in tags or ()],
        "candidate_tags": [tagged(who, tag) for tag in tags or ()],
    }


def tagged(candidate: str, tag: str, **columns: Any) -> Row:
    return {"id": f"{candidate}/{tag}", "candidate_id": candidate, "tag_id": tag} | columns


def job(key: str, **columns: Any) -> Row:
    return {"id": key, "remote_id": key, "status": "OPEN", "remote_created_at": BEFORE} | columns


def shown_job(row: Row, *, team: Sequence[str] = (), updated_at: datetime = BEFORE, key: int = 1) -> dict[str, Rows]:
    """The payload of a job: itself and its people, each told apart by the job that shows them."""
    parent = {"parent_updated_at": updated_at, "parent_id": key}
    return {
        "jobs": [row],
        "users": [{"id": user, "first_name": f"{user}, by {row['id']}"} | parent for user in team],
        "job_hiring_team": [member(row["id"], user) for user in team],
    }


def member(of: str, user: str, **columns: Any) -> Row:
    return {"id": f"{of}/{user}", "job_id": of, "user_id": user} | columns


def place(of: str, stage: str, index: int | None = 0, **columns: Any) -> Row:
    return {"id": f"{of}/{stage}", "job_id": of, "stage_id": stage, "index": index} | columns


def asked(of: str, question: str, **columns: Any) -> Row:
    return {"id": f"{of}/{question}", "job_id": of, "question_id": question, "index": 0} | columns


def no(model: str, *ids: str, at: datetime = NOW) -> Rows:
    """Looks by a record's own id that found nothing."""
    return [{"model": model, "id": name, "remote_id": name, "observed_at": at} for name in ids]


def all_gone(found: Found) -> set[tuple[str, str]]:
    return {(model, name) for model, rows in found.gone.items() for name in rows}


# What absence means


def test_nothing_is_gone_because_a_listing_lacks_it(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "applications": [application(1, candidate_id="c1", job_id="j1", current_stage_id="s1")],
            "candidates": [{"id": "c1"}],
            "candidate_tags": [tagged("c1", "t1")],
            "tags": [{"id": "t1"}],
            "jobs": [job("j1")],
            "job_application_stages": [place("j1", "s1")],
            "application_stages": [{"id": "s1", "global_index": 0}],
            "job_screening_questions": [asked("j1", "q1")],
            "screening_questions": [{"id": "q1"}],
            "job_hiring_team": [member("j1", "u1")],
            "users": [{"id": "u1"}],
        },
        shown=[shown(application(2, candidate_id="c2"), tags=["t2"]), shown_job(job("j2"), team=["u2"])],
    )
    assert all_gone(found) == set()


def test_an_application_is_gone_when_its_own_look_found_nothing_as_observed_then(given: Tables) -> None:
    found = reconciled(
        given,
        known={"applications": [application(1), application(2), application(3)]},
        missing=[*no("applications", "a1", at=NOW + MINUTE), *no("applications", "a1", "a2", at=NOW + 2 * MINUTE)],
    )
    assert {name: row["observed_at"] for name, row in found.gone["applications"].items()} == {
        "a1": NOW + 2 * MINUTE,
        "a2": NOW + 2 * MINUTE,
    }


def test_an_application_that_came_is_there_though_a_look_of_the_same_sync_found_nothing(given: Tables) -> None:
    found = reconciled(
        given,
        known={"applications": [application(1)]},
        shown=[shown(application(1, candidate_id="c1"))],
        missing=no("applications", "a1"),
    )
    assert found.now["applications"].keys() == {"a1"}
    assert all_gone(found) == set()


def test_a_deleted_application_that_came_is_there_again_with_its_candidate(given: Tables) -> None:
    found = reconciled(
        given,
        known={"applications": [application(1, candidate_id="c1", **DELETED)], "candidates": [{"id": "c1", **DELETED}]},
        shown=[shown(application(1, candidate_id="c1"))],
    )
    assert (found.now["applications"].keys(), found.now["candidates"].keys()) == ({"a1"}, {"c1"})
    assert all_gone(found) == set()


def test_a_candidate_is_gone_with_the_last_live_application(given: Tables) -> None:
    of = {
        "has one, gone": [application(1)],
        "has two, one gone": [application(2), application(3)],
        "has two, both gone": [application(4), application(5)],
        "has two, one gone, one deleted before": [application(6), application(7, **DELETED)],
        "had one that is another's now": [application(8)],
        "has one that did not come": [application(9)],
    }
    found = reconciled(
        given,
        known={
            "applications": [row | {"candidate_id": who} for who, rows in of.items() for row in rows],
            "candidates": [{"id": who, "remote_created_at": BEFORE} for who in of],
        },
        shown=[shown(application(8, candidate_id="another"))],
        missing=no("applications", "a1", "a2", "a4", "a5", "a6"),
    )
    assert found.gone["candidates"].keys() == {
        "has one, gone",
        "has two, both gone",
        "has two, one gone, one deleted before",
        "had one that is another's now",
    }
    assert found.now["candidates"].keys() == {"another"}


def test_a_job_is_gone_when_its_own_look_found_nothing_and_with_it_its_links_and_nothing_else_of_others(
    given: Tables,
) -> None:
    found = reconciled(
        given,
        known={
            "jobs": [job("gone"), job("listed"), job("unlisted")],
            "job_application_stages": [place(of, "s") for of in ("gone", "listed", "unlisted")],
            "job_screening_questions": [asked(of, "q") for of in ("gone", "listed", "unlisted")],
            "job_hiring_team": [member(of, "u") for of in ("gone", "listed", "unlisted")],
            "application_stages": [{"id": "s", "global_index": 0}],
            "screening_questions": [{"id": "q"}],
            "users": [{"id": "u"}],
        },
        shown=[shown_job(job("listed"), team=["u"])],
        missing=no("jobs", "gone", at=NOW + 5 * MINUTE),
    )
    links = {("job_application_stages", "gone/s"), ("job_screening_questions", "gone/q"), ("job_hiring_team", "gone/u")}
    assert all_gone(found) == {("jobs", "gone"), *links}
    assert {found.gone[model][name]["observed_at"] for model, name in links} == {NOW + 5 * MINUTE}


def test_a_user_is_gone_when_no_live_job_names_it(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "jobs": [job("gone"), job("listed"), job("unlisted")],
            "job_hiring_team": [
                member("gone", "of the job that is gone"),
                member("gone", "of two jobs"),
                member("unlisted", "of two jobs"),
                member("listed", "left the listed job"),
                member("listed", "left one of two jobs"),
                member("unlisted", "left one of two jobs"),
                member("listed", "stays"),
                member("listed", "left long ago", **DELETED),
            ],
            "users": [
                {"id": user}
                for user in ("of the job that is gone", "of two jobs", "left the listed job", "left one of two jobs",
                             "stays", "left long ago")
            ],
        },
        shown=[shown_job(job("listed"), team=["stays", "new"])],
        missing=no("jobs", "gone"),
    )  # fmt: skip
    assert found.gone["users"].keys() == {"of the job that is gone", "left the listed job", "left long ago"}
    assert found.now["users"].keys() == {"stays", "new"}


def test_a_hiring_team_link_is_gone_when_its_job_names_it_no_longer_as_the_job_was_read(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "jobs": [job("read"), job("unread")],
            "job_hiring_team": [member(of, user) for of in ("read", "unread") for user in ("kept", "dropped")],
        },
        shown=[{}, shown_job(job("read"), team=["kept"])],
    )
    gone = found.gone["job_hiring_team"]
    assert {name: row["observed_at"] for name, row in gone.items()} == {"read/dropped": NOW + 2 * MINUTE}


def test_stages_and_questions_of_a_job_stay_when_nothing_shows_them_any_more(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "applications": [application(1, candidate_id="c1", job_id="j1", current_stage_id="left")],
            "jobs": [job("j1")],
            "job_application_stages": [place("j1", "left")],
            "application_stages": [{"id": "left", "global_index": 0}],
            "job_screening_questions": [asked("j1", "dropped")],
            "screening_questions": [{"id": "dropped"}],
        },
        shown=[shown(application(1, candidate_id="c1", job_id="j1", current_stage_id="entered")), shown_job(job("j1"))],
    )
    assert all_gone(found) == set()


def test_a_stage_is_gone_with_its_last_live_link(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "applications": [
                application(1, candidate_id="c1", current_stage_id="of an application that is gone"),
                application(2, candidate_id="c2", current_stage_id="of an application that moved"),
                application(3, candidate_id="c3", current_stage_id="of an application that did not come"),
                application(4, candidate_id="c4", current_stage_id="of an application and of a job that are gone"),
                application(5, candidate_id="c5", current_stage_id="of an application that is gone, and of a live job"),
            ],
            "jobs": [job("gone"), job("live")],
            "job_application_stages": [
                place("gone", "of a job that is gone"),
                place("gone", "of two jobs"),
                place("live", "of two jobs"),
                place("gone", "of an application and of a job that are gone"),
                place("live", "of an application that is gone, and of a live job"),
            ],
            "application_stages": [
                {"id": stage, "global_index": 0}
                for stage in (
                    "of an application that is gone",
                    "of an application that moved",
                    "of an application that did not come",
                    "of an application and of a job that are gone",
                    "of an application that is gone, and of a live job",
                    "of a job that is gone",
                    "of two jobs",
                )
            ],
        },
        shown=[shown(application(2, candidate_id="c2", current_stage_id="entered"))],
        missing=[*no("applications", "a1", "a4", "a5"), *no("jobs", "gone")],
    )
    assert found.gone["application_stages"].keys() == {
        "of an application that is gone",
        "of an application that moved",
        "of an application and of a job that are gone",
        "of a job that is gone",
    }


def test_a_question_is_gone_with_its_last_live_link(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "jobs": [job("gone"), job("live")],
            "job_screening_questions": [asked("gone", "of one"), asked("gone", "of two"), asked("live", "of two")],
            "screening_questions": [{"id": "of one"}, {"id": "of two"}],
        },
        missing=no("jobs", "gone"),
    )
    assert found.gone["screening_questions"].keys() == {"of one"}


# Jobs that only an application names


def test_a_job_that_lists_and_look_lack_is_known_by_its_id_while_a_live_application_names_it(given: Tables) -> None:
    by_id_only = {"payload_hash": None, "status": None, "remote_created_at": None}
    found = reconciled(
        given,
        known={
            "applications": [
                application(1, candidate_id="c1", job_id="named by an application that did not come"),
                application(2, candidate_id="c2", job_id="named no longer"),
                application(3, candidate_id="c3", job_id="read before, and named"),
            ],
            "jobs": [
                job("named no longer", **by_id_only),
                job("named still", **by_id_only),
                job("read before, and named"),
            ],
        },
        shown=[
            shown(application(4, candidate_id="c4", job_id="named for the first time")),
            shown(application(5, candidate_id="c5", job_id="named still")),
            shown(application(6, candidate_id="c6", job_id="named, and not looked at")),
        ],
        missing=[
            *no("applications", "a2"),
            *no(
                "jobs",
                "named for the first time",
                "named by an application that did not come",
                "named no longer",
                "named still",
                "named by nobody",
                "read before, and named",
            ),
        ],
    )
    # of applications that did not come only those are at hand that this sync concerns
    first = {"named for the first time"}
    assert found.now["jobs"].keys() - {"named by an application that did not come"} == first
    assert found.gone["jobs"].keys() == {"named no longer", "read before, and named"}
    said = {name for name, value in found.now["jobs"]["named for the first time"].items() if value is not None}
    assert said == {"id", "remote_id", "observed_at"}


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
    known = {
        "unread, and older": application(31),
        "unread, and newer": application(33, remote_updated_at=latest),
        "unread, newer, and gone": application(35, remote_updated_at=latest),
        "unread, newer, and deleted before": application(37, remote_updated_at=latest, **DELETED),
        "unread, of the same instant, and less as a number": application(99, remote_updated_at=later),
    }
    came = [
        ("one after the other", application(11)),
        ("one after the other", application(12, remote_updated_at=later)),
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
        shown=[shown(row | {"candidate_id": who}, first_name=f"by {row['id']}") for who, row in came],
        missing=no("applications", "a35"),
    )
    assert {who: row["first_name"] for who, row in found.now["candidates"].items()} == {
        "one after the other": "by a12",
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
            "jobs": [job("gone"), job("live")],
            "job_application_stages": [
                place("live", "shown", 2),
                place("gone", "largest of a job that is gone", 9),
                place("live", "largest of a job that is gone", 4),
                place("live", "as before", 5),
                place("live", "a tie", 5),
                place("live", "without a place", None),
            ],
            "application_stages": [
                {"id": stage, "name": stage, "global_index": index}
                for stage, index in zip(stages, (2, 9, 5, 5, None), strict=True)
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


# What a sync recalls


def test_a_sync_recalls_every_application_of_the_candidates_and_gone_jobs_that_it_concerns(given: Tables) -> None:
    earlier, later = "1", "2"
    found = reconciled(
        given,
        known={
            "applications": [
                application(1, candidate_id="c1"),
                application(2, candidate_id="c1"),
                application(3, candidate_id="c1", sync_id=earlier),
                application(3, candidate_id="c3", sync_id=later),
                application(4, candidate_id="c4", job_id="gone"),
                application(5, candidate_id="c5", job_id="gone", sync_id=earlier),
                application(5, candidate_id="c5", job_id="live", sync_id=later),
                application(6, candidate_id="c6"),
                application(7, candidate_id="c7"),
            ],
            "jobs": [job("gone"), job("live")],
        },
        shown=[shown(application(1, candidate_id="c1"))],
        missing=[*no("jobs", "gone"), *no("applications", "a6")],
    )
    recalled = {name: row["candidate_id"] for name, row in found.known["applications"].items()}
    assert recalled == {"a1": "c1", "a2": "c1", "a3": "c3", "a4": "c4", "a5": "c5", "a6": "c6"}
    assert found.known["jobs"].keys() == {"gone", "live"}
