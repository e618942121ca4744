"""Retention of raw: old files are deleted, small ones are merged by day, large ones are not rewritten."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.lake import compaction
from join_pipeline.lake.compaction import MOST_SMALL_FILES, retire
from join_pipeline.lake.record import Files, LakeFile, SyncRecord, sync_id_of

START = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = 14


def _raw(lake: Path, at: datetime, ids: range, part: int = 0) -> LakeFile:
    path = f"raw/applications/{sync_id_of(at)}/part-{part:05d}.parquet"
    (lake / path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"record_id": [str(number) for number in ids]}), lake / path)
    return LakeFile(path=path, sync_id=sync_id_of(at))


def _retired(lake: Path, files: list[LakeFile], at: datetime) -> list[LakeFile]:
    record = SyncRecord(
        sync_id=sync_id_of(at),
        previous=None,
        mode="incremental",
        reason="",
        started_at=at,
        finished_at=at,
        as_of=at,
        mapping_version=1,
        package_version="",
        files=Files(raw={"applications": files}),
    )
    with duckdb.connect() as con:
        retire(con, lake, record, DAYS, set())
    return record.files.raw["applications"]


def _ids(lake: Path, files: list[LakeFile]) -> list[str]:
    return [row for file in files for row in pq.read_table(lake / file.path)["record_id"].to_pylist()]


def test_raw_older_than_it_is_kept_goes(tmp_path: Path) -> None:
    paths = [_raw(tmp_path, START + timedelta(days=day), range(day, day + 1)) for day in range(20)]
    kept = _retired(tmp_path, paths, START + timedelta(days=20))
    assert _ids(tmp_path, kept) == [str(day) for day in range(6, 20)]


def test_many_small_files_become_one_a_day_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    hours = MOST_SMALL_FILES + 1
    paths = [_raw(tmp_path, START + timedelta(hours=hour), range(hour, hour + 1)) for hour in range(hours)]
    kept = _retired(tmp_path, paths, START + timedelta(hours=hours))
    assert len(kept) == 2
    assert _ids(tmp_path, kept) == [str(hour) for hour in range(hours)]


def test_parts_of_a_large_listing_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "SMALL_BYTES", 2_000)
    large = [
        _raw(tmp_path, START, range(part * 1_000, (part + 1) * 1_000), part) for part in range(MOST_SMALL_FILES + 8)
    ]
    small = [_raw(tmp_path, START + timedelta(hours=hour), range(hour)) for hour in range(1, 4)]
    assert _retired(tmp_path, [*large, *small], START + timedelta(hours=5)) == [*large, *small]

    many = [
        _raw(tmp_path, START + timedelta(minutes=minute), range(minute)) for minute in range(1, MOST_SMALL_FILES + 2)
    ]
    kept = _retired(tmp_path, [*large, *many], START + timedelta(hours=5))
    assert kept[:-1] == large
    assert sorted(_ids(tmp_path, kept)) == sorted(_ids(tmp_path, [*large, *many]))
