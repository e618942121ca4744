"""The JSON that a release of format 1 wrote into the lake is read as today's."""

import json
from pathlib import Path
from typing import Any

import pytest

from join_pipeline.errors import LakeError
from join_pipeline.lake.formats import decode
from join_pipeline.lake.record import FORMAT, FileKind, LakeFile, Objection, SyncRecord

NOON = "2026-06-01T12:00:00Z"


def record_of_1(**more: Any) -> bytes:
    document = {
        "format": 1,
        "sync_id": "20260601T120000000000Z",
        "previous": None,
        "mode": "full",
        "reason": "asked for",
        "started_at": NOON,
        "finished_at": NOON,
        "as_of": NOON,
        "mapping_version": 1,
        "package_version": "0",
        "files": {},
    }
    return json.dumps(document | more).encode()


@pytest.mark.parametrize(
    ("group", "path", "sync_id", "kind"),
    [
        ("raw", "raw/jobs/20260501T000000000000Z/part-00000.parquet", "20260501T000000000000Z", FileKind.WRITTEN),
        ("raw", "raw/jobs/20260501T000000000000Z/merged-part-00000.parquet", "20260501T000000000000Z", FileKind.MERGED),
        ("quarantine", "quarantine/jobs/20260501T000000000000Z.parquet", "20260501T000000000000Z", FileKind.WRITTEN),
        (
            "quarantine",
            "quarantine/jobs/merged-20260501T000000000000Z.parquet",
            "20260501T000000000000Z",
            FileKind.MERGED,
        ),
        ("models", "models/jobs/20260501T000000000000Z.parquet", "20260501T000000000000Z", FileKind.WRITTEN),
        ("models", "models/jobs/20260501T000000000000Z.merged.parquet", "20260501T000000000000Z", FileKind.MERGED),
        ("personal", "models/jobs/20260501T000000000000Z.personal.parquet", "20260501T000000000000Z", FileKind.WRITTEN),
        (
            "personal",
            "models/jobs/20260501T000000000000Z.merged.personal.parquet",
            "20260501T000000000000Z",
            FileKind.MERGED,
        ),
        ("models", "models/jobs/replayed-0001.parquet", "20260601T120000000000Z", FileKind.REPLAYED),
        ("personal", "models/jobs/replayed-0001.personal.parquet", "20260601T120000000000Z", FileKind.REPLAYED),
    ],
    ids=lambda value: str(value) if "/" in str(value) else "",
)
def test_a_file_of_format_1_is_what_its_path_says(group: str, path: str, sync_id: str, kind: FileKind) -> None:
    record = decode(Path("r.json"), record_of_1(files={group: {"jobs": [path]}}), SyncRecord)
    assert record.format == FORMAT
    assert record.files.groups()[group] == {"jobs": [LakeFile(path=path, sync_id=sync_id, kind=kind, format=1)]}


def test_an_objection_of_format_1_is_read_as_its_feed_and_reason() -> None:
    text = "jobs: 30 of 90 known records are missing: see"
    record = decode(Path("r.json"), record_of_1(objections=[text], verdict="guarded"), SyncRecord)
    assert record.objections == [Objection(feed="jobs", reason="30 of 90 known records are missing: see")]
    assert [str(objection) for objection in record.objections] == [text]
    assert record.guarded == {"jobs"}


def test_a_record_of_format_1_without_objections_has_none() -> None:
    assert decode(Path("r.json"), record_of_1(), SyncRecord).objections == []


@pytest.mark.parametrize("files", [{"raw": {"jobs": [7]}}, {"raw": ["a path"]}, {"raw": {"jobs": ["no folder"]}}, []])
def test_a_damaged_record_of_format_1_is_told_by_its_path(files: Any) -> None:
    with pytest.raises(LakeError, match=r"^r\.json can't be read \(.*\)\. Restore it from the backup\.$"):
        decode(Path("r.json"), record_of_1(files=files), SyncRecord)
