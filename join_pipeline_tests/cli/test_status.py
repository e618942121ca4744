"""`status`: what the last syncs did, how fresh the data is, and what waits; the same for people and for scripts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sources.join.feeds import FEEDS
from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import company, without_applications

START = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def moving() -> Iterator[str]:
    """A company whose clock this module moves."""
    with running(SandboxConfig(port=0, applications=600, now=START, rate_limit=None)) as url:
        yield url


def control(url: str, path: str, content: dict[str, Any]) -> None:
    httpx.post(f"{url}/control/{path}", json=content, trust_env=False).raise_for_status()


def counted(record: dict[str, Any], *kinds: str) -> int:
    return sum(model[kind] for model in record["models"].values() for kind in kinds)


def test_it_tells_of_each_sync_what_the_sync_told(moving: str, tmp_path: Path) -> None:
    shell = Shell(moving, tmp_path)
    records = [shell("sync", "--json").document]
    said = shell("status").out
    assert "not proved yet that the list of applications is complete" in said
    assert shell("status", "--json").document["last_full_at"] is None
    records.append(shell("sync", "--json").document)
    control(moving, "clock", {"now": (START + timedelta(hours=20)).isoformat()})
    records.append(shell("sync", "--json").document)
    with without_applications():
        records.append(shell("sync", "--mode", "full", "--json").document)
    assert [record["mode"] for record in records] == ["full", "full", "incremental", "full"]

    found = shell("status", "--json").document
    assert (found["n_syncs"], len(found["syncs"])) == (4, 4)
    for told, record in zip(found["syncs"], reversed(records), strict=True):
        for name in ("sync_id", "mode", "reason", "verdict", "objections", "started_at"):
            assert told[name] == record[name]
        assert (told["requests"], told["retries"]) == (record["n_requests"], record["n_retries"])
        assert told["new_versions"] == counted(record, "new", "changed", "returned", "deleted")
        assert told["deletions"] == counted(record, "deleted")
        length = datetime.fromisoformat(record["finished_at"]) - datetime.fromisoformat(record["started_at"])
        assert told["seconds"] == round(length.total_seconds(), 1)
    assert [told["verdict"] for told in found["syncs"]] == ["guarded", *["committed"] * 3]
    assert set(found["watermarks"]) == {feed.name for feed in FEEDS}
    # a listing that the guard does not believe moves no watermark
    assert found["watermarks"]["applications"] == records[2]["feeds"]["applications"]["listed_since"]
    assert found["watermarks"]["applications"] <= records[2]["started_at"]
    assert found["last_full_at"] == records[1]["started_at"]
    assert found["as_of"] == records[3]["as_of"]
    assert found["age_seconds"] == pytest.approx(
        (datetime.now(UTC) - datetime.fromisoformat(found["as_of"])).total_seconds(), abs=60
    )
    assert found["live_records"] == {name: model["live"] for name, model in records[3]["models"].items()}
    assert len(shell("status", "--last", "2", "--json").document["syncs"]) == 2

    said = shell("status").out
    assert "last 4 of 4 syncs" in said
    for told in found["syncs"]:
        rows = [line for line in said.splitlines() if line.split()[2:4] == [told["mode"], told["verdict"]]]
        assert any(f"{told['requests']:,}" in row for row in rows)
    assert "nothing is known yet" in said
    assert "the last full sync is less than 24 hours old" in said
    assert "applications: the listing is empty" in said
    assert f"applications {found['live_records']['applications']}" in said
    assert "watermarks  " in said
    assert max(len(line) for line in said.splitlines() if line.startswith("20")) <= 80


def test_it_tells_who_waits_for_a_second_look_and_what_was_set_aside(moving: str, tmp_path: Path) -> None:
    shell = Shell(moving, tmp_path).but(JOIN_PIPELINE_MAX_SECOND_LOOKS="1")
    control(moving, "clock", {"now": START.isoformat()})
    control(moving, "faults", {"missing_field": 1.0})
    first = shell("sync", "--json").document
    set_aside = sum(feed["quarantined"] for feed in first["feeds"].values())
    assert set_aside > 0
    assert sum(shell("status", "--json").document["set_aside"].values()) == set_aside

    control(moving, "faults", {})
    control(moving, "clock", {"now": (START + timedelta(days=45)).isoformat()})
    shell("sync", "--mode", "full", "--json")
    found = shell("status", "--json").document
    assert found["pending_looks"]["applications"] > 0
    assert f"missing applications {found['pending_looks']['applications']}" in shell("status").out


def test_before_the_first_sync_it_says_what_to_do(tmp_path: Path) -> None:
    ended = Shell(company(0), tmp_path)("status")
    assert (ended.code, ended.out) == (1, "")
    assert "join-pipeline sync" in ended.err
