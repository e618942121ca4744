"""A lake whose files hold a version twice: an older release could write that, and no build could load it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.lake.lake import Lake, open_lake
from join_pipeline.lake.record import Files, LakeFile, SyncRecord
from join_pipeline.lake.upgrade import upgrade
from join_pipeline.models import MODELS

STAGES = MODELS["application_stages"]
AT = datetime(2026, 6, 1, tzinfo=UTC)
SYNC = "20260601T000000000000Z"
ONE, TWO = ({"id": letter, "sync_id": SYNC, "name": f"stage {letter}"} for letter in "ab")
ITS, OTHERS = ({"id": letter, "sync_id": SYNC, "remote_data": f'{{"of": "{letter}"}}'} for letter in "ab")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(tmp_path / "lake", "join:test", create=True)


def put(lake: Lake, versions: list[dict[str, Any]], personal: list[dict[str, Any]], *, format_: int = 1) -> None:
    """Commit a sync that wrote these rows."""
    files = Files()
    keys = [("id", pa.string()), ("sync_id", pa.string())]
    for group, rows, columns, end in (
        (files.models, versions, [(c.name, c.type) for c in STAGES.plain], ""),
        (files.personal, personal, keys + [(c.name, c.type) for c in STAGES.personal], ".personal"),
    ):
        path = f"models/{STAGES.name}/{SYNC}{end}.parquet"
        (lake.path / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), lake.path / path)
        group[STAGES.name] = [LakeFile(path=path, sync_id=SYNC, format=format_)]
    lake.commit(
        SyncRecord(
            sync_id=SYNC,
            previous=None,
            mode="full",
            reason="asked for",
            started_at=AT,
            finished_at=AT,
            as_of=AT,
            mapping_version=1,
            package_version="0.1.0",
            files=files,
        )
    )


def rows(lake: Lake, group: str) -> list[tuple[str, str]]:
    newest = lake.newest()
    assert newest is not None
    found = [
        row
        for file in newest.files.groups()[group][STAGES.name]
        for row in pq.read_table(lake.path / file.path).to_pylist()
    ]
    shown = "name" if group == "models" else "remote_data"
    return sorted((row["id"], row[shown]) for row in found)


@pytest.mark.parametrize(
    ("versions", "personal"),
    [
        ([ONE, TWO], [ITS, ITS, OTHERS]),  # nested records of one parent had its place, and got each other's payloads
        ([ONE, ONE, TWO], [ITS, OTHERS]),  # one nested record twice in one parent
        ([ONE, ONE, TWO, TWO], [ITS, ITS, OTHERS, OTHERS]),
    ],
)
def test_a_version_that_is_there_twice_is_there_once_after_the_next_command(
    lake: Lake, tmp_path: Path, versions: list[dict[str, Any]], personal: list[dict[str, Any]]
) -> None:
    put(lake, versions, personal)
    assert upgrade(lake, tmp_path / "builds", "500MB") == [STAGES.name]
    assert rows(lake, "models") == [("a", "stage a"), ("b", "stage b")]
    assert rows(lake, "personal") == [("a", ITS["remote_data"]), ("b", OTHERS["remote_data"])]
    assert upgrade(lake, tmp_path / "builds", "500MB") == []


def test_a_sound_lake_is_left_as_it_is(lake: Lake, tmp_path: Path) -> None:
    put(lake, [ONE, TWO], [ITS, OTHERS])
    before = {path: path.read_bytes() for path in lake.path.rglob("*") if path.is_file()}
    assert upgrade(lake, tmp_path / "builds", "500MB") == []
    assert {path: path.read_bytes() for path in lake.path.rglob("*") if path.is_file()} == before
