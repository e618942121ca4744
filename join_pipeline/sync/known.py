"""Known: what the lake holds, newest versions and all.

Belongs here: the relations to ask. Not here: which part of it a sync can concern (a source), what comes of it (fold).
"""

from pathlib import Path

import duckdb

from join_pipeline.lake.evolution import versions_relation
from join_pipeline.lake.record import Files
from join_pipeline.models import MODELS


def open_versions(con: duckdb.DuckDBPyConnection, lake: Path, files: Files) -> None:
    """Views `versions_<model>`: every version in force, its columns of tier 1. Nothing is read yet."""
    for name, model in MODELS.items():
        relation = versions_relation(lake, model, files.models.get(name, []))
        con.execute(f"CREATE OR REPLACE TEMP VIEW versions_{name} AS FROM {relation}")


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
