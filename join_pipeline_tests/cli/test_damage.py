"""Damage to every kind of file in a lake: no command gives a traceback, none loads a changed value in silence.

The lake is a golden one of today's format: it has merged files, raw, quarantine, records and folded records.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline import pipeline
from join_pipeline.connections.doctor import examine_lake, examine_machine
from join_pipeline.connections.status import read_status
from join_pipeline.errors import LakeError
from join_pipeline.lake.damage import kind_of
from join_pipeline.lake.files import locked
from join_pipeline.lake.integrity import sealed
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import FORMAT, SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.sources.registry import source_of
from join_pipeline_tests.golden.company import as_it_was, read
from join_pipeline_tests.golden.golden_lakes import Copy, golden_lakes
from join_pipeline_tests.syncing import replay

FUTURE = "99991231T235959000000Z"
GOLDEN = next(one for one in golden_lakes() if (one.format, one.company.source) == (FORMAT, "join"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The lake as it is. Tests copy it."""
    return GOLDEN.unpack(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def copy(whole: Copy, tmp_path: Path) -> Copy:
    return again(whole, tmp_path)


def again(whole: Copy, folder: Path) -> Copy:
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(whole.data, data)
    return Copy(whole.company, data)


@pytest.fixture(scope="module")
def sound(whole: Copy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What a sound lake loads."""
    return loaded(again(whole, tmp_path_factory.mktemp("sound")))


def loaded(copy: Copy) -> dict[str, list[Any]]:
    """Every row that a load makes, by table."""
    pipeline.load(copy.settings())
    with duckdb.connect(str(copy.settings().warehouse), read_only=True) as con:
        names = [f"ats_history.{name}" for name in MODELS] + ["ats.syncs", "ats.sync_counts", "ats.as_of"]
        there = {".".join(row) for row in con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()}
        return {name: con.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in names if name in there}


def one_of_each(lake: Path) -> dict[str, Path]:
    """One file of each kind that a lake has, by the kind."""
    newest = json.loads(max((lake / "syncs").glob("[0-9]*.json")).read_text())["files"]
    listed = {
        group: [lake / file["path"] for files in newest[group].values() for file in files]
        for group in ("models", "personal", "raw", "quarantine")
    }
    merged = [path for path in listed["models"] if ".merged." in path.name]
    written = [path for path in listed["models"] if ".merged." not in path.name]
    records = sorted((lake / "syncs").glob("[0-9]*.json"))
    return {
        "identity": lake / "connection.json",
        "newest record": records[-1],
        "record before": records[-2],
        "oldest record": records[0],
        "log": lake / "syncs" / "log.parquet",
        "versions": max(written, key=lambda path: path.stat().st_size),
        "merged versions": max(merged, key=lambda path: path.stat().st_size),
        "personal": max(listed["personal"], key=lambda path: path.stat().st_size),
        "raw": max(listed["raw"], key=lambda path: path.stat().st_size),
        "reference": next(path for path in reversed(listed["raw"]) if "raw/categories" in str(path)),
        "quarantine": listed["quarantine"][-1],
    }


KINDS = (
    "identity", "newest record", "record before", "oldest record", "log", "versions", "merged versions", "personal",
    "raw", "reference", "quarantine",
)  # fmt: skip
RECORDS = ("newest record", "record before", "oldest record")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def of_another_shape(path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "other": ["a", "b"]}), path)


def swapped(path: Path) -> None:
    """As many bytes, all of them other ones."""
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "deleted": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": truncate,
    "garbage": lambda path: path.write_bytes(b"\xff\xfe garbage \x00" * 50),
    "nested": lambda path: path.write_bytes(b"[" * 100_000),
    "swapped": swapped,
    "a folder": as_folder,
    "another table": of_another_shape,
    "null": lambda path: path.write_bytes(b"null"),
    "a bare object": lambda path: path.write_bytes(b"{}"),
    "wrong types": lambda path: path.write_bytes(sealed(b'{\n "format": 3,\n "sync_id": [],\n "files": 7\n}')),
}


def files_of(lake: Lake) -> None:
    """Read what a command reads: all records, and each file in force."""
    newest = lake.newest()
    assert newest is not None
    assert lake.records()
    for group in newest.files.groups().values():
        for files in group.values():
            lake.listed(files)


@contextmanager
def told(path: Path) -> Iterator[list[str]]:
    """What a command says, if it ends with an error of ours. Any other error fails the test."""
    said: list[str] = []
    try:
        yield said
    except LakeError as error:
        said.append(str(error))
    for line in said:
        assert "\n" not in line
        assert path.name in line
        assert "Restore" in line or "delete" in line


def looked_at(copy: Copy, path: Path, sound: dict[str, list[Any]]) -> None:
    """Every command that only looks: an error that names the file, or the values of the sound lake."""
    settings = copy.settings()
    source = source_of("join", settings)
    findings = examine_lake(settings)
    assert any(finding.verdict == "failed" and path.name in finding.message for finding in findings), findings
    examine_machine(source, settings)
    with told(path):
        read_status(settings)
    with told(path) as said:
        assert loaded(copy) == sound
    if not said:
        inside = path.relative_to(copy.path).as_posix()
        assert kind_of(inside).is_dispensable or not path.exists() or "syncs/" in inside


def damaged(whole: Copy, sound: dict[str, list[Any]], folder: Path, kind: str, damage: str) -> None:
    if damage == "deleted" and kind in {*RECORDS, "log"}:
        return  # a lost record is another case
    copy = again(whole, folder)
    path = one_of_each(copy.path)[kind]
    DAMAGES[damage](path)
    looked_at(copy, path, sound)


def test_a_damaged_file_of_any_kind_is_named_and_nothing_changed_is_loaded(
    whole: Copy, sound: dict[str, list[Any]], tmp_path: Path
) -> None:
    for kind, damage in zip(KINDS, DAMAGES, strict=True):
        damaged(whole, sound, tmp_path, kind, damage)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_damage_to_every_kind_of_file_is_named(
    whole: Copy, sound: dict[str, list[Any]], tmp_path: Path, kind: str
) -> None:
    for damage in DAMAGES:
        damaged(whole, sound, tmp_path, kind, damage)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_anywhere_is_named_and_never_loaded(
    whole: Copy, sound: dict[str, list[Any]], tmp_path: Path, kind: str
) -> None:
    chance = random.Random(kind)
    copy = again(whole, tmp_path)
    path = one_of_each(copy.path)[kind]
    content, records = path.read_bytes(), copy.open().records()
    for n in range(20):
        place, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        with told(path) as said:
            files_of(copy.open())
        if kind == "log":
            assert said or copy.open().records() == records  # a bit of its footer may say nothing
            continue
        assert said, (place, bit)
        if not n:
            looked_at(copy, path, sound)


@pytest.mark.parametrize("damage", ["deleted", "truncated", "swapped"])
def test_a_sync_goes_on_without_what_it_can_do_without_and_tells_it(whole: Copy, tmp_path: Path, damage: str) -> None:
    copy = again(whole, tmp_path)
    paths = [one_of_each(copy.path)[kind] for kind in ("raw", "reference", "quarantine")]
    for path in paths:
        DAMAGES[damage](path)
    first, second = synced(copy)
    by_size = {path.relative_to(copy.path).as_posix() for path in paths}
    dropped = {lost.path for lost in first.lost}
    assert dropped == by_size if damage != "swapped" else paths[1].relative_to(copy.path).as_posix() in dropped
    assert first.files.all().isdisjoint(dropped)
    assert second.lost == []
    assert second.models["applications"].live == second.models["applications"].live
    with locked(copy.settings().home):
        replay(copy.settings(), copy.open())


def synced(copy: Copy) -> list[SyncRecord]:
    with as_it_was(copy.company) as account:
        return [read(account, copy.settings(account.url), mode) for mode in ("incremental", "full")]


def stray_copy(lake: Path) -> Path:
    """The newest record under a name that sorts after all others."""
    path = lake / "syncs" / f"{FUTURE}.json"
    shutil.copy(max((lake / "syncs").glob("[0-9]*.json")), path)
    return path


def forged(lake: Path, **changes: Any) -> Path:
    """A record whose name is its id, but which does not follow on the newest one."""
    document = json.loads(max((lake / "syncs").glob("[0-9]*.json")).read_text()) | {"sync_id": FUTURE} | changes
    document.pop("digest")
    path = lake / "syncs" / f"{FUTURE}.json"
    path.write_bytes(sealed(json.dumps(document, indent=1).encode()))
    return path


def foreign(lake: Path) -> Path:
    files = {"models": {"jobs": [{"path": "models/jobs/1.parquet", "sync_id": "1", "size": 1, "digest": "0"}]}}
    return forged(lake, previous="20010101T000000000000Z", files=files)


@pytest.mark.parametrize("stray", [stray_copy, forged, foreign])
def test_a_stray_record_that_sorts_last_hides_no_sync(
    copy: Copy, sound: dict[str, list[Any]], stray: Callable[[Path], Path]
) -> None:
    path = stray(copy.path)
    assert loaded(copy) == sound
    assert any(path.name in one.message and one.verdict == "failed" for one in examine_lake(copy.settings()))
    first, second = synced(copy)
    assert [lost.path for lost in first.lost] == [f"syncs/{path.name}"]
    assert first.started_at.year < 9999
    newest = copy.open().newest()
    assert newest is not None
    assert newest.sync_id == second.sync_id
    assert path.name not in {one.name for one in copy.open().folder.paths()}


def test_a_renamed_record_is_never_taken_for_a_stray_one(copy: Copy) -> None:
    newest = max((copy.path / "syncs").glob("[0-9]*.json"))
    newest.rename(newest.with_name(f"{FUTURE}.json"))
    with pytest.raises(LakeError, match=rf"{FUTURE}.*name it {newest.name}"):
        loaded(copy)


@pytest.mark.parametrize("name", ["syncs/notes.json", "syncs/2026 copy.json", "models/jobs/mine.parquet", "x/y.txt"])
def test_a_stray_file_changes_nothing_and_is_named(copy: Copy, sound: dict[str, list[Any]], name: str) -> None:
    (copy.path / name).parent.mkdir(exist_ok=True)
    (copy.path / name).write_bytes(b"\xffnot ours")
    assert loaded(copy) == sound
    findings = [one for one in examine_lake(copy.settings()) if one.verdict == "failed"]
    assert [one.about for one in findings] == [name]
    assert "delete it" in findings[0].message


def test_a_lost_record_in_the_middle_is_named(copy: Copy) -> None:
    lost = sorted((copy.path / "syncs").glob("[0-9]*.json"))[-2]
    lost.unlink()
    assert any(lost.name in one.message and not one.is_ok for one in examine_lake(copy.settings()))
    assert synced(copy)


def test_a_sound_lake_of_any_format_has_no_finding(tmp_path: Path) -> None:
    for golden in golden_lakes():
        copy = golden.unpack(tmp_path / golden.folder.name)
        findings = examine_lake(copy.settings())
        assert [one for one in findings if not one.is_ok] == [], golden.folder.name
        has_digests = "as they were written" in next(one.message for one in findings if one.check == "lake files")
        assert has_digests == (golden.format >= 3)


def test_a_lake_of_an_older_format_has_digests_after_its_next_sync(tmp_path: Path) -> None:
    golden = next(one for one in golden_lakes() if (one.format, one.company.source) == (1, "join"))
    copy = golden.unpack(tmp_path)
    record = synced(copy)[0]
    files = [file for group in record.files.groups().values() for listed in group.values() for file in listed]
    assert all(file.digest and file.size == (copy.path / file.path).stat().st_size for file in files)
    assert [one for one in examine_lake(copy.settings()) if one.verdict == "failed"] == []
