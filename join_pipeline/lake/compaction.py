"""Compaction and retention: the lake stays small in files, and forgets what it must.

Belongs here: merging version files, folding old sync records, dropping raw that is past its time. All of it prepares
the next record; nothing is removed before a later one no longer lists it.
"""

from collections.abc import Collection
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.record import FileKind, Files, LakeFile, SyncRecord, sync_id_of
from join_pipeline.lake.sql import files_literal, ordered, quoted, write_query
from join_pipeline.models import MODELS, Model

MOST_VERSION_FILES: Final = 16
MOST_SMALL_FILES: Final = 32
SMALL_BYTES: Final = 2_000_000
"""A raw file up to this size is merged; the full listing of a large account has parts that are larger."""
CHEAP_ROWS: Final = 50_000
"""A file of so many versions is written anew in about a second."""


def compact(con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord, days: int) -> None:
    """Merge a model's version files once there are more than 16: history stays, old personal details go.

    Small files with small ones, so that a large account is not written anew by every sixteenth sync. All of them where
    that is cheap, and, however few they are, once the oldest is older than `days`: the old details of those who changed
    or were deleted stay for no longer than raw does.
    """
    oldest = sync_id_of(record.started_at - timedelta(days=days))
    for name, model in MODELS.items():
        files = record.files.models.get(name, [])
        if len(files) < 2:
            continue
        # how old the rows of a replayed file are is not known: then all are merged
        is_young = files[0].kind is not FileKind.REPLAYED and files[0].sync_id >= oldest
        if len(files) > MOST_VERSION_FILES or not is_young:
            first = 0 if not is_young else _first_of_small([_count_rows(lake, file) for file in files])
            merge_versions(con, lake, model, record.files, record.sync_id, first)


def merge_versions(
    con: duckdb.DuckDBPyConnection, lake: Path, model: Model, files: Files, sync_id: str, first: int = 0
) -> None:
    """From the file at place `first` on, one file of all versions, and one of the personal columns of the newest.

    Of records that are deleted no personal columns are left. The files before `first` are older and stay as they are.
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
    """Where the run of files begins that are merged: each at most twice as large as all newer ones, or cheap.

    So a row is written again only when the file it lies in grows by half. Nothing but one file would be no merge: all.
    """
    first, merged = len(rows) - 1, rows[-1]
    while first and rows[first - 1] <= max(CHEAP_ROWS, 2 * merged):
        first -= 1
        merged += rows[first]
    return first if first < len(rows) - 1 else 0


def _count_rows(lake: Path, file: LakeFile) -> int:
    return int(pq.read_metadata(lake / file.path).num_rows)


def retire(
    con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord, days: int, references: Collection[str]
) -> None:
    """Drop raw and set-aside records older than `days`, and merge a feed's small files once there are many.

    Of `references`, lists of names, the last one before that stays, whatever its age: its names are in force until the
    next one comes, and a replay of the kept raw begins with them.
    """
    oldest = sync_id_of(record.started_at - timedelta(days=days))
    for group in (record.files.raw, record.files.quarantine):
        for feed, files in group.items():
            n_older = sum(file.sync_id < oldest for file in files)
            first = max(0, n_older - 1) if feed in references else n_older
            group[feed] = _merged(con, lake, files[first:], record.sync_id)


def _merged(con: duckdb.DuckDBPyConnection, lake: Path, files: list[LakeFile], sync_id: str) -> list[LakeFile]:
    """The files, once there are many small ones of earlier syncs with those of each day as one.

    Not more: a row goes with the last one of its file, so that none stays a day longer than it may.
    """
    earlier = [file for file in files if file.sync_id != sync_id and file.kind is not FileKind.MERGED]
    small = [file for file in earlier if (lake / file.path).stat().st_size <= SMALL_BYTES]
    if len(small) <= MOST_SMALL_FILES:
        return files
    result = [file for file in files if file not in small]
    for _, group in groupby(small, lambda file: file.sync_id[: len("20260131")]):
        of_a_day = list(group)
        target = of_a_day[-1]
        if len(of_a_day) > 1:
            last = Path(target.path)
            path = last.with_name(f"merged-{last.name}").as_posix()
            target = LakeFile(path=path, sync_id=target.sync_id, kind=FileKind.MERGED)
            paths = files_literal([str(lake / file.path) for file in of_a_day])
            with ordered(con):  # the last observation of a record wins
                write_query(con, f"FROM read_parquet({paths}, union_by_name = true)", lake / path)
        result.append(target)
    return sorted(result, key=lambda file: file.sync_id)
