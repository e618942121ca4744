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

from join_pipeline.lake.record import Files, SyncRecord, sync_id_of
from join_pipeline.lake.sql import files_literal, quoted, write_query
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
        paths = record.files.models.get(name, [])
        if len(paths) < 2:
            continue
        name_of_first = Path(paths[0]).name  # what was replayed bears no time: then all are merged
        is_young = name_of_first[0].isdigit() and name_of_first >= oldest
        if len(paths) > MOST_VERSION_FILES or not is_young:
            first = 0 if not is_young else _first_of_small([pq.read_metadata(lake / path).num_rows for path in paths])
            merge_versions(con, lake, model, record.files, record.sync_id, first)


def merge_versions(
    con: duckdb.DuckDBPyConnection, lake: Path, model: Model, files: Files, sync_id: str, first: int = 0
) -> None:
    """From the file at place `first` on, one file of all versions, and one of the personal columns of the newest.

    Of records that are deleted no personal columns are left. The files before `first` are older and stay as they are.
    """
    name = model.name
    kept, merged = files.models[name][:first], files.models[name][first:]
    versions = f"read_parquet({files_literal([str(lake / path) for path in merged])})"
    listed = files.personal.get(name, [])
    if personal := [path for path in map(_personal, merged) if path in listed]:
        newest = f"""SELECT p.id, p.sync_id, {quoted(model.personal, "p.")}
            FROM read_parquet({files_literal([str(lake / path) for path in personal])}) AS p
            WHERE (p.id, p.sync_id) IN (SELECT (id, max(sync_id)) FROM {versions} GROUP BY id)"""
        target = f"models/{name}/{sync_id}.merged.personal.parquet"
        files.personal[name] = [*(path for path in listed if path not in personal), target]
        write_query(con, newest, lake / target)
    files.models[name] = [*kept, f"models/{name}/{sync_id}.merged.parquet"]
    query = f"SELECT {quoted(model.plain)} FROM {versions} ORDER BY id, sync_id"
    write_query(con, query, lake / files.models[name][-1])


def _first_of_small(rows: list[int]) -> int:
    """Where the run of files begins that are merged: each at most twice as large as all newer ones, or cheap.

    So a row is written again only when the file it lies in grows by half. Nothing but one file would be no merge: all.
    """
    first, merged = len(rows) - 1, rows[-1]
    while first and rows[first - 1] <= max(CHEAP_ROWS, 2 * merged):
        first -= 1
        merged += rows[first]
    return first if first < len(rows) - 1 else 0


def _personal(path: str) -> str:
    return f"{path.removesuffix('.parquet')}.personal.parquet"


def retire(
    con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord, days: int, references: Collection[str]
) -> None:
    """Drop raw and set-aside records older than `days`, and merge a feed's small files once there are many.

    Of `references`, lists of names, the last one before that stays, whatever its age: its names are in force until the
    next one comes, and a replay of the kept raw begins with them.
    """
    oldest = sync_id_of(record.started_at - timedelta(days=days))
    for group in (record.files.raw, record.files.quarantine):
        for feed, paths in group.items():
            n_older = sum(_last_sync(path) < oldest for path in paths)
            first = max(0, n_older - 1) if feed in references else n_older
            group[feed] = _merged(con, lake, paths[first:], record.sync_id)


def _merged(con: duckdb.DuckDBPyConnection, lake: Path, paths: list[str], sync_id: str) -> list[str]:
    """The files, once there are many small ones of earlier syncs with those of each day as one.

    Not more: a row goes with the last one of its file, so that none stays a day longer than it may.
    """
    earlier = [path for path in paths if _last_sync(path) != sync_id and "merged" not in path]
    small = [path for path in earlier if (lake / path).stat().st_size <= SMALL_BYTES]
    if len(small) <= MOST_SMALL_FILES:
        return paths
    result = [path for path in paths if path not in small]
    # in the order in which they came: the last observation of a record wins
    con.execute("SET preserve_insertion_order = true")
    for _, group in groupby(small, lambda path: _last_sync(path)[: len("20260131")]):
        of_a_day = list(group)
        target = of_a_day[-1]
        if len(of_a_day) > 1:
            last = Path(target)
            target = last.with_name(f"merged-{last.name}").as_posix()
            query = f"FROM read_parquet({files_literal([str(lake / path) for path in of_a_day])})"
            write_query(con, query, lake / target)
        result.append(target)
    con.execute("SET preserve_insertion_order = false")
    return sorted(result, key=_last_sync)


def _last_sync(path: str) -> str:
    """The sync that wrote a file, or the last one whose rows are in a merged file."""
    folder, stem = Path(path).parent.name, Path(path).stem
    return folder if folder[0].isdigit() else stem.removeprefix("merged-")
