"""One person: found by any id, erased from every byte, kept out of later syncs; whatever is cut off is carried out."""

import json
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from join_pipeline import pipeline
from join_pipeline.checks.lake import LakeCheck
from join_pipeline.errors import InputError, LakeError
from join_pipeline.lake import compaction
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.people import commands, erase, german
from join_pipeline.people.export_page import Language
from join_pipeline.people.traces import ALSO, OUTSIDE, PLACES, files_of
from join_pipeline.settings import Settings
from join_pipeline.warehouse.pseudonyms import pseudonym
from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import company as cli_company
from join_pipeline_tests.kombo.accounts import account
from join_pipeline_tests.privacy.canaries import Join, canary, found_in
from join_pipeline_tests.privacy.people import (
    KEY,
    START,
    Killed,
    Somebody,
    addresses,
    erased,
    is_found,
    kill_at,
    load_only,
    receipts,
    settings_of,
    somebody,
    versions,
)
from join_pipeline_tests.syncing import replay, run_sync


@pytest.fixture(scope="module")
def synced(api: Join, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after two syncs, to be copied."""
    data = tmp_path_factory.mktemp("synced") / "data"
    settings = settings_of(api.url, data)
    run_sync(settings, "full")
    run_sync(settings, "full")
    pipeline.load(settings)
    return data


@pytest.fixture
def settings(api: Join, synced: Path, tmp_path: Path) -> Settings:
    return settings_of(api.url, Path(shutil.copytree(synced, tmp_path / "data")))


@pytest.fixture
def person(settings: Settings) -> Somebody:
    return somebody(settings)


def is_sound(settings: Settings) -> bool:
    with locked(settings.home):
        check = LakeCheck(open_lake(settings.lake), settings.builds, settings.memory_limit)
        return [finding.verdict for finding in check.findings()] == ["ok"] * 4


def test_what_is_known_of_payloads_goes_with_an_erasure(settings: Settings, person: Somebody) -> None:
    path = settings.builds / "unchanged.parquet"
    digests = {row["id"]: row for row in pq.read_table(path).to_pylist()}
    assert set(person.application_ids) <= digests.keys()
    erased(settings, person.address)
    assert not path.exists()
    run_sync(settings, "full")
    kept = {row["id"] for row in pq.read_table(path).to_pylist()}
    assert kept
    assert kept == digests.keys() - set(person.application_ids)


@pytest.mark.parametrize(
    "given",
    [
        lambda one: one.address,
        lambda one: one.address.upper(),
        lambda one: f"Somebody <{one.address}>",
        lambda one: f"Candidate: {one.candidate},",
        lambda one: f"candidate:{one.candidate}",
        lambda one: f"application: {one.applications[0]}",
        lambda one: one.id,
        lambda one: one.application_ids[0],
        lambda one: pseudonym(KEY.encode(), "candidates", one.id),
        lambda one: pseudonym(KEY.encode(), "applications", one.application_ids[0]),
    ],
)
def test_a_person_is_found_by_any_id(settings: Settings, person: Somebody, given: Callable[[Somebody], str]) -> None:
    found = commands.find(settings, [given(person)], pipeline.feeds_of)
    assert set(found.ids["candidates"]) == {person.id}
    assert set(found.ids["applications"]) == set(person.application_ids)


def test_whoever_names_an_address_in_an_application_is_not_its_owner(
    api: Join, settings: Settings, person: Somebody
) -> None:
    other = somebody(settings, place=1)
    api.says[other.applications[0]] = f"Recommended by {person.address}."
    try:
        run_sync(settings, "full")
    finally:
        api.says.clear()
    assert set(commands.find(settings, [person.address], pipeline.feeds_of).ids["candidates"]) == {person.id}
    erased(settings, person.address)
    assert set(commands.find(settings, [other.address], pipeline.feeds_of).ids["candidates"]) == {other.id}
    assert any(path.startswith("lake/raw/applications") for path in is_found(settings, person.address))


def test_a_bare_number_is_refused_because_it_may_be_anybodys(settings: Settings) -> None:
    with pytest.raises(InputError, match="candidate: or application:"):
        commands.find(settings, ["12"], pipeline.feeds_of)


def test_nobody_is_erased_by_an_id_that_nobody_has(settings: Settings) -> None:
    with pytest.raises(InputError, match="nobody is known"):
        erased(settings, "nobody-has-this-id")
    assert not (settings.home / "people").exists()


def test_show_lists_where_a_person_lies_and_how_long(settings: Settings, person: Somebody) -> None:
    held = commands.show(settings, [person.address], pipeline.feeds_of)
    assert person.address in held.contacts
    places = {place.place: place for place in held.places}
    assert {"raw payloads", "warehouse", "personal columns of the lake's versions"} <= set(places)
    assert "14 days" in places["raw payloads"].stays
    files = {path for place in held.places for path in place.files}
    assert set(found_in(settings.home, person.pattern)) <= files


@pytest.mark.parametrize("everything", [False, True])
def test_an_erased_person_is_in_no_byte_and_in_no_value(
    settings: Settings, person: Somebody, *, everything: bool
) -> None:
    given = [person.address, f"candidate:{person.candidate}", person.id]
    n_versions = len(versions(open_lake(settings.lake), "applications"))
    others = {somebody(settings, place=place).pattern for place in (1, 2)}
    assert is_found(settings, *given)
    receipt = erased(settings, *given, everything=everything)

    assert found_in(settings.data, person.pattern) == {}
    assert is_found(settings, *given) == []
    assert all(found_in(settings.lake, pattern) for pattern in others)
    assert is_sound(settings)
    rows = versions(open_lake(settings.lake), "applications", "id, candidate_id, remote_id, payload_hash, content_hash")
    kept = [row for row in rows if str(row[0]).startswith("erased-")]
    assert len(rows) == n_versions - (len(person.applications) if everything else 0)
    assert len(kept) == (0 if everything else len(person.applications))
    assert {row[2:] for row in kept} <= {(None, None, None)}
    assert len({row[1] for row in kept}) == len(kept[:1]), "the applications of one person stay together"
    changed = {file["path"]: file for file in receipt["files"]}  # type: ignore[attr-defined, index]
    assert all(file["before"] or file["after"] for file in changed.values())
    assert any(path.startswith("lake/raw/") for path in changed)
    assert receipts(settings)[-1] == receipt


def test_who_is_erased_here_and_still_at_the_source_does_not_come_back(settings: Settings, person: Somebody) -> None:
    number = erased(settings, person.address)["number"]
    for mode in ("full", "full", "incremental"):
        record = run_sync(settings, mode)  # type: ignore[arg-type]
        assert record.verdict == "committed"
        assert found_in(settings.data, person.pattern) == {}
    ended = versions(open_lake(settings.lake), "applications", "id, remote_deleted_at IS NULL")
    assert [live for one, live in ended if str(one).startswith("erased-")].count(False) == len(person.applications)
    assert is_sound(settings)

    with locked(settings.home):
        replayed = replay(settings, open_lake(settings.lake))
    assert (replayed.n_syncs, replayed.n_different) == (3, 0), "only syncs after the erasure have all of their raw"
    assert replayed.left == tuple(record.sync_id for record in open_lake(settings.lake).records()[:2])
    assert "2 syncs" in replayed.told()

    assert commands.undo(settings, [str(number)]) == 1
    run_sync(settings, "full")
    assert is_found(settings, person.address)


def test_a_replay_right_after_an_erasure_says_why_it_repeats_nothing_and_leaves_the_lake(
    settings: Settings, person: Somebody
) -> None:
    erased(settings, person.address)
    lake = open_lake(settings.lake)
    before = {path: path.read_bytes() for path in lake.path.rglob("*") if path.is_file()}
    with locked(settings.home):
        replayed = replay(settings, lake)
    assert (replayed.n_syncs, replayed.left) == (0, tuple(record.sync_id for record in lake.records()))
    assert "were erased since" in replayed.told()
    assert {path: path.read_bytes() for path in lake.path.rglob("*") if path.is_file()} == before


def test_a_list_without_its_key_stops_a_sync_before_it_reads_anything(settings: Settings, person: Somebody) -> None:
    erased(settings, person.address)
    (settings.home / "people" / "erased.key").write_text("0" * 64)
    with pytest.raises(LakeError, match="is not the key"):
        run_sync(settings, "full")
    (settings.home / "people" / "erased.key").unlink()
    with pytest.raises(LakeError, match="Restore"):
        run_sync(settings, "full")


def test_another_key_of_pseudonyms_lets_nobody_in_again(api: Join, settings: Settings, person: Somebody) -> None:
    erased(settings, person.address)
    run_sync(settings_of(api.url, settings.data, pseudonym_key="another key for tests"), "full")
    assert found_in(settings.data, person.pattern) == {}


def test_after_a_restore_everybody_of_the_list_is_erased_again(settings: Settings, person: Somebody) -> None:
    backup = shutil.copytree(settings.lake, settings.data.parent / "backup")
    erased(settings, person.address)
    assert commands.reapply(settings, pipeline.feeds_of, load_only) is None
    shutil.rmtree(settings.lake)
    shutil.copytree(backup, settings.lake)
    assert is_found(settings, person.address)
    assert commands.reapply(settings, pipeline.feeds_of, load_only)
    assert found_in(settings.data, person.pattern) == {}


def test_what_was_kept_of_a_creation_goes_and_others_stay(settings: Settings, person: Somebody) -> None:
    for folder, name, text in (
        ("requests", "theirs.json", f'{{"candidate": {{"email_address": "{person.address}"}}}}'),
        ("answers", "theirs.json", f'{{"application": {{"id": "{person.application_ids[0]}"}}}}'),
        ("requests", "other.json", '{"candidate": {"email_address": "other@example.com"}}'),
    ):
        path = settings.actions / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    erased(settings, person.address)
    left = sorted(path.relative_to(settings.actions).as_posix() for path in settings.actions.rglob("*.json"))
    assert left == ["requests/other.json"]


def test_a_sync_leaves_a_receipt_of_who_is_deleted_and_of_the_files_that_go(
    api: Join, settings: Settings, person: Somebody
) -> None:
    api.erased |= set(person.applications)
    try:
        run_sync(settings, "full")
    finally:
        api.erased.clear()
    (receipt,) = receipts(settings)
    assert receipt["what"] == "sync"
    assert receipt["deleted_at_the_source"]["applications"] == len(person.applications)  # type: ignore[index]
    shown = (settings.home / "erasures.jsonl").read_text()
    assert person.id not in shown
    assert person.address not in shown


def test_a_person_leaves_merged_files_and_what_is_merged_later(
    api: Join, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_VERSION_FILES", 1)
    monkeypatch.setattr(compaction, "MOST_SMALL_FILES", 1)
    for days in (3, 6):
        api.move(START + timedelta(days=days))
        run_sync(settings, "full")
    newest = open_lake(settings.lake).newest()
    assert newest is not None
    assert any(file.kind == "merged" for files in newest.files.models.values() for file in files)
    first, second = somebody(settings), somebody(settings, place=1)
    erased(settings, first.address)
    api.move(START + timedelta(days=9))
    run_sync(settings, "full")
    erased(settings, second.address)
    api.move(START + timedelta(days=12))
    run_sync(settings, "full")
    for person in (first, second):
        assert found_in(settings.data, person.pattern) == {}
    assert is_sound(settings)
    kept = versions(open_lake(settings.lake), "applications", "DISTINCT id")
    gone = [one for (one,) in kept if str(one).startswith("erased-")]
    assert len(gone) == len(first.applications) + len(second.applications)


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_an_erasure_that_is_killed_anywhere_is_carried_out_by_the_next_command(
    api: Join, synced: Path, tmp_path: Path, step: int
) -> None:
    number, n_killed = 1 - step, 0
    while True:
        number += step
        data = Path(shutil.copytree(synced, tmp_path / str(number)))
        settings = settings_of(api.url, data)
        person = somebody(settings)
        with pytest.MonkeyPatch.context() as patched:
            kill_at(number, patched)
            try:
                with locked(settings.home), commands.seeking(settings, pipeline.feeds_of) as look:
                    erase.begin(settings, look.person([person.address]))
                with locked(settings.home):
                    commands.resume(settings, pipeline.feeds_of)
                erase.finish(settings)
            except Killed:
                n_killed += 1
                is_over = False
            else:
                is_over = True
        if (settings.home / "people" / "pending.json").exists():
            with locked(settings.home):
                assert commands.resume(settings, pipeline.feeds_of)
            erase.finish(settings)
        elif not is_over and not (settings.home / "erasures.jsonl").exists():  # killed before it had begun
            erased(settings, person.address)
        for left in settings.home.rglob(".*.part"):  # the next writer of that name removes it
            assert left.parent.name in {"people", "join"}, left
            left.unlink()
        assert found_in(settings.data, person.pattern) == {}, number
        assert sum(one["what"] == "erase" for one in receipts(settings)) == 1, number
        assert open_lake(settings.lake).newest() is not None
        shutil.rmtree(data)
        if is_over:
            break
    assert n_killed > 15 / step


@pytest.mark.parametrize("language", list(Language))
def test_an_export_has_all_that_is_held_and_nobody_elses(
    settings: Settings, person: Somebody, tmp_path: Path, language: Language
) -> None:
    to, other = tmp_path / "export.zip", somebody(settings, place=1)
    commands.export_person(settings, [person.address], to, language, pipeline.feeds_of)
    assert to.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(to) as archive:
        document, page = json.loads(archive.read("person.json")), archive.read("person.html").decode()
    for text in (json.dumps(document), page):
        assert person.address in text
        assert canary("answer", f"{person.applications[0]}.0") in text
        assert not re.search(other.pattern, text)
    assert {row["id"] for row in document["history"]["applications"]} == set(person.application_ids)
    assert {row["feed"] for row in document["payloads"]} == {"applications"}
    assert any("14 days" in place["stays"] for place in document["places"])
    assert f'lang="{language}"' in page
    with pytest.raises(InputError, match="already"):
        commands.export_person(settings, [person.address], to, language, pipeline.feeds_of)


def test_every_place_has_a_name_and_a_time_in_german(settings: Settings) -> None:
    assert set(german.PLACES) == {place.name for place in (*PLACES, ALSO)}
    assert len(german.OUTSIDE) == len(OUTSIDE)
    for place in PLACES:
        times = place.lasts(settings), german.PLACES[place.name][1].format(raw_days=settings.raw_days)
        assert ["14" in told for told in times] in ([True, True], [False, False]), place.name


def test_every_file_of_a_connection_is_in_a_place_of_its_own(settings: Settings) -> None:
    """A new kind of file needs a place, so that people are looked for in it, and `show` says how long it stays."""
    load_only(settings)
    homeless = [inside for place, inside, _ in files_of(settings) if place.name == "other files"]
    assert homeless == []


def test_what_companies_of_a_data_folder_share_is_looked_through_too(settings: Settings, person: Somebody) -> None:
    shared = [".dbt/compiled/model.sql", "portfolio.html"]
    for name in shared:
        path = settings.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"-- {person.address}")
    assert {f"../{name}" for name in shared} <= set(is_found(settings, person.address))


def test_only_an_erasure_that_was_made_is_taken_back(settings: Settings, person: Somebody) -> None:
    number = str(erased(settings, person.address)["number"])
    with pytest.raises(InputError, match="no erasure has the number 20260101"):
        commands.undo(settings, [number, "20260101"])
    assert commands.undo(settings, [number]) == 1


def test_every_reading_of_people_is_noted_with_who_and_what_kind(settings: Settings, person: Somebody) -> None:
    commands.find(settings, [person.address], pipeline.feeds_of, by="data protection officer")
    is_found(settings, person.address)
    lines = [json.loads(line) for line in (settings.home / "reads.jsonl").read_text().splitlines()]
    assert [(line["kind"], line.get("by")) for line in lines] == [
        ("person find", "data protection officer"),
        ("person verify", None),
    ]
    assert all(line["user"] and line["at"] for line in lines)
    assert person.address not in str(lines)


def test_an_application_that_nobody_could_read_is_erased_from_quarantine(
    api: Join, settings: Settings, person: Somebody
) -> None:
    api.broken.add(person.applications[0])
    try:
        run_sync(settings, "full")
    finally:
        api.broken.clear()
    assert any("quarantine" in path for path in found_in(settings.lake, person.pattern))
    erased(settings, person.address)
    assert found_in(settings.data, person.pattern) == {}
    run_sync(settings, "full")


def test_records_forget_whose_look_is_pending_and_who_could_not_be_read(settings: Settings, person: Somebody) -> None:
    lake, theirs = open_lake(settings.lake), [str(number) for number in person.applications]
    records = lake.records()
    for record in records:
        record.pending, record.pending_since = {"applications": theirs}, {"applications": record.started_at}
        record.feeds["applications"].unread = [*theirs, "999"]
    lake.correct(records)
    assert any(path.startswith("lake/syncs/") for path in is_found(settings, f"candidate:{person.candidate}"))
    erased(settings, person.address)
    assert is_found(settings, *(f"application:{number}" for number in theirs)) == []
    for record in lake.records():
        assert (record.pending, record.pending_since) == ({}, {})
        assert record.feeds["applications"].unread == ["999"]


def test_a_lake_of_kombos_loses_a_person_and_keeps_them_out(tmp_path: Path) -> None:
    with account(tmp_path, START, 24) as running:
        settings = running.kombo(pseudonym_key=KEY)
        run_sync(settings, "full")
        lake = open_lake(settings.lake)
        ((one, remote_id),) = versions(lake, "candidates", "id, remote_id")[:1]
        address = next(iter(commands.find(settings, [str(one)], pipeline.feeds_of).texts & addresses(settings)))
        assert set(commands.find(settings, [address], pipeline.feeds_of).ids["candidates"]) == {one}
        erased(settings, address)
        for _ in range(2):
            assert run_sync(settings, "full").verdict == "committed"
            assert is_found(settings, address, str(one), f"candidate:{remote_id}") == []
            assert found_in(settings.data, re.escape(address)) == {}
        assert is_sound(settings)


@pytest.mark.slow
def test_the_commands_of_the_privacy_page_follow_a_person_to_the_end(tmp_path: Path) -> None:
    """Both editions have the same block: `test_editions.py`."""
    page = (Path(__file__).parents[2] / "docs" / "de" / "privacy.md").read_text()
    (block,) = (found for found in re.findall(r"```bash\n(.*?)```", page, re.DOTALL) if "person verify" in found)
    shell = Shell(cli_company(), tmp_path / "data")
    for command in ("sync", "build"):
        assert shell(command).code == 0
    address = sorted(addresses(shell.settings))[0]
    who, archive = tmp_path / "who.txt", tmp_path / "person.zip"
    who.write_text(f"{address}\n")
    said = ""
    for line in block.splitlines():
        words = shlex.split(line.replace("who.txt", str(who)).replace("person.zip", str(archive)))
        ended = shell(*words[1:])
        assert ended.code == 0, (line, ended)
        said += ended.out
    assert address in said
    assert "Not found." in said
    assert archive.exists()
    assert found_in(shell.data, re.escape(address)) == {}
    assert shell("sync", "--mode", "full").code == shell("build").code == 0
    assert shell("person", "verify", "--file", str(who)).code == 0
    assert shell("doctor", "--lake").code == 0


def test_a_sync_carries_out_first_what_was_cut_off(settings: Settings, person: Somebody) -> None:
    with locked(settings.home), commands.seeking(settings, pipeline.feeds_of) as look:
        erase.begin(settings, look.person([person.address]))
    erase.finish(settings)
    assert not (settings.home / "erasures.jsonl").exists(), "nothing was carried out, so nothing has a receipt"
    pipeline.sync(settings, "full", ())
    assert set(found_in(settings.data, person.pattern)) == {"join/people/pending.json"}
    load_only(settings)
    assert found_in(settings.data, person.pattern) == {}
