"""The door: what of a payload enters the lake."""

import json
from typing import Any

import pytest

from join_pipeline.models import MODELS
from join_pipeline.models.kept_out import COLUMNS, emptied
from join_pipeline.privacy import PRESETS, WORDS
from join_pipeline.sources.join.door import DOOR as JOIN
from join_pipeline.sources.join.source import JoinSource
from join_pipeline.sources.kombo.door import DOOR as KOMBO
from join_pipeline.sources.kombo.source import KomboSource
from join_pipeline.sync.door import Door

SECRET = "kanarie"
APPLICATION = {
    "id": 7,
    "createdAt": "2026-01-01T00:00:00Z",
    "lastUpdatedAt": "2026-01-02T00:00:00Z",
    "state": "NEW",
    "candidate": {"id": 3, "firstName": "A", "country": {"name": "CH", "x": SECRET}, "tags": ["t"], "note": SECRET},
    "job": {"id": 4, "title": "Cook"},
    "currentStage": {"id": 5, "name": "Applied", "index": 0},
    "source": "Board",
    "screeningQuestions": [{"question": "Why?", "type": "TEXT", "answer": SECRET}],
    "letter": {"text": SECRET},
}


def let_in(door: Door, feed: str, payload: Any, *words: str) -> Any:
    return json.loads(door.let_in(feed, json.dumps(payload).encode(), frozenset(words)))


def test_nothing_kept_out_leaves_every_byte():
    body = b' {"id": 1,  "odd": "\\ud800"}'
    assert JOIN.let_in("applications", body, frozenset()) == body


def test_whatever_is_kept_out_only_keys_that_are_read_enter():
    kept = let_in(JOIN, "applications", APPLICATION, "screening_answers")
    assert SECRET not in json.dumps(kept)
    assert kept["screeningQuestions"] == [{"question": "Why?", "type": "TEXT"}]
    assert kept["candidate"] == {"id": 3, "firstName": "A", "country": {"name": "CH"}, "tags": ["t"]}
    assert {name: kept[name] for name in ("id", "state", "job", "source")} == {
        name: APPLICATION[name] for name in ("id", "state", "job", "source")
    }


def test_each_word_cuts_its_part():
    cut = {
        word: let_in(JOIN, "applications", APPLICATION, word)["candidate"]
        for word in ("candidate_names", "countries", "tags")
    }
    assert cut["candidate_names"]["firstName"] is None
    assert cut["countries"]["country"] is None
    assert cut["tags"]["tags"] == []


def test_tags_that_a_payload_does_not_show_are_known_to_be_none_once_they_are_kept_out():
    payload = {"id": 7, "candidate": {"id": 3}}
    assert let_in(JOIN, "applications", payload, "tags")["candidate"]["tags"] == []
    assert "tags" not in let_in(JOIN, "applications", payload, "users")["candidate"]


@pytest.mark.parametrize("odd", [SECRET, [SECRET], {"first": {"name": SECRET}}, [[SECRET]], {"firstName": [SECRET]}])
def test_a_part_of_another_shape_does_not_carry_anything_in(odd):
    kept = let_in(JOIN, "applications", APPLICATION | {"candidate": odd}, *COLUMNS)
    assert SECRET not in json.dumps(kept)
    assert isinstance(kept["candidate"], dict | list)  # not null: that would be an application without a candidate


@pytest.mark.parametrize("body", [b"[1]", b'"kanarie"', b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_object_enters_as_nothing(body):
    assert JOIN.let_in("applications", body, frozenset({"tags"})) == b"null"


def test_a_number_or_a_text_that_the_strict_reader_refuses_keeps_the_rest():
    body = b'{"id": 1, "state": "a\tb", "n": 1e999, "other": ' + b"9" * 5000 + b"}"
    assert json.loads(JOIN.let_in("applications", body, frozenset({"tags"})))["state"] == "a\tb"


def test_a_jobs_address_stays_although_no_field_has_it():
    job = {"id": 1, "title": "Cook", "postUrl": "https://example.com/1", "contact": {"email": "a@b.c"}, "x": SECRET}
    kept = let_in(JOIN, "jobs", job, "users")
    assert kept == {"id": 1, "title": "Cook", "postUrl": "https://example.com/1", "contact": None, "hiringTeam": []}


def test_kombo_keeps_ids_of_a_team_and_nothing_of_joins_payload():
    member = {
        "id": "k1",
        "remote_id": SECRET,
        "first_name": SECRET,
        "email": SECRET,
        "hiring_team_roles": ["RECRUITER"],
    }
    job = {"id": "j", "hiring_team": [member], "remote_data": {"a": SECRET}, "custom_fields": {"language": "de"}}
    kept = let_in(KOMBO, "jobs", job, "users")
    assert SECRET not in json.dumps(kept)
    assert kept["hiring_team"][0]["id"] == "k1"
    assert kept["custom_fields"] == {"language": "de"}
    assert kept["remote_data"] is None


def test_minimal_empties_every_column_of_tiers_2_and_3():
    personal = {
        (model.name, column.name)
        for model in MODELS.values()
        for column in (*model.columns,)
        if column.tier.is_personal
    }
    named = {(model, column) for model, columns in emptied(PRESETS["minimal"]).items() for column in columns}
    assert personal <= named
    assert {("tags", "name"), ("tags", "remote_id"), ("candidate_tags", "remote_id")} <= named


@pytest.mark.parametrize("source", [JoinSource, KomboSource])
def test_each_word_that_has_columns_is_known_at_each_door(source):
    """`raw_payloads` is what is left out of all of them; answers lie in keys that nothing reads."""
    assert COLUMNS.keys() - source.door.cuts.keys() <= {"screening_answers", "raw_payloads"}
    assert {feed for cuts in source.door.cuts.values() for feed in cuts} <= source.door.kinds.keys()


def test_every_word_of_the_setting_has_its_columns() -> None:
    assert tuple(COLUMNS) == WORDS
