"""Known: what the lake holds, and the part of it that a sync can concern.

Belongs here: the newest versions of records, of all or of few. Not here: what comes of them (fold), new versions
(versions). Of applications, candidates and their tags an incremental sync meets few: to hold all of them would make its
memory grow with the account and not with what changed.
"""

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from join_pipeline.lake.query import empty_table, files_literal, quoted
from join_pipeline.lake.record import Files
from join_pipeline.models import MODELS, Model

FOCUSED: Final = ("applications", "candidates", "candidate_tags")
"""Models of which `known_<model>` holds only what a sync can concern; `versions_<model>` tells of the rest."""


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


def live_remote_ids(name: str) -> str:
    """SQL of JOIN's ids of what is known to be live."""
    return f"SELECT remote_id FROM {newest(name)} WHERE remote_deleted_at IS NULL"


def load_known(con: duckdb.DuckDBPyConnection) -> None:
    """Tables `known_<model>`: the newest versions of all records that `seen_*` and `missing` can concern.

    Those are the applications that came or are gone, every other one of their candidates, and those of a job that is
    gone. An application can have had another candidate or job before, so any of its versions counts.
    """
    _table(con, "came", "SELECT id FROM seen_applications UNION SELECT id FROM missing WHERE model = 'applications'")
    _table(
        con,
        "concerned_candidates",
        """SELECT candidate_id AS id FROM seen_applications UNION
        SELECT candidate_id FROM versions_applications WHERE id IN (FROM came)""",
    )
    applications = """FROM came UNION SELECT id FROM versions_applications
        WHERE candidate_id IN (FROM concerned_candidates)
            OR job_id IN (SELECT id FROM missing WHERE model = 'jobs')"""
    _table(con, "known_applications", f"FROM {newest('applications', applications)}")
    _table(con, "known_candidates", f"FROM {newest('candidates', 'FROM concerned_candidates')}")
    # a link never changes its candidate: its id is made of it
    tags = "SELECT id FROM versions_candidate_tags WHERE candidate_id IN (FROM concerned_candidates)"
    _table(con, "known_candidate_tags", f"FROM {newest('candidate_tags', tags)}")
    for name in MODELS:
        if name not in FOCUSED:
            _table(con, f"known_{name}", f"FROM {newest(name)}")


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


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
