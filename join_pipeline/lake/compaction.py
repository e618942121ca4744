"""Compaction and retention: the lake has few files, and it drops what is too old to keep.

Belongs here: merging version files, dropping raw that is too old. Not here: removing files from the disk (lake). The
functions change the lists of the next sync record only; a file is removed once the newest record no longer lists it.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from join_pipeline.lake.absent import present
from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.integrity import sound
from join_pipeline.lake.record import FileKind, Files, LakeFile, SyncRecord, sync_id_of
from join_pipeline.lake.sql import files_literal, ordered, quoted, write_query
from join_pipeline.models import MODELS, Model

MOST_VERSION_FILES: Final = 16
MOST_SMALL_FILES: Final = 32
SMALL_BYTES: Final = 2_000_000
"""Raw files up to this size, in bytes, are merged. The full listing of a large account has larger files."""
CHEAP_ROWS: Final = 50_000
"""DuckDB rewrites a file of so many versions in about a second."""


def compact(
    con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord, days: int, now: datetime | None = None
) -> None:
    """Merge the version files of each model that has more than 16. Old personal details are dropped by that.

    Only the small files are merged, so that a large account is not rewritten by every sixteenth sync. All files of a
    model are merged once its oldest file is older than `days`, however few they are: the old details of people who
    changed or were deleted stay no longer than raw does. Ages count by `now`, by default the sync's start.
    """
    oldest = sync_id_of((now or record.started_at) - timedelta(days=days))
    for name, model in MODELS.items():
        files = record.files.models.get(name, [])
        if len(files) < 2:
            continue
        # nothing says how old the rows of a replayed file are, so all files are merged
        is_young = files[0].kind is not FileKind.REPLAYED and record.dated(files[0].sync_id) >= oldest
        if len(files) > MOST_VERSION_FILES or not is_young:
            first = 0 if not is_young else _first_of_small([_count_rows(lake, file) for file in files])
            merge_versions(con, lake, model, record.files, record.sync_id, first)


def merge_versions(
    con: duckdb.DuckDBPyConnection, lake: Path, model: Model, files: Files, sync_id: str, first: int = 0
) -> None:
    """Merge the model's files from position `first` on into one version file and one personal file.

    The version file keeps all versions. The personal file keeps the newest version of live records only. The files
    before `first` are older and stay unchanged.
    """
    name = model.name
    kept, merged = files.models[name][:first], files.models[name][first:]
    versions = versions_relation(lake, model, merged)
    listed = files.personal.get(name, [])
    if personal := [file for file in listed if any(file.is_twin_of(one) for one in merged)]:
        newest = f"""SELECT p.id, p.sync_id, {quoted(model.personal, "p.")}
            FROM {personal_relation(lake, model, personal)} AS p
            WHERE (p.id, p.sync_id) IN (SELECT (id, max(sync_id)) FROM {versions} GROUP BY id)"""
        target = LakeFile(
            path=f"models/{name}/{sync_id}.merged.personal.parquet", sync_id=sync_id, kind=FileKind.MERGED
        )
        write_query(con, newest, lake / target.path)
        files.personal[name] = [*(file for file in listed if file not in personal), target]
    target = LakeFile(path=f"models/{name}/{sync_id}.merged.parquet", sync_id=sync_id, kind=FileKind.MERGED)
    write_query(con, f"SELECT {quoted(model.plain)} FROM {versions} ORDER BY id, sync_id", lake / target.path)
    files.models[name] = [*kept, target]


def _first_of_small(rows: list[int]) -> int:
    """The position of the first file to merge. `rows` are the row counts of the files, oldest first.

    A file is merged if it has at most twice as many rows as all newer files together, or if it is cheap to rewrite. So
    a row is rewritten only when its file grows by half. If that leaves one file only, all files are merged.
    """
    first, merged = len(rows) - 1, rows[-1]
    while first and rows[first - 1] <= max(CHEAP_ROWS, 2 * merged):
        first -= 1
        merged += rows[first]
    return first if first < len(rows) - 1 else 0


def _count_rows(lake: Path, file: LakeFile) -> int:
    return int(pq.read_metadata(present(lake / file.path)).num_rows)


def retire(
    con: duckdb.DuckDBPyConnection,
    lake: Path,
    record: SyncRecord,
    days: int,
    references: Collection[str],
    now: datetime | None = None,
) -> None:
    """Drop raw and quarantined records older than `days`, and merge a feed's small files once there are many.

    `references` are the names of the reference lists. Each keeps its last file that is older than `days`: its names are
    in force until the next file, and a replay of the kept raw begins with them. Ages count by `now`, by default the
    sync's start.
    """
    oldest = sync_id_of((now or record.started_at) - timedelta(days=days))
    for group in (record.files.raw, record.files.quarantine):
        for feed, files in group.items():
            n_older = sum(record.dated(file.sync_id) < oldest for file in files)
            first = max(0, n_older - 1) if feed in references else n_older
            group[feed] = _merged(con, lake, files[first:], record)


def drop_before(con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord, references: Collection[str]) -> None:
    """Drop what this sync's choice keeps out and an earlier one did not: old payloads, and old personal details.

    A live record that this sync did not see keeps its details until one sees it. `references` are lists about nobody.
    """
    for group in (record.files.raw, record.files.quarantine):
        for feed in group.keys() - set(references):
            group[feed] = [file for file in group[feed] if file.sync_id == record.sync_id]
    for name, model in MODELS.items():
        if model.personal and len(record.files.models.get(name, [])) > 1:
            merge_versions(con, lake, model, record.files, record.sync_id)


def drop_raw(record: SyncRecord, references: Collection[str]) -> None:
    """Drop the payloads of this sync, which made its versions from them."""
    for feed in record.files.raw.keys() - set(references):
        record.files.raw[feed] = []


def _merged(con: duckdb.DuckDBPyConnection, lake: Path, files: list[LakeFile], record: SyncRecord) -> list[LakeFile]:
    """The feed's files. If there are many small files of earlier syncs, those of each day are merged into one.

    A damaged one among these is dropped, and `record` notes it.

    Days are not merged with each other: retention drops whole files, so a row would stay longer than it may.
    """
    earlier = [file for file in files if file.sync_id != record.sync_id and file.kind is not FileKind.MERGED]
    small = [file for file in earlier if (lake / file.path).stat().st_size <= SMALL_BYTES]
    if len(small) <= MOST_SMALL_FILES:
        return files
    result = [file for file in files if file not in small]
    for _, group in groupby(small, lambda file: record.dated(file.sync_id)[: len("20260131")]):
        of_a_day = sound(lake, list(group), record.lost)
        if not of_a_day:
            continue
        target = of_a_day[-1]
        if len(of_a_day) > 1:
            last = Path(target.path)
            path = last.with_name(f"merged-{last.name}").as_posix()
            target = LakeFile(path=path, sync_id=target.sync_id, kind=FileKind.MERGED)
            paths = files_literal([str(lake / file.path) for file in of_a_day])
            with ordered(con):  # order matters, because the last observation of a record holds
                write_query(con, f"FROM read_parquet({paths}, union_by_name = true)", lake / path)
        result.append(target)
    return sorted(result, key=lambda file: file.sync_id)
