"""Compaction and retention: the lake stays small in files, and forgets what it must.

Belongs here: merging version files, folding old sync records, dropping raw that is past its time. All of it prepares
the next record; nothing is removed before a later one no longer lists it.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final

import duckdb

from join_pipeline.lake.query import files_literal, quoted, write_query
from join_pipeline.lake.record import Files, SyncRecord, sync_id_of
from join_pipeline.models import MODELS, Model

MOST_VERSION_FILES: Final = 16
MOST_SMALL_FILES: Final = 32


def compact(con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord) -> None:
    """Merge a model's version files once there are more than 16: history stays, old personal details go."""
    for name, model in MODELS.items():
        if len(record.files.models.get(name, ())) > MOST_VERSION_FILES:
            merge_versions(con, lake, model, record.files, record.sync_id)


def merge_versions(con: duckdb.DuckDBPyConnection, lake: Path, model: Model, files: Files, sync_id: str) -> None:
    """One file of all versions; one of the personal columns of the newest versions, of records that are not deleted."""
    name = model.name
    versions = f"read_parquet({files_literal([str(lake / path) for path in files.models[name]])})"
    if personal := files.personal.get(name):
        newest = f"""SELECT p.id, p.sync_id, {quoted(model.personal, "p.")}
            FROM read_parquet({files_literal([str(lake / path) for path in personal])}) AS p
            WHERE (p.id, p.sync_id) IN (SELECT (id, max(sync_id)) FROM {versions} GROUP BY id)"""
        files.personal[name] = [f"models/{name}/{sync_id}.merged.personal.parquet"]
        write_query(con, f"{newest} ORDER BY id", lake / files.personal[name][0])
    files.models[name] = [f"models/{name}/{sync_id}.merged.parquet"]
    write_query(con, f"SELECT {quoted(model.plain)} FROM {versions} ORDER BY id, sync_id", lake / files.models[name][0])


def retire(con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord, days: int) -> None:
    """Drop raw and set-aside records older than `days`, and merge a feed's small files once there are many.

    The last raw of a feed stays, whatever its age: reference names come from it when a list fails to load.
    """
    oldest = sync_id_of(record.started_at - timedelta(days=days))
    for group, least in ((record.files.raw, 1), (record.files.quarantine, 0)):
        for feed, paths in group.items():
            kept = [path for path in paths if _last_sync(path) >= oldest] or paths[len(paths) - least :]
            group[feed] = _merged(con, lake, kept, record.sync_id)


def _merged(con: duckdb.DuckDBPyConnection, lake: Path, paths: list[str], sync_id: str) -> list[str]:
    """The files with the small ones of earlier syncs as one. A merged file lies in the folder of its last sync."""
    small = [path for path in paths if _last_sync(path) != sync_id and "merged" not in path]
    if len(small) <= MOST_SMALL_FILES:
        return paths
    last = Path(small[-1])
    target = last.with_name(f"merged-{last.name}").as_posix()
    # in the order in which they came: the last observation of a record wins
    con.execute("SET preserve_insertion_order = true")
    write_query(con, f"FROM read_parquet({files_literal([str(lake / path) for path in small])})", lake / target)
    con.execute("SET preserve_insertion_order = false")
    return [*(path for path in paths if "merged" in path), target, *paths[paths.index(small[-1]) + 1 :]]


def _last_sync(path: str) -> str:
    """The sync that wrote a file, or the last one whose rows are in a merged file."""
    folder, stem = Path(path).parent.name, Path(path).stem
    return folder if folder[0].isdigit() else stem.removeprefix("merged-")
