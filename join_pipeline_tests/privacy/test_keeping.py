"""Retention by schedule: a build first erases whom the build before found due, with a receipt, and nobody else."""

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from join_pipeline import pipeline
from join_pipeline.connections.doctor import examine_machine
from join_pipeline.connections.status import read_status
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.people import commands, erase, keeping
from join_pipeline.settings import Settings
from join_pipeline.sources.registry import open_source
from join_pipeline.warehouse.outcome import Outcome
from join_pipeline_tests.privacy.canaries import Join, found_in
from join_pipeline_tests.privacy.people import (
    START,
    Killed,
    Somebody,
    kill_at,
    load_only,
    receipts,
    settings_of,
    somebody,
    versions,
)
from join_pipeline_tests.syncing import run_sync


@pytest.fixture(scope="module")
def synced(api: Join, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a sync, to be copied."""
    data = tmp_path_factory.mktemp("synced") / "data"
    settings = settings_of(api.url, data)
    run_sync(settings, "full")
    pipeline.load(settings)
    return data


@pytest.fixture
def settings(api: Join, synced: Path, tmp_path: Path) -> Settings:
    return settings_of(api.url, Path(shutil.copytree(synced, tmp_path / "data")), retention_apply=True)


@pytest.fixture
def person(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Somebody:
    """Somebody whom the last build found due, and it was published."""
    one = somebody(settings)
    is_due(settings, one, monkeypatch=monkeypatch)
    return one


def is_due(settings: Settings, *people: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for dbt, which is slow: the mart says who is due."""
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("CREATE SCHEMA recruiting")
        con.execute(
            """CREATE TABLE recruiting.mart_retention_due AS
            SELECT pseudonym AS candidate_key, list_contains(?, id) AS is_due, false AS is_candidate_needed
            FROM ats.pseudonyms WHERE model = 'candidates'""",
            [[one.id for one in people]],
        )
        con.execute("SET TimeZone = 'UTC'")
        ((as_of,),) = con.execute("SELECT as_of FROM ats.as_of").fetchall()
    monkeypatch.setattr(keeping, "outcome", lambda _settings: Outcome(as_of, {}))


def test_the_next_build_erases_who_is_due_and_leaves_a_receipt(settings: Settings, person: Somebody) -> None:
    other = somebody(settings, place=1)
    load_only(settings)
    assert found_in(settings.data, person.pattern) == {}
    assert found_in(settings.lake, other.pattern)
    (receipt,) = receipts(settings)
    assert (receipt["what"], receipt["by"]) == ("erase", keeping.BY_SCHEDULE)
    assert person.id not in (settings.home / "erasures.jsonl").read_text()
    assert keeping.BY_SCHEDULE in (settings.home / "reads.jsonl").read_text()
    run_sync(settings, "full")
    load_only(settings)
    assert found_in(settings.data, person.pattern) == {}
    assert [one["what"] for one in receipts(settings)].count("erase") == 1


def test_it_is_off_unless_it_is_set(api: Join, settings: Settings, person: Somebody) -> None:
    load_only(settings_of(api.url, settings.data))
    assert found_in(settings.lake, person.pattern)
    assert not (settings.home / "erasures.jsonl").exists()


def test_a_build_that_was_not_published_says_of_nobody_that_they_are_due(
    settings: Settings, person: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Outcome(START - timedelta(days=1), {})
    for published in (None, before):
        monkeypatch.setattr(keeping, "outcome", lambda _settings, found=published: found)
        load_only(settings)
        assert found_in(settings.lake, person.pattern)


def test_who_applied_again_since_the_build_waits_for_the_next_one(
    api: Join, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.move(START + timedelta(days=9))
    try:
        new = run_sync(settings, "full").sync_id
    finally:
        api.move(START)
    rows = versions(open_lake(settings.lake), "applications", "candidate_id, sync_id, remote_deleted_at IS NULL")
    moved = {one for one, sync_id, is_live in rows if sync_id == new and is_live}
    known = {one for one, sync_id, _ in rows if sync_id < new}
    places = {one.id: one for one in (somebody(settings, place=place) for place in range(len(known)))}
    busy, quiet = (next(one for key, one in places.items() if key in group) for group in (moved & known, known - moved))
    is_due(settings, busy, quiet, monkeypatch=monkeypatch)
    load_only(settings)
    assert found_in(settings.lake, busy.pattern)
    assert found_in(settings.data, quiet.pattern) == {}


def test_the_command_leaves_its_receipt_and_one_that_was_cut_off_keeps_its_own(
    settings: Settings, person: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = somebody(settings, place=1)

    def cut_off(_settings: Settings) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keeping.erase_due(settings, pipeline.feeds_of, cut_off)
    receipt = commands.erase_person(settings, [other.address], pipeline.feeds_of, load_only)
    assert receipt is not None
    assert next(one["by"] for one in receipts(settings)) == keeping.BY_COMMAND
    assert receipts(settings)[1] == receipt
    for one in (person, other):
        assert found_in(settings.data, one.pattern) == {}


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_build_that_is_killed_while_it_erases_is_made_good_by_the_next_one(
    api: Join, synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Also the files of tags: the pattern has a tag that only this person carries."""
    marked = settings_of(api.url, Path(shutil.copytree(synced, tmp_path / "marked")), retention_apply=True)
    person = somebody(marked)
    is_due(marked, person, monkeypatch=monkeypatch)
    assert "models/tags/" in str(found_in(marked.lake, person.pattern))
    number, n_killed, is_over = 1 - step, 0, False
    while not is_over:
        number += step
        settings = settings_of(
            api.url, Path(shutil.copytree(marked.data, tmp_path / str(number))), retention_apply=True
        )
        with pytest.MonkeyPatch.context() as patched:
            kill_at(number, patched)
            try:
                with locked(settings.home):
                    assert keeping.erase_due_before_load(settings, pipeline.feeds_of) == 1
                is_over = True
            except Killed:
                n_killed += 1
        load_only(settings)
        for left in settings.home.rglob(".*.part"):
            left.unlink()
        assert found_in(settings.data, person.pattern) == {}, number
        assert [one["by"] for one in receipts(settings)] == [keeping.BY_SCHEDULE], number
        shutil.rmtree(settings.data)
    assert n_killed > 15 / step


def test_doctor_and_status_tell_of_an_erasure_that_has_not_ended(settings: Settings, person: Somebody) -> None:
    def told() -> tuple[list[str], str | None]:
        findings = examine_machine(open_source(settings), settings)
        return [one.message for one in findings if one.check == "erasure"], read_status(settings).erasure

    assert told() == ([], None)
    with locked(settings.home), commands.seeking(settings, pipeline.feeds_of) as look:
        erase.begin(settings, look.person([person.address]))
    pending = (settings.home / "people" / "pending.json").read_bytes()
    ((message,), status) = told()
    assert message == status
    assert "not carried out" in message
    assert person.id not in message
    assert person.address not in message
    pipeline.load(settings)
    assert "not made anew" in str(told()[1])
    erase.finish(settings)
    assert told() == ([], None)
    (settings.home / "people" / "pending.json").write_bytes(pending[:-9])
    ((message,), status) = told()
    assert "remove it, and erase them again" in message
    assert message == status
