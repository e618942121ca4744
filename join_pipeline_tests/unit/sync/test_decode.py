"""Decode: raw rows in, observations out; repeated rows, quarantined records, and the parts of shared records.

The mapper takes its rows from the payload as they are: what payloads mean is the sources' matter.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from join_pipeline.errors import ContractError
from join_pipeline.lake.raw import RawRow
from join_pipeline.models.ids import Ids
from join_pipeline.models.rows import Mapped
from join_pipeline.sources.feed import Key
from join_pipeline.sync import decode
from join_pipeline.sync.decode import Decoder
from join_pipeline.sync.workspace import Phase
from join_pipeline_tests.unit.sync.tables import BEFORE, MINUTE, NOW, THIS_SYNC, Row, Tables

FOUND, NOT_FOUND = 200, 404
BROKEN = {"breach": "Expected `int`, got `str` - at `$.id`"}


IDS = Ids("join:test")
KEYS: dict[str, Key] = dict.fromkeys(("applications", "jobs", "candidates", "tags"), "remote_id")


class Literal:
    """Payloads that are what they map to."""

    def map(self, _feed: str, text: str) -> Mapped:
        said = json.loads(text)
        if "breach" in said:
            raise ContractError(said["breach"])
        gone = [(model, key, NOW) for model, key in said.get("gone", [])]
        return Mapped(said.get("rows", {}), said.get("unknown", []), gone, said.get("endings", {}))


def raw(*rows: tuple[str | None, Any]) -> list[RawRow]:
    """Records by their own id with what they said, a minute after another; None: the source does not have it."""
    return [
        RawRow(
            THIS_SYNC,
            "all",
            1,
            record_id,
            NOT_FOUND if said is None else FOUND,
            NOW + n * MINUTE,
            None if said is None else json.dumps(said),
        )
        for n, (record_id, said) in enumerate(rows, 1)
    ]


def rows(model: str, *found: Row, **more: Any) -> Row:
    return {"rows": {model: list(found)}} | more


def decoded(
    given: Tables,
    feeds: Mapping[str, Sequence[RawRow]],
    shared: Collection[str] = (),
    unread: Mapping[str, set[str | None]] | None = None,
) -> Decoder:
    """The decoder, after it has taken all feeds; its tables are there to be read."""
    workspace = given.workspace()
    with workspace.phase(Phase.DECODE):
        decoder = Decoder(workspace, Literal(), frozenset(shared), IDS, KEYS)
        decoder.unread.update(unread or {})
        for feed, found in feeds.items():
            decoder.take(feed, found)
    return decoder


def seen(given: Tables, model: str, *columns: str) -> list[tuple[Any, ...]]:
    """What was seen of a model, in its order."""
    return given.con.execute(f"SELECT {', '.join(columns)} FROM seen_{model} ORDER BY seq, id").fetchall()


def test_an_observation_bears_when_its_payload_was_fetched_and_its_place_among_all_that_came(given: Tables) -> None:
    decoded(
        given,
        {
            "applications": raw(("1", rows("jobs", {"id": "a"}, {"id": "b"})), ("2", rows("jobs", {"id": "a"}))),
            "jobs": raw(("3", rows("jobs", {"id": "a"}))),
        },
    )
    assert seen(given, "jobs", "id", "seq", "observed_at") == [
        ("a", 1, NOW + MINUTE),
        ("b", 1, NOW + MINUTE),
        ("a", 2, NOW + 2 * MINUTE),
        ("a", 3, NOW + MINUTE),
    ]


def test_what_a_record_says_twice_in_a_row_is_read_once(given: Tables) -> None:
    first, second = rows("tags", {"id": "t", "name": "first"}), rows("tags", {"id": "t", "name": "second"})
    decoded(
        given,
        {
            "tags": raw(("1", first), ("1", first), ("1", second), ("1", first), ("2", first)),
            "jobs": raw(("1", first)),
        },
    )
    assert seen(given, "tags", "seq", "name") == [
        (1, "first"),
        (3, "second"),
        (4, "first"),
        (5, "first"),
        (6, "first"),
    ]


def test_a_record_that_the_source_does_not_have_is_missing_by_our_id_and_not_seen(given: Tables) -> None:
    decoded(given, {"jobs": raw(("1", rows("jobs", {"id": "j"})), ("7", None))})
    assert given.rows("missing") == [
        {"model": "jobs", "id": IDS.of("jobs", "7"), "remote_id": "7", "observed_at": NOW + 2 * MINUTE}
    ]
    assert seen(given, "jobs", "id") == [("j",)]


def test_a_record_that_breaks_the_contract_is_set_aside_with_its_reason_and_all_others_are_read(given: Tables) -> None:
    decoder = decoded(
        given, {"jobs": raw(("1", rows("jobs", {"id": "a"})), ("2", BROKEN), ("3", rows("jobs", {"id": "c"})))}
    )
    assert seen(given, "jobs", "id") == [("a",), ("c",)]
    assert decoder.quarantined["jobs"] == [
        {
            "record_id": "2",
            "fetched_at": NOW + 2 * MINUTE,
            "reason": BROKEN["breach"],
            "payload": json.dumps(BROKEN),
        }
    ]


def test_a_record_is_unread_while_the_last_that_it_said_broke_the_contract(given: Tables) -> None:
    good = rows("jobs", {"id": "j"})
    cases: dict[str, tuple[bool, list[Any], bool]] = {
        "read": (False, [good], False),
        "broken": (False, [BROKEN], True),
        "broken, then read": (False, [BROKEN, good], False),
        "read, then broken": (False, [good, BROKEN], True),
        "broken, then not there": (False, [BROKEN, None], False),
        "broken twice": (False, [BROKEN, BROKEN], True),
        "broken before, and did not come": (True, [], True),
        "broken before, read now": (True, [good], False),
        "broken before, and not there now": (True, [None], False),
        "broken before, and broken now": (True, [BROKEN], True),
    }
    came = raw(*((name, said) for name, (_, all_said, _) in cases.items() for said in all_said), (None, BROKEN))
    before: set[str | None] = {name for name, (was_unread, _, _) in cases.items() if was_unread}
    decoder = decoded(given, {"jobs": came}, unread={"jobs": before})
    assert decoder.unread["jobs"] == {name for name, (_, _, is_unread) in cases.items() if is_unread} | {None}


def test_of_a_shared_record_only_the_observation_that_can_win_is_held(given: Tables) -> None:
    def by(number: int, updated: str) -> Row:
        shown = {"parent_updated_at": updated, "parent_id": number, "name": f"by {number}"}
        return {"rows": {"tags": [{"id": "t"} | shown], "application_stages": [{"id": "s"} | shown]}}

    came = [("1", by(1, "2026-05-01T00:00:00Z")), ("9", by(9, "2026-05-02T00:00:00Z"))]
    came += [("10", by(10, "2026-05-02T00:00:00Z")), ("8", by(8, "2026-05-01T00:00:00Z"))]

    class Timed(Literal):
        def map(self, feed: str, text: str) -> Mapped:
            mapped = super().map(feed, text)
            for row in (row for found in mapped.rows.values() for row in found):
                row["parent_updated_at"] = BEFORE if "05-01" in row["parent_updated_at"] else NOW
            return mapped

    workspace = given.workspace()
    with workspace.phase(Phase.DECODE):
        Decoder(workspace, Timed(), frozenset({"application_stages"}), IDS, KEYS).take("applications", raw(*came))
    assert seen(given, "application_stages", "name") == [("by 10",)]
    assert len(seen(given, "tags", "name")) == len(came)


def test_the_payload_lies_apart_by_the_place_of_its_observation(given: Tables) -> None:
    found = [rows("candidates", {"id": "c", "remote_data": text}) for text in ("{1}", "{2}")]
    decoded(given, {"candidates": raw(("1", found[0]), ("2", found[1]))})
    assert given.con.execute("SELECT seq, remote_data FROM payloads_candidates ORDER BY seq").fetchall() == [
        (1, "{1}"),
        (2, "{2}"),
    ]
    assert "remote_data" not in {name for (name, *_) in given.con.execute("DESCRIBE seen_candidates").fetchall()}


def test_what_a_record_says_of_its_own_end_is_kept_with_how_it_was(given: Tables) -> None:
    said = {"gone": [["jobs", "j"]], "endings": {"jobs": [{"id": "j", "name": "at its end"}]}}
    decoded(given, {"jobs": raw(("1", said))})
    assert given.rows("said_gone") == [
        {"model": "jobs", "id": "j", "remote_deleted_at": NOW, "observed_at": NOW + MINUTE, "seq": 1}
    ]
    (ended,) = given.rows("ended_jobs")
    assert (ended["id"], ended["name"], ended["seq"], ended["observed_at"]) == ("j", "at its end", 1, NOW + MINUTE)
    assert seen(given, "jobs", "id") == []


def test_unknown_words_are_counted_and_once_where_a_record_repeats_itself(given: Tables) -> None:
    said = rows("jobs", {"id": "j"}, unknown=["jobs.status", "jobs.extra"])
    other = rows("jobs", {"id": "k"}, unknown=["jobs.status"])
    decoder = decoded(given, {"jobs": raw(("1", said), ("1", said), ("2", other))})
    assert decoder.unknown == {"jobs.status": 2, "jobs.extra": 1}


@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_size_of_a_batch_changes_nothing(given: Tables, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(decode, "BATCH", size)
    said = [rows("tags", {"id": f"t{n}", "name": str(n)}, gone=[["tags", f"x{n}"]]) for n in range(5)]
    decoded(given, {"tags": raw(*((str(n), one) for n, one in enumerate(said)), ("0", BROKEN), ("7", None))})
    assert seen(given, "tags", "id", "seq") == [(f"t{n}", n + 1) for n in range(5)]
    assert [row["id"] for row in given.rows("said_gone")] == [f"x{n}" for n in range(5)]
    assert len(given.rows("missing")) == 1


def test_a_nested_record_that_a_payload_shows_twice_is_observed_once(given: Tables) -> None:
    twice = rows("tags", {"id": "t", "name": "urgent"}, {"id": "u", "name": "later"}, {"id": "t", "name": "urgent"})
    decoded(given, {"applications": raw(("1", twice), ("2", twice))})
    assert sorted(seen(given, "tags", "id")) == [("t",), ("t",), ("u",), ("u",)]


def test_a_payload_is_kept_though_the_first_record_of_the_batch_has_none(given: Tables) -> None:
    came = [("1", rows("jobs", {"id": "a"})), ("2", rows("jobs", {"id": "b", "remote_data": "{}"}))]
    decoded(given, {"jobs": raw(*came)})
    assert [(row["id"], row["remote_data"]) for row in given.rows("payloads_jobs")] == [("b", "{}")]
