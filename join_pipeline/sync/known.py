"""Known: what the lake holds, newest versions and all.

Belongs here: the relations to ask. Not here: which part of it a sync can concern (a source), what comes of it (fold).
"""

from pathlib import Path

import duckdb
import pyarrow as pa

from join_pipeline.lake.record import Files
from join_pipeline.lake.sql import empty_table, files_literal, quoted
from join_pipeline.models import MODELS, Model


def open_versions(con: duckdb.DuckDBPyConnection, lake: Path, files: Files) -> None:
    """Views `versions_<model>`: every version in force, its columns of tier 1. Nothing is read yet."""
    for name, model in MODELS.items():
        paths = [str(lake / path) for path in files.models.get(name, [])]
        empty_table(con, f"no_{name}", pa.schema([(c.name, c.type) for c in model.plain]))
        source = f"read_parquet({files_literal(paths)})" if paths else f"no_{name}"
        con.execute(f"CREATE OR REPLACE TEMP VIEW versions_{name} AS SELECT {quoted(model.plain)} FROM {source}")


def newest(name: str, ids: str | None = None) -> str:
    """SQL of the newest version of every record, or of those whose id a query lists."""
    where = "" if ids is None else f"WHERE id IN ({ids})"
    return f"(FROM versions_{name} {where} QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1)"


def live_keys(name: str, key: str) -> str:
    """SQL of the keys of what is known to be live; `key` is the column that holds them."""
    return f"SELECT {key} FROM {newest(name)} WHERE remote_deleted_at IS NULL AND {key} IS NOT NULL"


def linked_elsewhere(name: str, column: str, among: str) -> str:
    """SQL of those of `among` that a live record outside of `known_<name>` links to."""
    linking = f'SELECT id FROM versions_{name} WHERE "{column}" IN ({among})'
    return f"""SELECT "{column}" FROM {newest(name, linking)}
        WHERE remote_deleted_at IS NULL AND id NOT IN (SELECT id FROM known_{name})"""


def personal_relation(lake: Path, model: Model, files: Files) -> str:
    """SQL of a model's personal columns by (id, sync_id), whatever the number of files."""
    paths = [str(lake / path) for path in files.personal.get(model.name, [])]
    if paths:
        return f"read_parquet({files_literal(paths)})"
    nulls = ", ".join(f'NULL AS "{column.name}"' for column in model.personal)
    return f"(SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS sync_id, {nulls} WHERE false)"
