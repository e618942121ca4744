"""Erasing people from the lake at once: the files that hold them are written anew, and the old ones leave the disk.

Belongs here: what of a version, a raw payload and a sync record is erased. Not here: who a person is, the other
files of a connection (people), which people never come back (erased).

The history can stay: versions of tier 1 under a random key that nobody can compute, without the source's ids, without
tags, and without the hashes of the payload and of the content. The next sync ends such a record with a tombstone, as
only a sync can: each version is of one.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.lake.absent import present
from join_pipeline.lake.evolution import versions_relation
from join_pipeline.lake.files import appearing
from join_pipeline.lake.integrity import verified
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.lake.sql import files_literal, ordered, write_query
from join_pipeline.models import MODELS, Model
from join_pipeline.models.ids import ALPHABET

PREFIX: Final = "erased-"
"""The ids of erased records begin with it. It is in no other id, as base58 has no hyphen."""
KEY_LETTERS: Final = 17
PEOPLE: Final = ("candidates", "applications")
"""The models whose records are about one person each."""
FORGOTTEN: Final = ("remote_id", "content_hash", "payload_hash")
"""Columns of tier 1 that lead back to the person, for whoever may look into the ATS."""
BATCH: Final = 2_000
ERASED: Final = 410
"""The status of a raw row that was emptied."""

IsTheirs = Callable[[str, str | None, str | None], bool]
"""Whether a row of raw or quarantine is of the people to erase, by its feed, its record's id and its payload."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """Who is erased from a lake: `ids` by model, the source's ids by feed, and whether the history goes, too."""

    ids: Mapping[str, Collection[str]]
    remote_ids: Mapping[str, Collection[str]]
    is_theirs: IsTheirs
    everything: bool = False


@dataclass(slots=True)
class Erased:
    """What was done: versions that were kept under another key or removed, by model, and rows of raw that went."""

    kept: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    payloads: int = 0


def erased_id() -> str:
    """A key for an erased record. Nothing leads from it to the person."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(KEY_LETTERS))


def erase_from_lake(con: duckdb.DuckDBPyConnection, lake: Lake, erasing: Erasing) -> Erased:
    """Write the files anew that hold these people, and commit. If this is cut off, it can be done again.

    The newest record is written last. Before it, nothing that a reader sees has changed, but for what older records say
    of pending looks. The caller holds the lock, and has upgraded the lake.
    """
    done = Erased()
    newest = lake.newest()
    if newest is None:
        return done
    _make_keys(con, erasing)
    for name in (*PEOPLE, "candidate_tags", "tags"):
        _erase_model(con, lake, MODELS[name], newest, erasing, done)
    for group in (newest.files.raw, newest.files.quarantine):
        for feed, files in group.items():
            group[feed] = [one for file in files if (one := _without_theirs(lake.path, feed, file, erasing, done))]
    lake.correct(record for record in lake.records() if record.sync_id != newest.sync_id and forget(record, erasing))
    forget(newest, erasing)
    lake.commit(newest)
    lake.remove_unlisted(newest)
    return done


def forget(record: SyncRecord, erasing: Erasing) -> bool:
    """Take the people's ids out of what a record says of pending and unread records. Returns whether it said any."""
    is_changed = False
    for feed, gone in erasing.remote_ids.items():
        if not set(record.pending.get(feed, ())).isdisjoint(gone):
            record.pending[feed] = [one for one in record.pending[feed] if one not in gone]
            is_changed = True
            if not record.pending[feed]:
                del record.pending[feed]
                record.pending_since.pop(feed, None)
        figures = record.feeds.get(feed)
        if figures and not set(figures.unread).isdisjoint(gone):
            figures.unread = [one for one in figures.unread if one not in gone]
            is_changed = True
    return is_changed


def _make_keys(con: duckdb.DuckDBPyConnection, erasing: Erasing) -> None:
    """Make the table of who is erased, with the key that each record gets."""
    con.execute("CREATE OR REPLACE TEMP TABLE erased_people (model VARCHAR, id VARCHAR, key VARCHAR)")
    rows = [(model, one, erased_id()) for model in PEOPLE for one in sorted(erasing.ids.get(model, ()))]
    if rows:
        con.executemany("INSERT INTO erased_people VALUES (?, ?, ?)", rows)


def _theirs(name: str) -> str:
    """SQL: whether a row of a model's version or personal file is theirs."""
    people = "SELECT id FROM erased_people WHERE model = '{}'"
    if name == "candidate_tags":
        return "id IN (FROM erased_links)"
    if name == "tags":
        return "id IN (FROM erased_tags)"
    return f"id IN ({people.format(name)})"


def _erase_model(
    con: duckdb.DuckDBPyConnection, lake: Lake, model: Model, newest: SyncRecord, erasing: Erasing, done: Erased
) -> None:
    name, keeps = model.name, model.name in PEOPLE and not erasing.everything
    versions = versions_relation(lake.path, model, newest.files.models.get(name, []))
    if name == "candidate_tags":  # its links, and the tags that nobody else has ever had
        of_people = "candidate_id IN (SELECT id FROM erased_people WHERE model = 'candidates')"
        links = f"SELECT DISTINCT id FROM {versions} WHERE {of_people}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE erased_links AS {links}")
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE erased_tags AS SELECT tag_id AS id FROM {versions} WHERE {of_people}
            EXCEPT SELECT tag_id FROM {versions} WHERE NOT coalesce({of_people}, false)"""
        )
    theirs = _theirs(name)
    newest_theirs = f"""(FROM {versions} WHERE {theirs}
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1)"""
    n_rows = _count(con, f"FROM {versions} WHERE {theirs}")
    n_live = _count(con, f"FROM {newest_theirs} WHERE remote_deleted_at IS NULL")
    if not n_rows:
        return
    files, personal = newest.files.models[name], newest.files.personal.get(name, [])
    files[:] = [one for file in files if (one := _rewritten(con, lake.path, model, file, keeps=keeps))]
    personal[:] = [one for file in personal if (one := _rewritten(con, lake.path, model, file, keeps=keeps))]
    (done.kept if keeps else done.removed)[name] = n_rows
    if name in newest.models and not keeps:
        newest.models[name].live -= n_live


def _rewritten(
    con: duckdb.DuckDBPyConnection, lake: Path, model: Model, file: LakeFile, *, keeps: bool
) -> LakeFile | None:
    """The file without these people, or with their rows under other keys; None if nothing is left of it."""
    source = f"read_parquet({files_literal([str(verified(lake, file))])})"
    theirs = _theirs(model.name)
    n_theirs = _count(con, f"FROM {source} WHERE {theirs}")
    if not n_theirs:
        return file
    query = f"FROM {source} WHERE NOT coalesce({theirs}, false)"
    if keeps:
        columns = {row[0] for row in con.execute(f"DESCRIBE FROM {source}").fetchall()}
        gone = columns & {*FORGOTTEN, *(column.name for column in model.personal)}
        values = {column: f'if({theirs}, NULL, "{column}")' for column in sorted(gone)}
        values["id"] = _key_of(model.name, "id")
        if "candidate_id" in columns:
            values["candidate_id"] = _key_of("candidates", "candidate_id")
        replaced = ", ".join(f'{value} AS "{column}"' for column, value in values.items())
        query = f"SELECT * REPLACE ({replaced}) FROM {source} AS v"
    elif n_theirs == _count(con, f"FROM {source}"):
        return None
    target = _beside(lake, file)
    with ordered(con):
        write_query(con, query, lake / target.path)
    return target


def _key_of(model: str, column: str) -> str:
    known = f"SELECT any_value(p.key) FROM erased_people AS p WHERE p.model = '{model}' AND p.id = v.{column}"
    return f"coalesce(({known}), v.{column})"


def _without_theirs(lake: Path, feed: str, file: LakeFile, erasing: Erasing, done: Erased) -> LakeFile | None:
    """A file of raw or quarantine without their rows. It is read in batches, as it may be large.

    In raw each of their rows becomes an empty one, which tells that its sync can't be replayed any more.
    """
    path = present(lake / file.path)
    n_theirs = n_rows = 0
    for batch in _batches(path):
        n_theirs, n_rows = n_theirs + _mask(feed, batch, erasing).count(True), n_rows + batch.num_rows
    if not n_theirs:
        return file
    done.payloads += n_theirs
    schema = pa.schema([field.with_nullable(True) for field in pq.read_schema(path)])
    leaves_rows = "status" in schema.names
    if n_theirs == n_rows and not leaves_rows:
        return None
    target = _beside(lake, file)
    with appearing(lake / target.path) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        for batch in _batches(path):
            theirs = _mask(feed, batch, erasing)
            others = pa.array([not one for one in theirs], pa.bool_())
            columns = _emptied(batch, others) if leaves_rows else batch.filter(others).columns
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return target


def _emptied(batch: pa.RecordBatch, others: pa.Array) -> list[pa.Array]:
    """The columns of the rows, with nothing in those that are not of `others`."""
    import pyarrow.compute as pc  # noqa: PLC0415  slow to import, and no sync needs it

    empty = {"record_id": None, "payload": None, "status": ERASED}
    return [
        pc.if_else(others, column, pa.scalar(empty[name], column.type)) if name in empty else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]


def _mask(feed: str, batch: pa.RecordBatch, erasing: Erasing) -> list[bool]:
    columns: dict[str, list[Any]] = {
        name: batch.column(name).to_pylist() if name in batch.schema.names else [None] * batch.num_rows
        for name in ("record_id", "payload")
    }
    rows = zip(columns["record_id"], columns["payload"], strict=True)
    return [erasing.is_theirs(feed, record_id, payload) for record_id, payload in rows]


def _batches(path: Path) -> Any:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(BATCH)


def _beside(lake: Path, file: LakeFile) -> LakeFile:
    """The next free name for a file that is written anew. It has the same sync and kind, and no digest yet."""
    stem, end = file.path.split("/")[-1].split(".", 1)
    folder, number = file.path.rpartition("/")[0], 1
    stem = stem.split("~")[0]
    while (lake / (path := f"{folder}/{stem}~{number}.{end}")).exists():
        number += 1
    return LakeFile(path=path, sync_id=file.sync_id, kind=file.kind, format=file.format)


def _count(con: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM (SELECT 1 {rows})").fetchall()[0][0])
