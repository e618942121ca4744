"""Derive: raw payloads in, versions out, over several syncs. These rules need more than one phase."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from join_pipeline.lake.record import SyncRecord
from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import source_of
from join_pipeline.sync import derive
from join_pipeline.sync.derive import mapped_since
from join_pipeline_tests.oracle.payloads import answer, application, candidate, job
from join_pipeline_tests.unit.sync.syncs import Payload, Syncs, id_of
from join_pipeline_tests.unit.sync.tables import NOW, Tables

TOLD = {"contact": {"name": "Ada Byron", "email": "Ada@Example.org"}}
NO_JSON = "{"
JOIN = source_of("join", load_settings(data=Path()))


@pytest.fixture
def join(given: Tables) -> Syncs:
    return Syncs(JOIN, given)


def by_template(syncs: Syncs, template: str) -> Syncs:
    """The same lake, with a setting that changes what jobs are mapped to."""
    settings = load_settings(data=Path(), post_url_template=template)
    return Syncs(source_of("join", settings), syncs.tables, syncs.previous, syncs.n)


def at(day: int) -> str:
    return f"2026-02-{day:02d}T00:00:00Z"


def company() -> dict[str, list[Any]]:
    """One application on one job, with a question, a tag and a contact."""
    question = answer("Führerschein?", "YES_NO")
    shown = application(12, on_job=3, of=7, candidate=candidate(7, tags=["gut"]), screeningQuestions=[question])
    return {"applications": [shown], "jobs": [job(3, **TOLD)]}


# Versions


def test_a_first_sync_writes_a_version_of_all_that_payloads_show(join: Syncs) -> None:
    record = join.sync(company())
    (question,) = join.live("screening_questions")
    assert {name: [row["remote_id"] for row in rows] for name, rows in join.written().items()} == {
        "users": ["ada@example.org"],
        "jobs": ["3"],
        "candidates": ["7"],
        "application_stages": ["1"],
        "applications": ["12"],
        "screening_questions": [question],
        "tags": ["gut"],
        "candidate_tags": ["7/gut"],
        "job_application_stages": ["3/1"],
        "job_screening_questions": [f"3/{question}"],
        "job_hiring_team": ["3/ada@example.org"],
    }
    assert {(counts.new, counts.live) for counts in record.models.values()} == {(1, 1)}


def test_a_sync_that_finds_all_as_it_was_writes_nothing(join: Syncs) -> None:
    join.sync(company())
    record = join.sync(company())
    assert join.written() == {}
    assert {(counts.versions, counts.live) for counts in record.models.values()} == {(0, 1)}


def test_an_application_that_its_own_look_does_not_find_goes_with_what_only_it_held(join: Syncs) -> None:
    join.sync(company())
    join.sync({"applications": [("12", None)], "jobs": company()["jobs"]})
    gone = {"applications": 12, "candidates": 7, "candidate_tags": "7/gut", "tags": "gut"}
    assert join.reasons() == {model: {id_of(model, key): "deleted"} for model, key in gone.items()}
    (version,) = join.written()["candidates"]
    assert (version["remote_deleted_at"], version["source"], version["first_name"]) == (join.started[1], "indeed", None)


def test_what_comes_back_as_it_was_is_a_return(join: Syncs) -> None:
    join.sync(company())
    join.sync({"applications": [("12", None)], "jobs": company()["jobs"]})
    join.sync(company())
    back = {"applications": 12, "candidates": 7, "candidate_tags": "7/gut", "tags": "gut"}
    assert join.reasons() == {model: {id_of(model, key): "returned"} for model, key in back.items()}


def test_tags_are_shown_whole_null_or_an_empty_list_is_none_and_an_absent_key_says_nothing(join: Syncs) -> None:
    shows: dict[str, tuple[Payload, set[str]]] = {
        "one more and one less": ({"tags": ["gut", "neu"]}, {"gut", "neu"}),
        "another case": ({"tags": ["Gut"]}, {"Gut"}),
        "an empty list": ({"tags": []}, set()),
        "null": ({"tags": None}, set()),
        "no key": ({}, {"gut", "alt"}),
    }

    def applications(tags: list[Payload], **more: Any) -> list[Payload]:
        people = [{"id": n} | shown for n, shown in enumerate(tags)]
        return [application(n, candidate=person, **more) for n, person in enumerate(people)]

    join.sync({"applications": applications([{"tags": ["gut", "alt"]}] * len(shows))})
    changed = applications([shown for shown, _ in shows.values()], state="ACTIVE")
    join.sync({"applications": changed}, mode="incremental")
    carried = {link.partition("/")[::2] for link in join.live("candidate_tags")}
    assert {name: {tag for of, tag in carried if of == str(n)} for n, name in enumerate(shows)} == {
        name: tags for name, (_, tags) in shows.items()
    }
    assert join.live("tags") == {"gut", "alt", "Gut", "neu"}


def test_a_job_that_no_list_has_is_known_by_its_id_until_it_can_be_read(join: Syncs) -> None:
    named = [application(12, on_job=9)]
    join.sync({"applications": named, "jobs": [("9", None)]})
    (row,) = join.newest("jobs").values()
    assert (row["remote_id"], row["name"], row["status"], row["payload_hash"]) == ("9", None, None, None)
    join.sync({"applications": named, "jobs": [("9", None)]})
    assert join.written() == {}
    join.sync({"applications": named, "jobs": [job(9)]})
    assert join.reasons() == {"jobs": {id_of("jobs", 9): "observed"}}
    join.sync({"applications": named, "jobs": [("9", None)]})
    assert join.reasons()["jobs"] == {id_of("jobs", 9): "deleted"}


def test_a_job_opens_with_the_first_sync_that_sees_it_as_no_draft(join: Syncs) -> None:
    opened = []
    for status in ("DRAFT", "DRAFT", "ONLINE", "ARCHIVED"):
        join.sync({"jobs": [job(3, status=status)]})
        opened += list(join.live("jobs", "opened_at"))
    assert opened == [None, None, join.started[2], join.started[2]]


def test_a_candidate_whose_applications_are_all_gone_keeps_source_and_creation(join: Syncs) -> None:
    first = application(11, of=7, createdAt=at(1), source={"product": "indeed"})
    second = application(12, of=7, createdAt=at(2), source={"product": "google"})
    known = []
    for said in ([first, second], [("11", None)], [("12", None)]):
        join.sync({"applications": said})
        known += [(row["source"], row["reason"]) for row in join.written()["candidates"]]
    assert known == [("indeed", "observed"), ("google", "observed"), ("google", "deleted")]


# The same, however it came


def versions_of(given: Tables, name: str, turned: Callable[[list[Any]], list[Any]]) -> dict[str, list[Any]]:
    """What a full and an incremental sync write of three applications of one candidate, in an order."""
    syncs = Syncs(JOIN, Tables(given.con, given.lake / name))
    shown = [
        application(
            key, of=7, lastUpdatedAt=at(day), stage=(1, f"by {key}", key), candidate=candidate(7, firstName=f"by {key}")
        )
        for key, day in ((9, 2), (10, 2), (8, 1))
    ]
    people = [
        job(key, lastUpdatedAt=at(day), contact={"name": f"by {key}", "email": "a@example.org"})
        for key, day in ((1, 2), (2, 1))
    ]
    syncs.sync({"applications": turned(shown), "jobs": turned(people)})
    return syncs.written(but=["observed_at"])


def test_neither_another_order_of_the_parents_nor_another_run_changes_a_version(given: Tables) -> None:
    in_order = versions_of(given, "in order", list)
    assert versions_of(given, "again", list) == in_order
    assert versions_of(given, "turned", lambda rows: rows[::-1]) == in_order
    assert in_order["candidates"][0]["first_name"] == "by 10"
    assert in_order["application_stages"][0]["name"] == "by 10"
    assert [row["last_name"] for row in in_order["users"]] == ["1"]


def test_an_incremental_and_a_full_sync_agree_on_a_record_of_several_parents(given: Tables) -> None:
    def shown(key: int, day: int, tag: str, **more: Any) -> Payload:
        return application(
            key, lastUpdatedAt=at(day), candidate=candidate(7, firstName=f"by {key}", tags=[tag]), **more
        )

    first = [shown(1, 2, "one"), shown(2, 9, "two")]
    changed = shown(1, 5, "other", state="HIRED")
    known = []
    for name, mode, said in (("part", "incremental", [changed]), ("whole", "full", [changed, first[1]])):
        syncs = Syncs(JOIN, Tables(given.con, given.lake / name))
        syncs.sync({"applications": first})
        syncs.sync({"applications": said}, mode=mode)
        assert syncs.reasons() == {"applications": {id_of("applications", 1): "observed"}}
        known.append((syncs.live("candidates", "first_name"), syncs.live("tags")))
    assert known == [({"by 2"}, {"two"})] * 2


# A mapping change


def test_what_a_changed_mapping_makes_of_the_same_payload_is_marked_so(join: Syncs) -> None:
    jobs = [job(3), job(4)]
    first = join.sync({"jobs": jobs})
    later = by_template(join, "https://jobs.example.com/{id}")
    later.sync({"jobs": [job(3), job(4, title="Köchin")]}, mapped_since=f"{first.sync_id}+")
    assert later.reasons()["jobs"] == {id_of("jobs", 3): "mapping", id_of("jobs", 4): "observed"}
    again = by_template(later, "https://ads.example.com/{id}")
    again.sync({"jobs": [job(3), job(4, title="Köchin")]}, mapped_since=first.sync_id)
    assert set(again.reasons()["jobs"].values()) == {"observed"}


def test_a_mapping_holds_since_the_first_sync_that_had_it(join: Syncs) -> None:
    version = join.source.mapping_version
    first = join.sync({}, mapping_version=version, mapped_since="the first")
    older = join.sync({}, mapping_version=version - 1, mapped_since="long ago")
    assert mapped_since(join.source, None, "now") == "now"
    assert mapped_since(join.source, first, "now") == "the first"
    assert mapped_since(join.source, older, "now") == "now"


# Records that break the contract


def test_a_record_that_breaks_the_contract_changes_nothing_and_is_set_aside(join: Syncs) -> None:
    join.sync(company())
    record = join.sync({"applications": [("12", NO_JSON)], "jobs": company()["jobs"]})
    assert join.written() == {}
    assert (record.feeds["applications"].quarantined, record.feeds["applications"].unread) == (1, ["12"])
    (file,) = record.files.quarantine["applications"]
    (row,) = pq.read_table(join.tables.lake / file.path).to_pylist()
    assert (row["record_id"], row["reason"]) == ("12", "not JSON")


@pytest.mark.parametrize("is_told", [True, False], ids=["a job that broke the contract", "a job that nobody lists"])
def test_a_job_that_an_application_names_is_known_by_its_id_until_it_can_be_read(join: Syncs, is_told: bool) -> None:
    named = {"applications": [application(12, job={"id": 9, "title": "Koch"})]}
    join.sync(named | {"jobs": [("9", NO_JSON)] if is_told else []})
    stages = join.newest("job_application_stages")
    assert {(row["remote_id"], row["name"]) for row in join.newest("jobs").values()} == {
        ("9" if is_told else None, None)
    }
    join.sync(named | {"jobs": [("9", NO_JSON)] if is_told else []})
    assert join.written() == {}
    join.sync(named | {"jobs": [job(9)]})
    assert join.live("jobs") == {"9"}
    assert join.newest("job_application_stages") == stages


def test_a_record_stays_unread_until_it_can_be_read(join: Syncs) -> None:
    def unread(said: list[Any]) -> list[str]:
        return join.sync({"applications": said}, mode="incremental").feeds["applications"].unread

    found = [unread(said) for said in ([("12", NO_JSON)], [], [application(13)], [("13", NO_JSON)], [application(12)])]
    assert found == [["12"], ["12"], ["12"], ["12", "13"], ["13"]]


@pytest.mark.parametrize(
    ("mode", "said", "is_whole"),
    [
        ("incremental", [("12", NO_JSON)], True),
        ("incremental", [(None, NO_JSON)], False),
        ("full", [(None, NO_JSON)], True),
        ("full", [("1", NO_JSON), ("2", NO_JSON), ("3", NO_JSON)], False),
    ],
    ids=["one", "nobody knows which, of changes only", "nobody knows which, of all", "too many"],
)
def test_a_listing_is_not_whole_where_too_many_or_nobody_knows_which_could_not_be_read(
    join: Syncs, monkeypatch: pytest.MonkeyPatch, mode: str, said: list[Any], is_whole: bool
) -> None:
    monkeypatch.setattr(derive, "MOST_UNREAD", 2)
    record = join.sync({"applications": said, "jobs": [(None, NO_JSON)]}, mode=mode)
    assert record.feeds["applications"].is_whole == is_whole
    assert len(record.feeds["applications"].unread) <= 2
    assert record.feeds["jobs"].is_whole  # never a list of changes only


def test_unknown_words_are_counted_by_their_name(join: Syncs) -> None:
    record = join.sync({"applications": [application(1, state="ON_HOLD", score=3), application(2, state="ON_HOLD")]})
    assert record.unknown == {"applications.score": 1, "applications.state": 2}


# Changes that were not announced


def test_changes_of_the_last_watermark_or_before_that_only_a_full_sync_shows_are_counted(join: Syncs) -> None:
    hour = "2026-06-01T{}:00:00Z".format
    assert hour(12).startswith(NOW.isoformat()[:13])
    before = {"applications": [application(key, lastUpdatedAt=hour("10")) for key in (1, 2, 3, 4)]}
    after = [
        application(1, lastUpdatedAt=hour("10"), state="HIRED"),  # its instant stayed
        application(2, lastUpdatedAt=hour("11"), state="HIRED"),  # before the last watermark
        application(3, lastUpdatedAt=hour("13"), state="HIRED"),  # announced
        application(4, lastUpdatedAt=hour("10")),  # as it was
    ]  # fmt: skip

    def counted(mode: str) -> SyncRecord:
        syncs = Syncs(join.source, Tables(join.tables.con, join.tables.lake / mode))
        assert syncs.sync(before).n_unannounced == 0
        return syncs.sync({"applications": after}, mode=mode)

    assert counted("full").n_unannounced == 2
    assert counted("incremental").n_unannounced == 0
