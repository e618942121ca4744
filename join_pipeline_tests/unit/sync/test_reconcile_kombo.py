"""Kombo's reconcile, rule by rule: each record stands for itself, states its own deletion, and shows its links."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.settings import load_settings
from join_pipeline.sources.kombo.feeds import FEEDS
from join_pipeline.sources.registry import source_of
from join_pipeline_tests.unit.sync.tables import BEFORE, DAY, MINUTE, NOW, Found, Row, Rows, Tables

KOMBO = source_of("kombo", load_settings(data=Path()))
MODELS_READ = [feed.name for feed in FEEDS]
DELETED_AT = BEFORE + DAY / 2
OWN, STAND_IN = {"priority": 1}, {"priority": 0, "payload_hash": None}
DELETED = {"remote_deleted_at": BEFORE}
# shown by others only, and never read itself
NEVER_LISTED = {"payload_hash": None}

LINKS = [
    ("candidate_tags", "candidates", "candidate_id", "tag_id"),
    ("job_application_stages", "jobs", "job_id", "stage_id"),
    ("job_screening_questions", "jobs", "job_id", "question_id"),
    ("job_hiring_team", "jobs", "job_id", "user_id"),
]


def reconciled(given: Tables, **tables: Any) -> Found:
    return given.reconciled(KOMBO, **tables)


def own(model: str, key: str, *, changed_at: datetime = BEFORE, **columns: Any) -> dict[str, Rows]:
    """A record's own payload."""
    return {model: [{"id": key, "parent_updated_at": changed_at, "parent_id": 0} | OWN | columns]}


def stand_in(model: str, key: str, *, changed_at: datetime = BEFORE, **columns: Any) -> dict[str, Rows]:
    """A record as another one shows it, which changed at `changed_at`."""
    return {model: [{"id": key, "parent_updated_at": changed_at, "parent_id": 0} | STAND_IN | columns]}


def said_gone(model: str, *keys: str, seq: int = 100, at: datetime = DELETED_AT) -> list[Row]:
    """Records that say of themselves that they were deleted; `seq` is when, among all payloads."""
    return [{"model": model, "id": key, "remote_deleted_at": at, "observed_at": NOW, "seq": seq} for key in keys]


def not_found(model: str, *keys: str, at: datetime = NOW) -> list[Row]:
    return [{"model": model, "id": key, "remote_id": key, "observed_at": at} for key in keys]


def all_gone(found: Found) -> set[tuple[str, str]]:
    return {(model, name) for model, rows in found.gone.items() for name in rows}


# A record speaks for itself


def test_nothing_is_gone_because_a_list_lacks_it(given: Tables) -> None:
    links = {model: [{"id": "l", parent: "x", child: "y"}] for model, _, parent, child in LINKS}
    found = reconciled(
        given,
        known={name: [{"id": "known"}] for name in MODELS_READ} | links | {"screening_questions": [{"id": "y"}]},
        shown=[own(name, "another") for name in MODELS_READ],
    )
    assert all_gone(found) == set()
    assert {name for name in MODELS_READ if found.now[name].keys() == {"another"}} == set(MODELS_READ)


@pytest.mark.parametrize("model", MODELS_READ)
def test_a_record_is_gone_when_it_says_so_or_a_look_by_its_id_found_nothing(given: Tables, model: str) -> None:
    found = reconciled(
        given,
        known={model: [{"id": key} for key in ("said it", "not found", "both", "listed", "untouched")]},
        shown=[own(model, "listed")],
        missing=not_found(model, "not found", "both", at=NOW + MINUTE),
        said_gone=said_gone(model, "said it", "both", "never known"),
    )
    assert {key: (row["remote_deleted_at"], row["observed_at"]) for key, row in found.gone[model].items()} == {
        "said it": (DELETED_AT, NOW),
        "not found": (None, NOW + MINUTE),
        "both": (DELETED_AT, NOW),
    }
    assert found.now[model].keys() == {"listed"}


def test_what_a_record_said_last_holds_that_it_is_there_or_that_it_is_gone(given: Tables) -> None:
    found = reconciled(
        given,
        known={"users": [{"id": key} for key in ("gone, then listed", "listed, then gone", "listed, and not found")]},
        shown=[
            own("users", "listed, then gone"),
            own("users", "listed twice", first_name="first", changed_at=NOW),
            own("users", "listed twice", first_name="last"),
            own("users", "gone, then listed"),
            own("users", "listed, and not found"),
            own("users", "gone, listed, and gone again"),
        ],
        missing=not_found("users", "listed, and not found"),
        said_gone=[
            *said_gone("users", "gone, then listed", seq=2),
            *said_gone("users", "listed, then gone", seq=9),
            *said_gone("users", "gone, listed, and gone again", seq=2),
            *said_gone("users", "gone, listed, and gone again", seq=9),
        ],
    )
    assert found.gone["users"].keys() == {"listed, then gone"}
    assert found.now["users"].keys() == {"listed twice", "gone, then listed", "listed, and not found"}
    assert found.now["users"]["listed twice"]["first_name"] == "last"


def test_a_deleted_record_that_is_listed_is_there_again(given: Tables) -> None:
    found = reconciled(given, known={"jobs": [{"id": "j1", **DELETED}]}, shown=[own("jobs", "j1")])
    assert (found.now["jobs"].keys(), all_gone(found)) == ({"j1"}, set())


# A loss that the guard does not believe


def test_a_guarded_feed_believes_no_loss_and_the_others_believe_theirs(given: Tables) -> None:
    found = reconciled(
        given,
        known={
            "jobs": [{"id": "j1"}, {"id": "j2"}],
            "job_application_stages": [{"id": "j1/s1", "job_id": "j1", "stage_id": "s1"}],
            "users": [{"id": "u1"}],
        },
        shown=[own("jobs", "j2", name="changed")],
        said_gone=[*said_gone("jobs", "j1", "j2"), *said_gone("users", "u1")],
        guarded=["jobs"],
    )
    assert all_gone(found) == {("users", "u1")}
    assert {key: row["name"] for key, row in found.now["jobs"].items()} == {"j2": "changed"}


# Stand-ins


def test_a_record_that_others_show_and_nobody_listed_is_there_by_what_they_say_of_it(given: Tables) -> None:
    shows = [
        ("shown by two", "newer", BEFORE + MINUTE),
        ("shown by two", "older", BEFORE),
        ("listed, too", "shown", NOW),
        ("known by its own list", "shown", NOW),
        ("known as shown before", "shown", NOW),
        ("listed, and gone by now", "shown", NOW),
        ("deleted before", "shown", NOW),
    ]
    found = reconciled(
        given,
        known={
            "jobs": [
                {"id": "known by its own list"},
                {"id": "known as shown before", **NEVER_LISTED},
                {"id": "listed, and gone by now"},
                {"id": "deleted before", **DELETED},
            ]
        },
        shown=[
            own("jobs", "listed, too", name="listed"),
            *(stand_in("jobs", key, name=name, changed_at=at) for key, name, at in shows),
        ],
        said_gone=said_gone("jobs", "listed, and gone by now"),
    )
    assert {key: row["name"] for key, row in found.now["jobs"].items()} == {
        "shown by two": "newer",
        "listed, too": "listed",
    }
    assert found.gone["jobs"].keys() == {"listed, and gone by now"}


def test_a_stand_in_stays_since_nobody_will_say_that_it_is_gone(given: Tables) -> None:
    found = reconciled(
        given,
        known={"users": [{"id": "a stand-in", **NEVER_LISTED}, {"id": "listed once"}]},
        missing=not_found("users", "a stand-in", "listed once"),
    )
    assert found.gone["users"].keys() == {"listed once"}


def test_a_stand_in_gives_way_to_its_own_record(given: Tables) -> None:
    found = reconciled(
        given,
        known={"jobs": [{"id": "j1", "name": "as shown", **NEVER_LISTED}]},
        shown=[own("jobs", "j1", name="as listed")],
    )
    assert found.now["jobs"]["j1"]["name"] == "as listed"


# Links


@pytest.mark.parametrize(("model", "parent", "column", "other"), LINKS, ids=[link[0] for link in LINKS])
def test_a_record_shows_all_of_its_links_and_they_go_with_it(
    given: Tables, model: str, parent: str, column: str, other: str
) -> None:
    def link(of: str, to: str, **columns: Any) -> Row:
        return {"id": f"{of}/{to}", column: of, other: to} | columns

    parents = ("listed", "gone", "not found", "unlisted", "shown by others")
    found = reconciled(
        given,
        known={
            parent: [{"id": of} for of in parents],
            model: [link(of, to) for of in parents for to in ("kept", "dropped")] + [link("listed", "old", **DELETED)],
        },
        shown=[
            {},
            own(parent, "listed") | {model: [link("listed", "kept"), link("listed", "new")]},
            stand_in(parent, "shown by others"),
        ],
        missing=not_found(parent, "not found", at=NOW + 3 * MINUTE),
        said_gone=said_gone(parent, "gone"),
    )
    assert found.now[model].keys() == {"listed/kept", "listed/new"}
    assert {key: (row["observed_at"], row["remote_deleted_at"]) for key, row in found.gone[model].items()} == {
        "listed/dropped": (NOW + 2 * MINUTE, None),
        "gone/kept": (NOW, DELETED_AT),
        "gone/dropped": (NOW, DELETED_AT),
        "not found/kept": (NOW + 3 * MINUTE, None),
        "not found/dropped": (NOW + 3 * MINUTE, None),
    }


def test_links_are_those_of_the_last_time_that_the_record_came(given: Tables) -> None:
    def carries(tag: str) -> dict[str, Rows]:
        return {"candidate_tags": [{"id": f"c1/{tag}", "candidate_id": "c1", "tag_id": tag}]}

    came = [own("candidates", "c1") | carries("first"), own("candidates", "c1") | carries("last")]
    found = reconciled(given, shown=came)
    assert found.now["candidate_tags"].keys() == {"c1/last"}


def test_a_question_is_gone_with_its_last_live_link(given: Tables) -> None:
    def link(of: str, question: str) -> Row:
        return {"id": f"{of}/{question}", "job_id": of, "question_id": question}

    found = reconciled(
        given,
        known={
            "jobs": [{"id": "gone"}, {"id": "listed"}, {"id": "unlisted"}],
            "job_screening_questions": [
                link("gone", "of a job that is gone"),
                link("gone", "of two jobs"),
                link("unlisted", "of two jobs"),
                link("listed", "dropped"),
            ],
            "screening_questions": [
                {"id": question} for question in ("of a job that is gone", "of two jobs", "dropped")
            ],
        },
        shown=[
            own("jobs", "listed")
            | {"job_screening_questions": [link("listed", "new")], "screening_questions": [{"id": "new"}]}
        ],
        said_gone=said_gone("jobs", "gone"),
    )
    assert found.gone["screening_questions"].keys() == {"of a job that is gone", "dropped"}
    assert found.now["screening_questions"].keys() == {"new"}


@pytest.mark.parametrize("model", ["tags", "users", "application_stages"])
def test_what_has_a_list_of_its_own_stays_without_any_link(given: Tables, model: str) -> None:
    links: dict[str, Rows] = {
        "candidate_tags": [{"id": "l", "candidate_id": "c1", "tag_id": "x"}],
        "job_hiring_team": [{"id": "l", "job_id": "j1", "user_id": "x"}],
        "job_application_stages": [{"id": "l", "job_id": "j1", "stage_id": "x"}],
    }
    found = reconciled(
        given,
        known={"candidates": [{"id": "c1"}], "jobs": [{"id": "j1"}], model: [{"id": "x"}]} | links,
        shown=[own("candidates", "c1"), own("jobs", "j1")],
    )
    assert {name for name, rows in found.gone.items() if rows} == set(links)
