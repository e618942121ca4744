"""Compaction: few files, the same versions, no old personal values, and no large file rewritten at every run."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.lake import compaction
from join_pipeline.lake.compaction import MOST_VERSION_FILES, compact
from join_pipeline.lake.record import Files, FilesByName, LakeFile, SyncRecord, sync_id_of
from join_pipeline.models import MODELS

START = datetime(2026, 5, 1, tzinfo=UTC)
CANDIDATES = MODELS["candidates"]
DAYS = 14


@dataclass
class Lake:
    """A lake to which syncs add versions of candidates, and which compacts after each."""

    path: Path
    con: duckdb.DuckDBPyConnection
    files: Files = field(default_factory=Files)
    now: datetime = START

    def sync(self, candidates: range, *, after: timedelta = timedelta(hours=1)) -> int:
        """One sync that writes a version of each of these; how many rows its compaction wrote."""
        self.now += after
        sync_id = sync_id_of(self.now)
        self._write("", self.files.models, sync_id, [{"id": f"{n:06d}", "sync_id": sync_id} for n in candidates])
        people = [{"id": f"{n:06d}", "sync_id": sync_id, "first_name": f"{n} at {sync_id}"} for n in candidates]
        self._write(".personal", self.files.personal, sync_id, people)
        record = SyncRecord(
            sync_id=sync_id,
            previous=None,
            mode="incremental",
            reason="",
            started_at=self.now,
            finished_at=self.now,
            as_of=self.now,
            mapping_version=1,
            package_version="",
            files=self.files,
        )
        compact(self.con, self.path, record, DAYS)
        merged = self.path / "models" / "candidates" / f"{sync_id}.merged.parquet"
        return pq.read_metadata(merged).num_rows if merged.exists() else 0

    def versions(self) -> set[tuple[str, str]]:
        return self._rows(self.files.models["candidates"], "id", "sync_id")

    def people(self) -> set[tuple[str, str]]:
        return self._rows(self.files.personal["candidates"], "id", "first_name")

    def _write(self, end: str, listed: FilesByName, sync_id: str, rows: list[dict[str, str]]) -> None:
        columns = CANDIDATES.personal if end else CANDIDATES.plain
        schema = [("id", pa.string()), ("sync_id", pa.string())] if end else []
        schema += [(column.name, column.type) for column in columns]
        path = f"models/candidates/{sync_id}{end}.parquet"
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, pa.schema(schema)), self.path / path)
        listed.setdefault("candidates", []).append(LakeFile(path=path, sync_id=sync_id))

    def _rows(self, files: list[LakeFile], *columns: str) -> set[tuple[str, str]]:
        found = [pq.read_table(self.path / file.path, columns=list(columns)).to_pylist() for file in files]
        return {tuple(row[column] for column in columns) for rows in found for row in rows}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, duckdb.connect())


@pytest.fixture
def _nothing_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "CHEAP_ROWS", 0)


def test_a_small_lake_is_merged_into_one_file_and_keeps_only_the_newest_details(lake: Lake) -> None:
    for _ in range(MOST_VERSION_FILES + 1):
        lake.sync(range(3))
    assert (len(lake.files.models["candidates"]), len(lake.files.personal["candidates"])) == (1, 1)
    assert len(lake.versions()) == 3 * (MOST_VERSION_FILES + 1)
    assert lake.people() == {(f"{n:06d}", f"{n} at {sync_id_of(lake.now)}") for n in range(3)}


@pytest.mark.usefixtures("_nothing_is_cheap")
def test_a_large_file_stays_while_small_ones_are_merged(lake: Lake) -> None:
    lake.sync(range(5_000))
    large = lake.files.models["candidates"][0], lake.files.personal["candidates"][0]
    for _ in range(MOST_VERSION_FILES):
        lake.sync(range(10))
    assert (lake.files.models["candidates"][0], lake.files.personal["candidates"][0]) == large
    assert (len(lake.files.models["candidates"]), len(lake.files.personal["candidates"])) == (2, 2)
    assert len(lake.versions()) == 5_000 + 10 * MOST_VERSION_FILES
    # what is current is there; of what was superseded only the large file still knows
    assert {(f"{n:06d}", f"{n} at {sync_id_of(lake.now)}") for n in range(10)} <= lake.people()
    assert len(lake.people()) == 5_000 + 10


@pytest.mark.usefixtures("_nothing_is_cheap")
def test_what_compaction_writes_grows_with_what_changed_and_not_with_what_is_there(lake: Lake) -> None:
    n_syncs, n_changed, n_there = 150, 5, 20_000
    lake.sync(range(n_there))
    written = n_most = 0
    for _ in range(n_syncs):
        written += lake.sync(range(n_changed))
        n_most = max(n_most, len(lake.files.models["candidates"]))
    assert n_most <= MOST_VERSION_FILES
    assert written < 10 * n_syncs * n_changed < n_there
    assert len(lake.versions()) == n_there + n_syncs * n_changed


@pytest.mark.usefixtures("_nothing_is_cheap")
def test_a_large_file_is_written_anew_once_it_is_older_than_raw_is_kept(lake: Lake) -> None:
    lake.sync(range(5_000))
    for _ in range(DAYS):
        assert lake.sync(range(10), after=timedelta(days=1)) == 0
    lake.sync(range(10), after=timedelta(days=1))
    assert len(lake.files.models["candidates"]) == 1
    assert len(lake.people()) == 5_000


@pytest.mark.usefixtures("_nothing_is_cheap")
def test_files_that_halve_again_and_again_are_still_merged(lake: Lake) -> None:
    for power in range(MOST_VERSION_FILES, -1, -1):
        lake.sync(range(4**power) if power < 7 else range(20_000))
    assert len(lake.files.models["candidates"]) <= MOST_VERSION_FILES
