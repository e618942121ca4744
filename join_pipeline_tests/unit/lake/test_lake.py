"""One connection's lake: its identity, the record that is the commit, and which files are in force."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.errors import LakeError, SettingsError
from join_pipeline.lake.lake import KEPT_RECORDS, MOST_RECORDS, Lake, open_lake
from join_pipeline.lake.record import (
    FORMAT,
    FeedRecord,
    FileKind,
    Files,
    LakeFile,
    ModelRecord,
    Objection,
    SyncRecord,
    sync_id_of,
)
from join_pipeline.models.ids import Ids

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def file(path: str) -> LakeFile:
    return LakeFile(path=path, sync_id="1")


def record(n: int = 0, files: Files | None = None) -> SyncRecord:
    """The record of the n-th sync, one an hour."""
    at = NOON + timedelta(hours=n)
    return SyncRecord(
        sync_id=sync_id_of(at),
        previous=None,
        mode="full",
        reason="asked for",
        started_at=at,
        finished_at=at + timedelta(minutes=1),
        as_of=at + timedelta(seconds=30),
        mapping_version=1,
        package_version="0",
        feeds={"jobs": FeedRecord(pages=1, records=2, is_whole=True, listed_since=at)},
        models={"jobs": ModelRecord(new=2, live=2)},
        unknown={"jobs.status": 1},
        files=files or Files(),
    )


def put(lake: Lake, path: str) -> str:
    (lake.path / path).parent.mkdir(parents=True, exist_ok=True)
    (lake.path / path).write_bytes(b"x")
    return path


def left(lake: Lake) -> list[str]:
    return sorted(path.relative_to(lake.path).as_posix() for path in lake.path.rglob("*") if path.is_file())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(tmp_path / "lake", "join:test", create=True)


def test_a_new_lake_has_the_id_it_is_given_and_keeps_it(tmp_path):
    made = open_lake(tmp_path / "lake", "join:mine", create=True)
    assert made.ids == Ids("join:mine")
    for given in (None, "join:mine"):
        assert open_lake(tmp_path / "lake", given) == made
    written = msgspec.json.decode((tmp_path / "lake" / "connection.json").read_bytes())
    assert written == {"format": FORMAT, "integration_id": "join:mine", "source": "join"}


def test_a_new_lake_without_an_id_draws_one(tmp_path):
    drawn = {open_lake(tmp_path / name, create=True).integration_id for name in "abc"}
    assert len(drawn) == 3
    assert all(name.startswith("join:") and len(name) == 29 for name in drawn)


def test_another_integration_id_is_refused_and_named_by_its_variable(lake):
    with pytest.raises(SettingsError, match=r"JOIN_PIPELINE_INTEGRATION_ID differs.*JOIN_PIPELINE_CONNECTION"):
        open_lake(lake.path, "join:other", create=True)


def test_where_no_lake_is_one_is_told_how_to_make_it(tmp_path):
    with pytest.raises(LakeError, match=r"no lake at .*`join-pipeline sync`"):
        open_lake(tmp_path / "lake")
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("more", ['"integration_id": "join:test"', '"company": {"id": "join:test"}'])
def test_a_lake_of_a_newer_format_is_refused_and_left_alone(lake, more):
    identity = lake.path / "connection.json"
    identity.write_text(f'{{"format": {FORMAT + 1}, {more}}}')
    for create in (False, True):
        with pytest.raises(
            LakeError, match=rf"has format {FORMAT + 1}.*reads formats up to {FORMAT}\. Upgrade join-pipeline"
        ):
            open_lake(lake.path, create=create)
    assert left(lake) == ["connection.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": "one", "integration_id": "x"}', b'{"format": 1}'])
def test_a_damaged_identity_is_told_by_its_path_and_never_made_anew(lake, content):
    (lake.path / "connection.json").write_bytes(content)
    with pytest.raises(LakeError, match=r"connection\.json can't be read .*Restore it from the backup"):
        open_lake(lake.path, create=True)
    assert (lake.path / "connection.json").read_bytes() == content


def test_a_lost_identity_of_a_lake_with_syncs_is_not_made_anew(lake):
    lake.commit(record())
    (lake.path / "connection.json").unlink()
    with pytest.raises(LakeError, match=r"connection\.json is missing, but there are syncs"):
        open_lake(lake.path, create=True)


# Records


def test_a_record_reads_back_as_it_was_committed(lake):
    merged = LakeFile(path="models/jobs/1.merged.parquet", sync_id="1", kind=FileKind.MERGED)
    committed = record(files=Files(raw={"jobs": [file("raw/jobs/1/part-0.parquet")]}, models={"jobs": [merged]}))
    committed.objections = [Objection(feed="jobs", reason="30 of 100: too many")]
    lake.commit(committed)
    assert lake.newest() == committed
    assert lake.records() == [committed]


def test_a_lake_without_syncs_has_no_record(lake):
    assert lake.newest() is None
    assert lake.records() == []


def test_the_newest_record_is_in_force_whatever_the_order_of_commits(lake):
    for n in (2, 0, 1):
        lake.commit(record(n))
    assert lake.newest() == record(2)
    assert lake.records() == [record(0), record(1), record(2)]


def test_sync_ids_sort_by_time():
    instants = [NOON + timedelta(microseconds=n * 7) for n in range(50)] + [NOON + timedelta(days=n) for n in (1, 400)]
    ids = [sync_id_of(instant) for instant in instants]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("content", [b"", b'{"sync_id": "x"}', b"garbage"])
def test_a_damaged_record_is_told_by_its_path(lake, content):
    lake.commit(record(0))
    path = lake.path / "syncs" / f"{record(1).sync_id}.json"
    path.write_bytes(content)
    for read in (lake.newest, lake.records):
        with pytest.raises(LakeError, match=rf"{path.name} can't be read .*Restore it from the backup"):
            read()


@pytest.mark.parametrize("more", ["", ', "files": {"raw": "elsewhere"}'])
def test_a_record_of_a_newer_format_is_told_as_one(lake, more):
    lake.commit(record(0))
    (lake.path / "syncs" / f"{record(1).sync_id}.json").write_text(f'{{"format": {FORMAT + 1}{more}}}')
    for read in (lake.newest, lake.records):
        with pytest.raises(LakeError, match=rf"has format {FORMAT + 1}.*Upgrade join-pipeline"):
            read()


@pytest.mark.parametrize("is_parquet", [False, True])
def test_a_damaged_log_of_records_is_told_by_its_path(lake, is_parquet):
    lake.commit(record(0))
    log = lake.path / "syncs" / "log.parquet"
    if is_parquet:
        pq.write_table(pa.table({"other": ["x"]}), log)
    else:
        log.write_bytes(b"PAR1 and then nothing")
    assert lake.newest() == record(0)
    with pytest.raises(LakeError, match=r"log\.parquet can't be read .*Restore it from the backup"):
        lake.records()


def test_what_a_writer_left_behind_is_no_record(lake):
    lake.commit(record(0))
    (lake.path / "syncs" / f".{record(1).sync_id}.json.part").write_bytes(b"half")
    assert lake.newest() == record(0)


def test_many_records_are_folded_and_none_is_lost(lake):
    for n in range(MOST_RECORDS):
        lake.commit(record(n))
        lake.fold_records()
    assert len(left(lake)) == 1 + MOST_RECORDS
    listing = Files(models={"jobs": [file("models/jobs/1.parquet")]})
    lake.commit(record(MOST_RECORDS, listing))
    lake.fold_records()
    assert len(left(lake)) == 1 + KEPT_RECORDS + 1
    assert [found.sync_id for found in lake.records()] == [record(n).sync_id for n in range(MOST_RECORDS + 1)]
    assert lake.newest() == record(MOST_RECORDS, listing)
    assert lake.records()[0].models == record(0).models


def test_a_fold_that_was_cut_off_shows_no_record_twice(lake):
    for n in range(MOST_RECORDS + 1):
        lake.commit(record(n))
    lake.fold_records()
    lake.commit(record(0))  # as if it had not been removed yet
    assert len(lake.records()) == MOST_RECORDS + 1


# Files in force


def test_listed_files_are_absolute_and_the_first_missing_one_is_named(lake):
    there = put(lake, "models/jobs/1.parquet")
    assert lake.listed([file(there)]) == [str(lake.path / there)]
    with pytest.raises(LakeError, match=r"models/jobs/2\.parquet is listed by the newest sync but missing.*backup"):
        lake.listed([file(there), file("models/jobs/2.parquet")])


def test_what_no_record_lists_is_removed_and_all_else_stays(lake):
    listed = [
        put(lake, path)
        for path in (
            "raw/jobs/1/part-00000.parquet",
            "models/jobs/1.parquet",
            "models/users/1.personal.parquet",
            "quarantine/jobs/1.parquet",
        )
    ]
    before = put(lake, "models/jobs/0.parquet")
    for path in (
        "raw/jobs/9/part-00000.parquet",
        "models/jobs/.9.parquet.part",
        "quarantine/jobs/9.parquet",
        "syncs/.9.json.part",
        "syncs/.log.parquet.part",
        ".connection.json.part",
    ):
        put(lake, path)
    newest = record(
        1,
        Files(
            raw={"jobs": [file(listed[0])]}, models={"jobs": [file(listed[1])]}, personal={"users": [file(listed[2])]},
            quarantine={"jobs": [file(listed[3])]},
        ),
    )  # fmt: skip
    lake.commit(newest)
    lake.remove_unlisted(record(0, Files(models={"jobs": [file(before)]})), newest)
    assert left(lake) == sorted([*listed, before, "connection.json", f"syncs/{newest.sync_id}.json"])
    assert not (lake.path / "raw" / "jobs" / "9").exists()
    lake.remove_unlisted(None, newest)
    assert before not in left(lake)
