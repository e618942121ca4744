"""The upgrade of a lake that an older release wrote. It runs before anything else.

Belongs here: rewriting the models that need it, and the commit. Not here: reading older files (evolution, formats).

An added column needs no upgrade: files that lack it stay unchanged. If a column was dropped, widened or moved to
another tier, all versions of the model are rewritten, and the old values leave the disk with the commit.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from join_pipeline.lake.evolution import faults, misplaced, moved_relation, personal_relation, versions_relation
from join_pipeline.lake.hashing import content_hash
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import FileKind, Files, LakeFile
from join_pipeline.lake.sql import quoted, scratch, write_query
from join_pipeline.models import MODELS, Column, Model

CHECKED_SINCE: Final = 2
"""From this format on a sync checks before its commit that it writes no version twice."""
ONCE: Final = "QUALIFY row_number() OVER (PARTITION BY id, sync_id) = 1"


def upgrade(lake: Lake, builds: Path, memory_limit: str) -> list[str]:
    """Rewrite the models whose files need it and return their names. The caller holds the lock.

    A lake that needs nothing is not touched. An interrupted upgrade leaves the lake as it was.
    """
    newest = lake.newest()
    if newest is None:
        return []
    unfit = [name for name, model in MODELS.items() if _is_unfit(lake.path, model, newest.files)]
    suspects = [name for name in MODELS if name not in unfit and _may_repeat(newest.files, name)]
    if not unfit and not suspects:
        return []
    with scratch(builds, memory_limit) as con:
        unfit += [name for name in suspects if _repeats(con, lake.path, MODELS[name], newest.files)]
        for name in unfit:
            write_anew(con, lake.path, MODELS[name], newest.files, newest.sync_id)
    if unfit:
        lake.commit(newest)
        lake.remove_unlisted(newest)
    return unfit


def _is_unfit(lake: Path, model: Model, files: Files) -> bool:
    return bool(faults(lake, model, files.models.get(model.name, []), files.personal.get(model.name, [])))


def _may_repeat(files: Files, name: str) -> bool:
    """Whether a release wrote one of the files that did not check for versions that it wrote twice."""
    return any(file.format < CHECKED_SINCE for file in (*files.models.get(name, []), *files.personal.get(name, [])))


def _repeats(con: duckdb.DuckDBPyConnection, lake: Path, model: Model, files: Files) -> bool:
    """Whether a version has two rows in the version files or in the personal files. No build can load that."""
    relations = [versions_relation(lake, model, files.models.get(model.name, []))]
    if model.personal:
        relations.append(personal_relation(lake, model, files.personal.get(model.name, [])))
    return any(
        con.execute(f"SELECT 1 FROM {relation} GROUP BY id, sync_id HAVING count(*) > 1 LIMIT 1").fetchone()
        for relation in relations
    )


def write_anew(
    con: duckdb.DuckDBPyConnection,
    lake: Path,
    model: Model,
    files: Files,
    sync_id: str,
    corrected: Callable[[str], str] = str,
) -> None:
    """Rewrite all versions of a model as one version file and one personal file, with each version once.

    Each column goes to the file of its tier. As in a compaction, the personal file keeps the newest version of live
    records only. `corrected` makes of a relation of versions one with other values.
    """
    name = model.name
    versions, personal = files.models[name], files.personal.get(name, [])
    _read(con, "plain_read", versions_relation(lake, model, versions), lake, model.plain, personal)
    con.execute(f"CREATE OR REPLACE TEMP TABLE plain_read AS {corrected('FROM plain_read')}")
    _read(con, "personal_read", personal_relation(lake, model, personal), lake, model.personal, versions)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE newest_live AS
        SELECT n.id, n.sync_id{"".join(f', p."{column.name}"' for column in model.personal)}
        FROM (FROM plain_read QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1) AS n
        LEFT JOIN personal_read AS p ON p.id = n.id AND p.sync_id = n.sync_id
        WHERE n.remote_deleted_at IS NULL"""
    )
    personal_names = {column.name for column in model.personal}
    hashed = content_hash(model, lambda column: f'{"l" if column in personal_names else "v"}."{column}"')
    plain = f"""SELECT v.* REPLACE (CASE WHEN l.id IS NULL THEN v.content_hash ELSE {hashed} END AS content_hash)
        FROM plain_read AS v LEFT JOIN newest_live AS l ON l.id = v.id AND l.sync_id = v.sync_id ORDER BY id, sync_id"""
    files.models[name] = [_write(con, lake, model, plain, sync_id, "")]
    files.personal.pop(name, None)
    if model.personal:
        query = f"SELECT id, sync_id, {quoted(model.personal)} FROM newest_live ORDER BY id"
        files.personal[name] = [_write(con, lake, model, query, sync_id, ".personal")]


def _read(
    con: duckdb.DuckDBPyConnection,
    table: str,
    relation: str,
    lake: Path,
    columns: tuple[Column, ...],
    others: list[LakeFile],
) -> None:
    """Make a table of `relation`'s rows. Moved columns get their values from `others`, the files of their old tier."""
    moved = misplaced(lake, [column for column in columns if column.name not in {"id", "sync_id"}], others)
    if not moved:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM {relation} {ONCE}")
        return
    filled = ", ".join(f'coalesce(r."{column.name}", o."{column.name}") AS "{column.name}"' for column in moved)
    # a version without personal columns has no row in a personal file
    keys = "coalesce(r.id, o.id) AS id, coalesce(r.sync_id, o.sync_id) AS sync_id"
    kind = "FULL" if table == "personal_read" else "LEFT"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT r.* REPLACE ({keys}, {filled}) FROM {relation} AS r
        {kind} JOIN {moved_relation(lake, moved, others)} AS o ON o.id = r.id AND o.sync_id = r.sync_id
        QUALIFY row_number() OVER (PARTITION BY coalesce(r.id, o.id), coalesce(r.sync_id, o.sync_id)) = 1"""
    )


def _write(con: duckdb.DuckDBPyConnection, lake: Path, model: Model, query: str, sync_id: str, end: str) -> LakeFile:
    file = replayed_file(lake, model, sync_id, end)
    write_query(con, query, lake / file.path)
    return file


def replayed_file(lake: Path, model: Model, sync_id: str, end: str = "") -> LakeFile:
    """The next free file for rewritten versions of a model. Nothing is written yet."""
    paths = (f"models/{model.name}/replayed-{number:04d}{end}.parquet" for number in itertools.count(1))
    path = next(path for path in paths if not (lake / path).exists())
    return LakeFile(path=path, sync_id=sync_id, kind=FileKind.REPLAYED)
