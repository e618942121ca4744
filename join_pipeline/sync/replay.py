"""Replay: the versions of every sync whose raw is kept, made again by today's code.

Belongs here: folding kept raw, sync by sync, on top of the versions before it. Not here: the fold itself (derive). With
the same code it gives the same versions; with a changed mapping, those that the mapping changed are marked so.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.lake.compaction import merge_versions
from join_pipeline.lake.files import make_folder
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.raw import RawRow, read_raw
from join_pipeline.lake.record import Files, SyncRecord
from join_pipeline.lake.sql import files_literal, quoted, scratch, write_query
from join_pipeline.models import MODELS, Model
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import RawOf
from join_pipeline.sync.derive import derive
from join_pipeline.sync.known import open_versions
from join_pipeline.sync.settings import SyncSettings


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did: how many syncs it made again, and how many versions differ from what was there."""

    n_syncs: int
    n_versions: int
    n_different: int


def replay(source: Source, lake: Lake, settings: SyncSettings) -> Replayed:
    """Make the versions of all kept raw again and put them in force. The caller holds the lock.

    `source` is the one that the lake is of.
    """
    newest = lake.newest()
    records = replayable(source, lake, newest) if newest else []
    if newest is None or not records:
        raise LakeError(f"{lake.path} keeps no raw to replay. Run `join-pipeline rebuild` without --from raw.")
    folder = settings.builds / "replay"
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    with scratch(settings.builds, settings.memory_limit) as con:
        files = _base(con, lake, folder, newest, before=records[0].sync_id)
        previous = next((r for r in reversed(lake.records()) if r.sync_id < records[0].sync_id), None)
        for record in records:
            again = msgspec.convert(msgspec.to_builtins(record), SyncRecord)
            again.files, again.mapping_version = files, source.mapping_version
            raw_of = _raw_of(source, lake, newest.files, record.sync_id)
            open_versions(con, folder, files)
            derive(source, con, folder, lake.ids, again, previous, raw_of)
            previous = again
        n_versions = n_different = 0
        for model in MODELS.values():
            if not files.models.get(model.name):
                continue
            merge_versions(con, folder, model, files, newest.sync_id)
            total, different = _differences(con, lake, folder, model, newest.files, files)
            n_versions, n_different = n_versions + total, n_different + different
            if different:
                _take_over(con, lake, folder, model, newest.files, files)
    if n_different:
        newest.mapping_version = source.mapping_version
        lake.commit(newest)
        lake.remove_unlisted(newest)
    shutil.rmtree(folder, ignore_errors=True)
    return Replayed(len(records), n_versions, n_different)


def replayable(source: Source, lake: Lake, newest: SyncRecord) -> list[SyncRecord]:
    """The latest syncs whose raw is all there, oldest first."""
    names = [feed.name for feed in source.feeds if not feed.is_reference]
    kept = {
        name: {
            row[0]
            for row in duckdb.execute(f"SELECT DISTINCT sync_id FROM read_parquet({_all(lake, paths)})").fetchall()
        }
        for name in names
        if (paths := newest.files.raw.get(name))
    }
    records: list[SyncRecord] = []
    for record in reversed(lake.records()):
        read = [name for name in names if record.feeds[name].records or record.feeds[name].looks]
        if not all(record.sync_id in kept.get(name, ()) for name in read):
            break
        records.insert(0, record)
    return records


def _base(con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path, newest: SyncRecord, before: str) -> Files:
    """The versions before the first replayed sync, as files of the scratch lake."""
    files = Files()
    for name, model in MODELS.items():
        for group, columns, end in (
            ("models", quoted(model.plain), ""),
            ("personal", f"id, sync_id, {quoted(model.personal)}", ".personal"),
        ):
            paths = getattr(newest.files, group).get(name)
            if not paths:
                continue
            path = f"models/{name}/base{end}.parquet"
            query = f"SELECT {columns} FROM read_parquet({_all(lake, paths)}) WHERE sync_id < '{before}'"
            write_query(con, query, folder / path)
            getattr(files, group)[name] = [path]
    return files


def _raw_of(source: Source, lake: Lake, files: Files, sync_id: str) -> RawOf:
    """One sync's raw; of a reference list, the last one that had come by then."""
    references = {feed.name for feed in source.feeds if feed.is_reference}

    def rows(feed: str) -> Iterable[RawRow]:
        paths = lake.listed(files.raw.get(feed, []))
        if feed not in references:
            return (row for row in read_raw(paths) if row.sync_id == sync_id)
        came = [row for row in read_raw(paths) if row.sync_id <= sync_id]
        last = max((row.sync_id for row in came), default=None)
        return [row for row in came if row.sync_id == last]

    return rows


def _differences(
    con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path, model: Model, old: Files, new: Files
) -> tuple[int, int]:
    """How many versions there are now, and how many were not there before or are not there any more."""
    columns = quoted(model.plain)
    theirs = f"SELECT {columns} FROM read_parquet({_all(lake, old.models[model.name])})"
    ours = f"SELECT {columns} FROM read_parquet({files_literal([str(folder / p) for p in new.models[model.name]])})"
    row = con.execute(
        f"""SELECT (SELECT count(*) FROM ({ours})), (SELECT count(*) FROM ({ours} EXCEPT {theirs}))
            + (SELECT count(*) FROM ({theirs} EXCEPT {ours}))"""
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def _take_over(
    con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path, model: Model, listed: Files, new: Files
) -> None:
    """Put a model's replayed versions in the lake. Personal columns that raw no longer gives are taken from before."""
    name = model.name
    number = 1 + sum(1 for _ in (lake.path / "models" / name).glob("replayed-*"))
    target = f"models/{name}/replayed-{number:04d}.parquet"
    ours = files_literal([str(folder / path) for path in new.models[name]])
    write_query(con, f"FROM read_parquet({ours})", lake.path / target)
    if new.personal.get(name):
        personal = f"models/{name}/replayed-{number:04d}.personal.parquet"
        columns = ", ".join(f'coalesce(n."{c.name}", o."{c.name}") AS "{c.name}"' for c in model.personal)
        replayed = files_literal([str(folder / path) for path in new.personal[name]])
        query = f"""SELECT n.id, n.sync_id, {columns} FROM read_parquet({replayed}) AS n
            LEFT JOIN read_parquet({_all(lake, listed.personal[name])}) AS o ON o.id = n.id AND o.sync_id = n.sync_id"""
        write_query(con, query, lake.path / personal)
        listed.personal[name] = [personal]
    listed.models[name] = [target]


def _all(lake: Lake, paths: list[str]) -> str:
    return files_literal(lake.listed(paths))
