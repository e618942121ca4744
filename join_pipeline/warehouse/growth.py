"""Growth: whether a warehouse can be added to, so that a load costs what has changed.

A load that adds works on a copy of the warehouse. It needs a warehouse that was loaded by the same code, with the same
columns and key, from files that are still in force or were merged since. A replay, an upgrade and an erasure write
files anew under other names, so the next load begins with an empty file: DuckDB keeps deleted bytes.
Belongs here: what a warehouse was loaded from, and the decision. Not here: loading (load), the file (file).
"""

import contextlib
import hashlib
import hmac
from collections.abc import Collection, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from join_pipeline.lake.absent import present
from join_pipeline.lake.damage import unreadable
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.models import MODELS
from join_pipeline.warehouse.pseudonyms import MODELS as PSEUDONYMOUS

MOST_FREE: Final = 0.5
"""A file of which more is free than this share is not copied, but made anew."""


class CannotGrow(Exception):  # noqa: N818  no fault: the caller loads from nothing
    """The copy of a warehouse does not hold what it should, by the name of a model."""


def last_loaded(warehouse: Path, lake: Lake, key: bytes) -> str | None:
    """The sync up to which the warehouse has all versions, if those of later syncs can be added; else None.

    `key` is the key of the pseudonyms.
    """
    newest = lake.newest()
    if newest is None or not warehouse.exists() or warehouse.with_name(f"{warehouse.name}.wal").exists():
        return None
    try:
        with contextlib.closing(duckdb.connect(warehouse, read_only=True)) as con:
            ((made_of, since),) = con.execute("FROM loading.made_of").fetchall()
            known = set(con.execute("SELECT path, digest FROM loading.files").fetchall())
            ((free,),) = con.execute("SELECT free_blocks / total_blocks FROM pragma_database_size()").fetchall()
    except (duckdb.Error, ValueError):  # it is another release's, or broken: then it is made anew
        return None
    if made_of != _made_of(lake, key) or free > MOST_FREE:
        return None
    if all(record.sync_id != since for record in lake.records()):
        return None  # the lake is an older one, such as a restored backup
    files = (file for listed in newest.files.models.values() for file in listed)
    return since if all(file.adds_to(known, since) for file in files) else None


def note_loaded(con: duckdb.DuckDBPyConnection, lake: Lake, newest: SyncRecord, key: bytes) -> None:
    """Note what the warehouse was loaded from."""
    con.execute(
        "CREATE OR REPLACE TABLE loading.made_of AS SELECT ? AS digest, ? AS sync_id",
        [_made_of(lake, key), newest.sync_id],
    )
    con.execute("CREATE OR REPLACE TABLE loading.files (path VARCHAR, digest VARCHAR)")
    rows = [[file.path, file.digest] for listed in newest.files.models.values() for file in listed]
    if rows:
        con.executemany("INSERT INTO loading.files VALUES (?, ?)", rows)


def drop_others(con: duckdb.DuckDBPyConnection, kept: Collection[str]) -> None:
    """Drop the schemas that are not load's, so that no mart of an earlier build stays beside newer rows."""
    found = con.execute(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database() AND NOT internal"
    ).fetchall()
    for (schema,) in found:
        if schema not in kept:
            con.execute(f'DROP SCHEMA "{schema}" CASCADE')


def count_rows(lake: Lake, files: Iterable[LakeFile]) -> int:
    """How many rows these files have, by their footers."""
    n = 0
    for file in files:
        path = lake.path / file.path
        try:
            n += int(pq.read_metadata(present(path)).num_rows)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise unreadable(path, error) from None
    return n


def _made_of(lake: Lake, key: bytes) -> str:
    """A digest of all that decides how versions become rows: releases, columns with their tiers, ids, the key, and who
    gets a pseudonym.
    """
    columns = [(name, str(column)) for name, model in MODELS.items() for column in model.version_columns]
    made_of = (version("join-pipeline"), duckdb.__version__, lake.integration_id, columns, PSEUDONYMOUS)
    return hmac.new(key, repr(made_of).encode(), hashlib.sha256).hexdigest()
