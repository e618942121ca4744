"""JOIN's reconcile: what a newer parent showed that was not read now holds against what older ones show."""

import itertools
from datetime import datetime
from pathlib import Path

import duckdb

from join_pipeline.sources.join.mapping.vocabulary import UNKNOWN_FORMAT
from join_pipeline_tests.oracle import payloads
from join_pipeline_tests.unit.sync.join_rows import (
    DELETED,
    JOIN,
    application,
    asked,
    job,
    member,
    no,
    reconciled,
    shown,
    shown_job,
)
from join_pipeline_tests.unit.sync.syncs import Payload, Syncs
from join_pipeline_tests.unit.sync.tables import BEFORE, DAY, MINUTE, NOW, Rows, Tables


def test_a_user_stays_as_a_newer_job_showed_it_that_nobody_could_read_now(given: Tables) -> None:
    later = BEFORE + MINUTE
    known_jobs = [
        job("newer", remote_id="2", remote_updated_at=later),
        job("older", remote_id="1", remote_updated_at=BEFORE - DAY),
        job("deleted", remote_id="3", remote_updated_at=later, **DELETED),
        job("named only", remote_id="4", remote_updated_at=None, payload_hash=None),
        job("gone", remote_id="5", remote_updated_at=later),
        job("read in part", remote_id="6", remote_updated_at=later),
        job("read", remote_id="7", remote_updated_at=later),
    ]
    came = [job("read in part", remote_id="6", unread=["job_hiring_team"]), job("read", remote_id="7")]
    found = reconciled(
        given,
        known={
            "jobs": known_jobs,
            "job_hiring_team": [member(row["id"], f"of {row['id']}") for row in known_jobs],
            "users": [{"id": f"of {row['id']}"} for row in known_jobs],
        },
        shown=[
            shown_job(job("seen", remote_id="9"), team=[f"of {row['id']}" for row in known_jobs], key=9),
            *({"jobs": [row]} for row in came),
        ],
        missing=no("jobs", "gone"),
    )
    assert found.now["users"].keys() == {"of older", "of deleted", "of named only", "of gone", "of read"}
    assert not found.gone["users"].keys() & {"of newer", "of read in part"}


FORM = {"priority": 2, "parent_updated_at": BEFORE, "parent_id": 1, "required": True}


def answered(of: str, question: str, updated_at: datetime = NOW, key: int = 7, **columns: object) -> dict[str, Rows]:
    """What an application shows of a question."""
    parent = {"parent_updated_at": updated_at, "parent_id": key, "priority": 1}
    return {
        "screening_questions": [{"id": question, "title": f"{question}, by {key}"} | parent | columns],
        "job_screening_questions": [asked(of, question, index=9, **parent)],
    }


def test_a_question_stays_as_the_form_has_it_that_nobody_could_read_now(given: Tables) -> None:
    jobs = ["unread", "read", "formless", "read in part"]
    read = shown_job(job("read", remote_id="2")) | {
        "screening_questions": [{"id": "of read", **FORM}],
        "job_screening_questions": [asked("read", "of read", index=3, **FORM)],
    }
    found = reconciled(
        given,
        known={
            "jobs": [job(name, remote_id=str(n)) for n, name in enumerate(jobs, 1)],
            "screening_questions": [{"id": f"of {name}"} for name in jobs],
            "job_screening_questions": [
                asked(name, f"of {name}", index=1, required=None if name == "formless" else True) for name in jobs
            ],
        },
        shown=[
            read,
            {"jobs": [job("read in part", unread=["job_screening_questions"])]},
            *(answered(name, f"of {name}") for name in jobs),
            answered("unread", "new"),
        ],
    )
    places = {name: (row["index"], row["required"]) for name, row in found.now["job_screening_questions"].items()}
    assert places == {"read/of read": (3, True), "formless/of formless": (9, None), "unread/new": (9, None)}
    assert found.now["screening_questions"].keys() == {"of read", "of formless", "new"}
    assert found.gone["screening_questions"] == found.gone["job_screening_questions"] == {}


def test_a_question_that_several_forms_ask_is_as_the_newest_has_it_read_or_not(given: Tables) -> None:
    form = FORM | {"parent_updated_at": BEFORE + MINUTE, "parent_id": 5}
    others = {
        "older": job("older", remote_id="1", remote_updated_at=BEFORE),
        "newer": job("newer", remote_id="2", remote_updated_at=BEFORE + 2 * MINUTE),
        "less": job("less", remote_id="3", remote_updated_at=BEFORE + MINUTE),
        "newer, and gone": job("newer, and gone", remote_id="4", remote_updated_at=NOW),
    }
    found = reconciled(
        given,
        known={
            "jobs": [job("seen", remote_id="5"), *others.values()],
            "screening_questions": [{"id": f"also of {name}"} for name in others],
            "job_screening_questions": [
                asked(of, f"also of {name}", required=True) for name in others for of in ("seen", name)
            ],
        },
        shown=[
            {"jobs": [job("seen", remote_id="5")]},
            *(
                {
                    "screening_questions": [{"id": f"also of {name}", **form}],
                    "job_screening_questions": [asked("seen", f"also of {name}", **form)],
                }
                for name in others
            ),
        ],
        missing=no("jobs", "newer, and gone"),
    )
    assert found.now["screening_questions"].keys() == {f"also of {name}" for name in others.keys() - {"newer"}}
    assert len(found.now["job_screening_questions"]) == len(others)  # each job's place is of its own form


def test_a_question_of_an_unknown_type_is_as_the_newest_application_for_its_jobs_shows_it(given: Tables) -> None:
    known = {"j": application(5, job_id="j", remote_updated_at=NOW), "k": application(6, job_id="k")}
    found = reconciled(
        given,
        known={
            "jobs": [job("j", remote_id="1"), job("k", remote_id="2")],
            "applications": list(known.values()),
            "job_screening_questions": [
                asked(of, f"{kind} of {of}", index=9) for of in known for kind in (UNKNOWN_FORMAT, "TEXT")
            ],
            "screening_questions": [{"id": f"{kind} of {of}"} for of in known for kind in (UNKNOWN_FORMAT, "TEXT")],
        },
        shown=[
            answered(of, f"{kind} of {of}", BEFORE + MINUTE, format_type=kind)
            for of in known
            for kind in (UNKNOWN_FORMAT, "TEXT")
        ],
    )
    assert found.now["screening_questions"].keys() == {f"{UNKNOWN_FORMAT} of k", "TEXT of j", "TEXT of k"}


def test_a_place_in_a_form_is_as_the_newest_application_shows_it_seen_or_not(given: Tables) -> None:
    later = BEFORE + MINUTE
    found = reconciled(
        given,
        known={
            "jobs": [job("j", remote_id="1"), job("k", remote_id="2")],
            "applications": [application(5, job_id="j", remote_updated_at=later), application(6, job_id="k")],
            "job_screening_questions": [asked("j", "q", index=1), asked("k", "q", index=1)],
            "screening_questions": [{"id": "q"}],
        },
        shown=[
            shown(application(n, job_id=of, candidate_id="c", remote_updated_at=at))
            | {"job_screening_questions": [asked(of, "q", index=4, parent_updated_at=at, parent_id=n, priority=1)]}
            for n, of, at in ((3, "j", BEFORE), (4, "k", later))
        ],
    )
    assert {name: row["index"] for name, row in found.now["job_screening_questions"].items()} == {"k/q": 4}


def test_an_application_that_was_listed_unchanged_counts_as_read(given: Tables) -> None:
    newer = [application(n, job_id=of, remote_updated_at=NOW) for n, of in ((5, "j"), (6, "k"))]
    found = reconciled(
        given,
        known={
            "jobs": [job("j", remote_id="1"), job("k", remote_id="2")],
            "applications": newer,
            "job_screening_questions": [asked("j", "q", index=1), asked("k", "q", index=1)],
            "screening_questions": [{"id": "q"}],
        },
        shown=[answered(of, "q", BEFORE) for of in ("j", "k")],
        unchanged=["a5"],
    )
    assert found.now["job_screening_questions"].keys() == {"j/q"}


# The rule as a whole: nobody can see from the content in which order the parents came

FORMED, FORMLESS = 2, 9
QUESTIONS = ("Warum?", "Wo?", "Wie?")


def applied(n: int) -> Payload:
    """The n-th application of one person for one job. Each tells all that they share in another way."""
    told = QUESTIONS[n - 1 :] + QUESTIONS[: n - 1]
    return payloads.application(
        n, on_job=FORMLESS, of=7, stage=(4, f"Stage {n}", n), candidate=payloads.candidate(7, firstName=f"Ada {n}"),
        lastUpdatedAt=f"2026-05-0{n}T00:00:00Z",
        screeningQuestions=[payloads.answer(text, "NEW", said=n) for text in told] + [payloads.answer("Wann?", "DATE")],
    )  # fmt: skip


def formed(n: int) -> Payload:
    """The n-th job: all of them have one contact and one question, and tell them in another way."""
    return payloads.job(
        n, contact={"name": f"Bo {n}", "email": "bo@example.com"}, lastUpdatedAt=f"2026-04-0{n}T00:00:00Z",
        questions=[{"name": "Womit?", "type": "SINGLE_CHOICE", "options": [f"by {n}"], "required": n == FORMED}],
    )  # fmt: skip


LATER = payloads.application(
    4, on_job=FORMED, of=8, lastUpdatedAt="2026-05-04T00:00:00Z",
    screeningQuestions=[payloads.answer("Womit?", "SINGLE_CHOICE")],
)  # fmt: skip
PARENTS = [("applications", applied(n)) for n in (1, 2, 3)] + [("jobs", formed(n)) for n in (1, 2, 3)]
FEEDS = ("applications", "jobs")
SHARED = (
    "candidates",
    "application_stages",
    "job_application_stages",
    "screening_questions",
    "job_screening_questions",
    "users",
)


def content(syncs: Syncs) -> dict[str, dict[str, str]]:
    """What is known of the records that several parents show."""
    return {model: {key: row["content_hash"] for key, row in syncs.newest(model).items()} for model in SHARED}


def test_in_whatever_order_parents_come_the_newest_has_told_what_they_share(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    def lake(name: str) -> Syncs:
        return Syncs(JOIN, Tables(con, tmp_path / name))

    at_once = lake("at once")
    at_once.sync({feed: [row for of, row in [*PARENTS, ("applications", LATER)] if of == feed] for feed in FEEDS})
    whole = content(at_once)
    assert {model: len(rows) for model, rows in whole.items()} == {
        "candidates": 2,
        "application_stages": 2,
        "job_application_stages": 2,
        "screening_questions": 5,
        "job_screening_questions": 7,
        "users": 1,
    }
    for n, order in enumerate(itertools.permutations((0, 1, 2))):
        one_by_one = lake(f"order {n}")
        for place, other in zip(order, reversed(order), strict=True):
            one_by_one.sync({"applications": [PARENTS[place][1]], "jobs": [PARENTS[3 + other][1]]})
        one_by_one.sync({"applications": [LATER]})
        assert content(one_by_one) == whole, order
