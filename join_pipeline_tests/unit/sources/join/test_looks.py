"""Looks at single records: one that JOIN answers oddly stops no sync, and an id that is none asks for nothing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.errors import SourceError
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.settings import Settings, load_settings
from join_pipeline.sync.extract import MOST_UNANSWERED
from join_pipeline_tests.syncing import run_sync
from join_pipeline_tests.unit.sources.join.loopback import TOKEN, Answer, Asked, as_json, serving

AT = "2026-05-01T10:00:00.000Z"


@dataclass
class Company:
    """What JOIN lists, and what it answers for single records in place of them."""

    listed: dict[str, list[dict[str, Any]]]
    odd: dict[str, Answer] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        room, _, record = asked.path.removeprefix("/v2/").partition("/")
        rows = self.listed.get(room, [])
        if record or asked.path.endswith("/"):
            found = [row for row in rows if str(row["id"]) == record]
            return self.odd.get(record) or (as_json(found[0]) if found else as_json({"message": "not found"}, 404))
        return as_json(rows if asked.page == 1 and "status" not in asked.params else [])


def application(n: int, job: Any = 1) -> dict[str, Any]:
    dates = {"createdAt": AT, "lastUpdatedAt": AT}
    return {"id": n, **dates, "state": "APPLIED", "job": {"id": job}, "candidate": {"id": n}, "currentStage": {"id": 1}}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def sync(company: Company, data: Path) -> tuple[SyncRecord, list[Asked]]:
    with serving(company.answer) as server:
        settings: Settings = load_settings(
            join_api_token=TOKEN, join_api_url=server.url, data=data, pseudonym_key="a key for tests only"
        )
        return run_sync(settings, "full", sleep=lambda _: None), server.asked


def small() -> Company:
    return Company(
        {"applications": [application(n) for n in range(1, 31)], "jobs": [{"id": 1, "title": "a", "createdAt": AT}]}
    )


@pytest.mark.parametrize(
    "odd", [as_json({}, 500), as_json({}, 422), as_json({}, 409), as_json([]), Answer(b"<html>"), as_json({"id": 7})]
)
def test_a_record_that_is_answered_oddly_stays_as_it_was_and_is_looked_at_again(odd: Answer, tmp_path: Path) -> None:
    company = small()
    sync(company, tmp_path)
    gone = [company.listed["applications"].pop(), company.listed["applications"].pop()]
    company.odd["30"] = odd
    record, _ = sync(company, tmp_path)
    assert record.pending == {"applications": ["30"]}
    assert record.models["applications"].deleted == 1
    company.odd["30"] = as_json(gone[0])
    record, _ = sync(company, tmp_path)
    assert (record.pending, record.models["applications"].live) == ({}, 29)


def test_if_many_are_answered_oddly_something_is_wrong_with_more_than_records(tmp_path: Path) -> None:
    company = small()
    sync(company, tmp_path)
    for _ in range(MOST_UNANSWERED + 1):
        company.odd[str(company.listed["applications"].pop()["id"])] = as_json({}, 409)
    with pytest.raises(SourceError, match="409"):
        sync(company, tmp_path)


@pytest.mark.parametrize("odd", ["", " ", "..", "../applications/1", "1?x=1", "abc", True, [], {}, 1.5, -1])
def test_what_is_no_id_of_a_job_asks_for_nothing(odd: Any, tmp_path: Path) -> None:
    company = small()
    company.listed["applications"][0]["job"]["id"] = odd
    record, asked = sync(company, tmp_path)
    assert record.models["applications"].live == 30
    assert {one.path for one in asked if one.path.startswith("/v2/jobs")} == {"/v2/jobs"}
    assert open_lake(tmp_path / "join" / "lake").newest() is not None
