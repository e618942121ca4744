"""Replay: making the versions of every sync whose raw is kept again, with today's code.

Belongs here: the loop over kept syncs, on top of the versions before them. Not here: one sync's versions (derive). With
the same code the versions are the same. With a changed mapping, the versions that it changes have the reason `mapping`.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec

from join_pipeline.errors import LakeError
from join_pipeline.lake.compaction import merge_versions
from join_pipeline.lake.damage import foreign_errors
from join_pipeline.lake.erasing import ERASED, PREFIX
from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.files import make_folder
from join_pipeline.lake.integrity import drop_lost
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.raw import RawRow, read_raw
from join_pipeline.lake.record import FileKind, Files, LakeFile, SyncRecord
from join_pipeline.lake.sql import files_literal, scratch, write_query
from join_pipeline.lake.upgrade import replayed_file, upgrade
from join_pipeline.models import MODELS, Model
from join_pipeline.privacy import RAW
from join_pipeline.sources.base import Source
from join_pipeline.sources.feed import RawOf
from join_pipeline.sync.derive import derive, mapped_since
from join_pipeline.sync.origin import carried, named
from join_pipeline.sync.settings import SyncSettings
from join_pipeline.sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a replay: how many syncs it repeated, and how many versions differ from those before.

    `left` are the syncs whose raw is kept, but for payloads of people who were erased since. They, and those between
    them, can't be repeated: a list that lacks people would tell that these are gone. Their versions stay as they are.
    """

    n_syncs: int
    n_versions: int
    n_different: int
    left: tuple[str, ...] = ()

    def told(self) -> str:
        """What it did, in words."""
        done = f"{self.n_syncs:,} syncs were replayed; {self.n_different:,} versions differ."
        if not self.left:
            return done
        return (
            f"{done} {len(self.left):,} syncs, {self.left[0]} to {self.left[-1]}, can't be replayed, because payloads "
            "of people who were erased since are gone from their raw. The versions that they made stay as they are."
        )


SourceOf = Callable[[str], Source]
"""A function that returns a source by its name."""


def replay(source: Source, lake: Lake, settings: SyncSettings, others: SourceOf | None = None) -> Replayed:
    """Make the versions of all kept raw again and put them in force. The caller holds the lock.

    `source` must be the one that the lake reads. Each sync is repeated with the source that it read: if that was
    another one, `others` gives it. Raises `LakeError` if no raw is kept.
    """
    source_named = _sources(source, lake, others)
    upgrade(lake, settings.builds, settings.memory_limit)
    newest = named(lake.newest(), lake)
    if newest is not None:
        feeds = (feed.name for name in {lake.source, newest.source} for feed in source_named(name).feeds)
        newest.lost += drop_lost(lake.path, newest.files, frozenset(feeds))
    records = replayable(source, lake, newest, others) if newest else []
    left = _left_by_erasure(lake, newest, records) if newest else ()
    if left and not records:
        return Replayed(0, 0, 0, left)
    if newest is None or not records:
        why = ", because raw payloads are kept out of it" if newest and RAW in newest.kept_out else ""
        raise LakeError(f"{lake.path} keeps no raw to replay{why}. Run `join-pipeline rebuild` without --from raw.")
    folder = settings.builds / "replay"
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    with scratch(settings.builds, settings.memory_limit) as con:
        files = _base(con, lake, folder, newest, before=records[0].sync_id)
        previous = next((r for r in reversed(lake.records()) if r.sync_id < records[0].sync_id), None)
        previous = named(previous, lake)
        for record in records:
            source = source_named(record.source)
            again = msgspec.convert(msgspec.to_builtins(record), SyncRecord)
            again.files, again.mapping_version = files, source.mapping_version
            again.mapped_since = mapped_since(source, previous, record.sync_id)
            raw_of = _raw_of(source, lake, newest.files, record)
            workspace = Workspace(con, folder, files, again.started_at)
            workspace.open()
            derive(source, workspace, lake.ids, again, previous, raw_of, is_replay=True)
            previous = again
        n_versions = n_different = 0
        for model in MODELS.values():
            if not files.models.get(model.name):
                continue
            merge_versions(con, folder, model, files, newest.sync_id)
            total, different = _differences(con, lake, folder, model, newest.files, files)
            n_versions, n_different = n_versions + total, n_different + different
            if different:
                _take_over(con, lake, folder, model, newest.files, files, newest.sync_id)
    if n_different:
        newest.mapping_version, newest.mapped_since = (
            source_named(newest.source).mapping_version,
            previous.mapped_since if previous else "",
        )
        lake.commit(newest)
        lake.remove_unlisted(newest)
    shutil.rmtree(folder, ignore_errors=True)
    return Replayed(len(records), n_versions, n_different, left)


def _sources(source: Source, lake: Lake, others: SourceOf | None) -> SourceOf:
    """The sources of a lake's syncs by name, each by the ids of the lake."""
    return lambda name: carried(source if others is None or name == source.name else others(name), lake)


def replayable(source: Source, lake: Lake, newest: SyncRecord, others: SourceOf | None = None) -> list[SyncRecord]:
    """The latest syncs whose raw is kept completely, oldest first."""
    source_of = _sources(source, lake, others)
    with foreign_errors():
        kept = {name: _syncs_of(lake, files, "= 0") for name, files in newest.files.raw.items() if files}
    records: list[SyncRecord] = []
    for record in reversed(lake.records()):
        named(record, lake)
        names = [feed.name for feed in source_of(record.source).feeds if not feed.is_reference]
        read = [name for name in names if record.feeds[name].records or record.feeds[name].looks]
        if not all(record.sync_id in kept.get(name, ()) for name in read):
            break
        records.insert(0, record)
    return records


def _left_by_erasure(lake: Lake, newest: SyncRecord, replayed: list[SyncRecord]) -> tuple[str, ...]:
    """The syncs before the replayed ones whose raw is kept, if the last of them lacks rows of erased people."""
    emptied: set[str] = set()
    kept: set[str] = set()
    with foreign_errors():
        for files in newest.files.raw.values():
            if files and (found := _syncs_of(lake, files, "> 0")):
                emptied |= found
                kept |= _syncs_of(lake, files, ">= 0")
    last = max(emptied, default="")
    return tuple(sorted(one for one in kept if one <= last and (not replayed or one < replayed[0].sync_id)))


def _syncs_of(lake: Lake, files: Iterable[LakeFile], emptied: str) -> set[str]:
    """The syncs whose rows are in these files, by how many of their rows were emptied, as people were erased."""
    query = f"""SELECT sync_id FROM read_parquet({files_literal(lake.listed(files))}, union_by_name = true)
        GROUP BY sync_id HAVING count(*) FILTER (status = {ERASED}) {emptied}"""
    return {row[0] for row in duckdb.execute(query).fetchall()}


def _base(con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path, newest: SyncRecord, before: str) -> Files:
    """Write the versions before the sync `before` to a scratch lake in `folder`, and return its files."""
    files = Files()
    for name, model in MODELS.items():
        for group, relation_of, end in (
            ("models", versions_relation, ""),
            ("personal", personal_relation, ".personal"),
        ):
            listed = newest.files.groups()[group].get(name)
            if not listed:
                continue
            lake.listed(listed)
            file = LakeFile(path=f"models/{name}/base{end}.parquet", sync_id=before, kind=FileKind.REPLAYED)
            # no raw is kept of who was erased, so no replay can make these versions again
            query = f"""FROM {relation_of(lake.path, model, listed)}
                WHERE sync_id < '{before}' OR starts_with(id, '{PREFIX}')"""
            write_query(con, query, folder / file.path)
            files.groups()[group][name] = [file]
    return files


def _raw_of(source: Source, lake: Lake, files: Files, record: SyncRecord) -> RawOf:
    """One sync's raw rows by feed. For a reference list, the list that was in force at that sync."""
    sync_id = record.sync_id
    references = {feed.name for feed in source.feeds if feed.is_reference}

    def rows(feed: str) -> Iterable[RawRow]:
        paths = lake.listed(files.raw.get(feed, []))
        if feed not in references:
            return (
                row._replace(fetched_at=record.put_right(row.fetched_at))
                for row in read_raw(paths)
                if row.sync_id == sync_id
            )
        came = [row for row in read_raw(paths) if row.sync_id <= sync_id]
        last = max((row.sync_id for row in came), default=None)
        return [row for row in came if row.sync_id == last]

    return rows


def _differences(
    con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path, model: Model, old: Files, new: Files
) -> tuple[int, int]:
    """The number of replayed versions, and of versions that only the old or only the new files have."""
    theirs = f"FROM {versions_relation(lake.path, model, old.models[model.name])}"
    ours = f"FROM {versions_relation(folder, model, new.models[model.name])}"
    row = con.execute(
        f"""SELECT (SELECT count(*) FROM ({ours})), (SELECT count(*) FROM ({ours} EXCEPT {theirs}))
            + (SELECT count(*) FROM ({theirs} EXCEPT {ours}))"""
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def _take_over(
    con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path, model: Model, listed: Files, new: Files, sync_id: str
) -> None:
    """Write a model's replayed versions to the lake. Personal columns that they lack come from the old files."""
    name = model.name
    target = replayed_file(lake.path, model, sync_id)
    write_query(con, f"FROM {versions_relation(folder, model, new.models[name])}", lake.path / target.path)
    if new.personal.get(name):
        personal = replayed_file(lake.path, model, sync_id, ".personal")
        columns = ", ".join(f'coalesce(n."{c.name}", o."{c.name}") AS "{c.name}"' for c in model.personal)
        query = f"""SELECT n.id, n.sync_id, {columns} FROM {personal_relation(folder, model, new.personal[name])} AS n
            LEFT JOIN {personal_relation(lake.path, model, listed.personal.get(name, []))} AS o
                ON o.id = n.id AND o.sync_id = n.sync_id"""
        write_query(con, query, lake.path / personal.path)
        listed.personal[name] = [personal]
    listed.models[name] = [target]
