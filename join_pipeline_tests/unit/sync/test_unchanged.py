"""Unchanged: a sync that does not map payloads again writes what one writes that maps all of them.

Each case is two lakes with the same syncs, of which one knows its payloads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.raw import SCHEMA
from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.lake.sql import ordered, write_rows
from join_pipeline.models.ids import Ids
from join_pipeline.settings import load_settings
from join_pipeline.sources.feed import RawOf
from join_pipeline.sources.join.feeds import UNCHANGING
from join_pipeline.sources.join.payloads import ApplicationPayload
from join_pipeline.sources.registry import source_of
from join_pipeline.sync.derive import derive
from join_pipeline.sync.unchanged import Unchanged
from join_pipeline.sync.workspace import Workspace
from join_pipeline_tests.oracle.payloads import answer, application, candidate, job
from join_pipeline_tests.unit.sync.syncs import INTEGRATION, Payload, Said, Syncs
from join_pipeline_tests.unit.sync.tables import Tables

JOIN = source_of("join", load_settings(data=Path()))
NO_JSON = "{"


@dataclass
class Knowing(Syncs):
    """A lake whose syncs keep what they know of their payloads. `n_same` has how many each did not map again."""

    n_same: list[int] = field(default_factory=list)

    def _derive(self, workspace: Workspace, record: SyncRecord, rows: RawOf) -> None:
        lake = open_lake(workspace.lake, INTEGRATION, source="join", create=True)
        path = f"raw/applications/{record.sync_id}/part-00000.parquet"
        with ordered(workspace.con):
            write_rows(workspace.con, SCHEMA, (row._asdict() for row in rows("applications")), lake.path / path)
        record.files.raw["applications"] = [LakeFile(path=path, sync_id=record.sync_id)]
        unchanged = Unchanged.of_sync(self.source, lake, lake.path.parent / "builds", workspace, record)
        derive(self.source, workspace, Ids(INTEGRATION), record, self.previous, rows, unchanged=unchanged)
        if unchanged is not None:
            unchanged.write()
        lake.commit(record)
        if unchanged is not None:
            unchanged.settle(record)
            self.n_same.append(unchanged.n_same)


@dataclass
class Both:
    """The two lakes."""

    knowing: Knowing
    plain: Syncs

    def sync(self, applications: Sequence[Said], jobs: Sequence[Said] = (), **more: Any) -> int:
        """The same sync of both, which must write the same. Returns how many payloads were not mapped again."""
        raw = {"applications": applications, "jobs": jobs or [job(1)]}
        ours, theirs = self.knowing.sync(raw, **more), self.plain.sync(raw, **more)
        assert self.knowing.written() == self.plain.written()
        for part in ("models", "unknown", "odd", "n_unannounced"):
            assert getattr(ours, part) == getattr(theirs, part)
        assert {n: f.unread for n, f in ours.feeds.items()} == {n: f.unread for n, f in theirs.feeds.items()}
        return self.knowing.n_same[-1] if self.knowing.n_same else 0


@pytest.fixture
def both(given: Tables, tmp_path: Path) -> Both:
    return Both(Knowing(JOIN, given), Syncs(JOIN, Tables(given.con, tmp_path / "plain" / "lake")))


def at(day: int) -> str:
    return f"2026-02-{day:02d}T00:00:00Z"


def several(n: int, **more: Any) -> list[Payload]:
    """So many applications of as many candidates, in one stage of one job, the later ones updated later."""
    return [application(key, of=key, lastUpdatedAt=at(key), **more) for key in range(1, n + 1)]


def test_what_changed_is_mapped_with_what_it_can_concern_and_what_tells_shared_records_last(both: Both) -> None:
    shown = several(9)
    rejected = [one | ({"state": "REJECTED"} if one["id"] == 3 else {}) for one in shown]
    of_another = [one | ({"candidate": candidate(5)} if one["id"] == 3 else {}) for one in rejected]
    assert both.sync(shown) == 0
    assert both.sync(shown) == 8
    assert both.sync(rejected) == 7
    assert both.knowing.reasons().keys() == {"applications"}
    assert both.sync(of_another) == 6, "the other application of that candidate is mapped, too"
    assert both.sync([*of_another, of_another[6]]) == 7, "one came twice"
    assert both.sync(of_another, mode="incremental") == 7, "and nothing is known afterwards of this one"
    assert both.sync(of_another, guarded=["jobs"], verdict="guarded") == 7
    assert both.knowing.n_same == [0, 8, 7, 6, 7]


def test_a_signature_is_no_change_and_the_address_before_it_is(both: Both) -> None:
    def with_file(signature: str, host: str = "https://files.example.org") -> list[Payload]:
        address = f"{host}/cv.pdf?signature={signature}"
        asked = answer("CV", "FILE", file=address)
        return several(9, attachments=[{"type": "CV", "url": address}], screeningQuestions=[asked])

    both.sync(with_file("a"))
    assert both.sync(with_file("b")) == 8
    assert both.sync(with_file("b", "https://others.example.org")) == 0


def test_a_text_that_ends_in_a_quoted_address_is_no_signature(both: Both) -> None:
    def said(query: str) -> list[Payload]:
        return several(9, screeningQuestions=[answer(f'"url":"https://example.org/?{query}"', "TEXT")])

    both.sync(said("a"))
    assert both.sync(said("b")) == 0


def test_no_part_of_the_contract_has_a_key_whose_query_is_cut_off() -> None:
    def keys(kind: Any) -> Iterator[str]:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from kind.__struct_encode_fields__
            for one in get_type_hints(kind).values():
                yield from keys(one)
        for one in getattr(kind, "__args__", ()):
            yield from keys(one)

    found = set(keys(ApplicationPayload))
    assert {"firstName", "question", "iso3166"} <= found
    assert found.isdisjoint({"url", "file"})
    assert '"(?:url|file)"' in UNCHANGING.signed


def test_a_stage_is_told_by_what_is_left_once_the_payload_that_told_it_is_gone(both: Both) -> None:
    old, new = (
        application(key, of=key, lastUpdatedAt=at(key), stage=(1, name, 0)) for key, name in ((1, "A"), (2, "B"))
    )
    both.sync([old, new])
    both.sync([old, ("2", None)])
    assert both.knowing.live("application_stages", "name") == {"A"}


def test_a_newer_payload_that_shows_no_question_is_not_taken_for_one_that_nobody_read(both: Both) -> None:
    def asked(*questions: str) -> list[Payload]:
        return [answer(one, "TEXT") for one in questions]

    shown = several(4)
    shown[0]["screeningQuestions"], shown[1]["screeningQuestions"] = asked("A"), asked("B", "A")
    both.sync(shown)
    assert both.sync([shown[0], ("2", None), *shown[2:]]) == 1
    assert both.knowing.written()["job_screening_questions"][0]["index"] == 0


def test_a_candidate_is_told_by_what_is_left_once_the_payload_that_told_it_is_gone(both: Both) -> None:
    shown = [
        application(key, stage=(key, "Screening", 0), lastUpdatedAt=at(key), candidate=candidate(70, tags=[tag]))
        for key, tag in ((1, "a"), (2, "b"))
    ]
    rest = several(9)[2:]
    both.sync([*shown, *rest])
    assert both.sync([shown[0], ("2", None), *rest]) == 6
    assert both.knowing.live("tags", "name") == {"a"}


def test_who_changed_and_changed_back_between_is_mapped(both: Both) -> None:
    before = several(9)
    after = several(9)
    after[2]["candidate"] = candidate(3, firstName="Else")
    both.sync(before)
    both.sync([after[2]], mode="incremental")
    assert both.sync(before) == 7
    assert both.knowing.live("candidates", "remote_id") == {str(key) for key in range(1, 10)}
    assert both.knowing.written().keys() == {"candidates"}


def test_a_payload_that_could_not_be_read_between_is_mapped_and_read_again(both: Both) -> None:
    both.sync(several(9))
    both.sync([("3", NO_JSON)], mode="incremental")
    assert both.sync(several(9)) == 7
    assert both.knowing.previous.feeds["applications"].unread == []


def test_a_payload_with_an_odd_part_is_mapped_each_time(both: Both) -> None:
    shown = several(9)
    shown[2]["currentStage"] = "Screening"
    assert [both.sync(shown) for _ in range(2)] == [0, 7]


def test_unknown_words_are_counted_of_payloads_that_are_not_mapped_again(both: Both) -> None:
    shown = several(9, surprise=1)
    both.sync(shown)
    assert both.sync(shown) == 8
    assert both.knowing.previous.unknown == {"applications.surprise": 9}
