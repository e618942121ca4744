"""JOIN's reconcile: the meaning of absence, and the records that it concerns, rule by rule of the unified models."""

from join_pipeline_tests.unit.sync.join_rows import (
    DELETED,
    all_gone,
    application,
    asked,
    job,
    member,
    no,
    place,
    reconciled,
    shown,
    shown_job,
    tagged,
)
from join_pipeline_tests.unit.sync.tables import BEFORE, MINUTE, NOW, Tables

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
                job("gone, and named again", **by_id_only, **DELETED),
                job("read before, gone, and named again", **DELETED),
            ],
        },
        shown=[
            shown(application(7, candidate_id="c7", job_id="gone, and named again")),
            shown(application(8, candidate_id="c8", job_id="read before, gone, and named again")),
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
                "gone, and named again",
                "read before, gone, and named again",
            ),
        ],
    )
    assert found.now["jobs"].keys() == {
        "named for the first time",
        "named by an application that did not come",
        "gone, and named again",
        "named, and not looked at",
    }
    assert found.gone["jobs"].keys() == {"named no longer", "read before, and named"}
    said = {name for name, value in found.now["jobs"]["named for the first time"].items() if value is not None}
    assert said == {"id", "remote_id", "observed_at"}


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
