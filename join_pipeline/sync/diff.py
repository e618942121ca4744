"""Diff: comparing what is now with what was known, which gives the versions to write.

Belongs here: the diff of one model, its version files. Not here: what was known (known), what is now (reconcile).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from join_pipeline.errors import UnsoundError
from join_pipeline.lake.evolution import versions_relation
from join_pipeline.lake.hashing import HEAVY, content_hash, light
from join_pipeline.lake.record import LakeFile, ModelRecord, SyncRecord
from join_pipeline.lake.sql import quoted, typed, write_query
from join_pipeline.models import MODELS, Model
from join_pipeline.sync.workspace import Workspace

NOTHING_COMMITTED: Final = (
    "Nothing was committed, and the lake is as it was. This is a bug in join-pipeline: report it with the name of the "
    "model."
)


@dataclass(frozen=True, slots=True)
class Writing:
    """The lake and the sync record that versions are written for, and the previous record."""

    lake: Path
    record: SyncRecord
    previous: SyncRecord | None

    def live_before(self, model: str) -> int:
        """The number of live records before this sync. The previous record has it; the workspace has a part only."""
        before = self.previous.models.get(model) if self.previous else None
        return before.live if before else 0


def write_versions(workspace: Workspace, model: Model, writing: Writing) -> ModelRecord:
    """Write one model's new versions: `now_<model>` and `gone_<model>` compared with `known_<model>`.

    Returns the counts. Raises `UnsoundError` if a record would be written twice.
    """
    name, con = model.name, workspace.con
    kinds: dict[str, int] = {}
    # most syncs have no rows of most models, and DuckDB needs as long for an empty comparison as for a small one
    if workspace.holds_any(f"SELECT id FROM now_{name} UNION ALL SELECT id FROM gone_{name}"):
        _compare(workspace, model, writing)
        kinds = dict(con.execute(f"SELECT kind, count(*) FROM new_{name} GROUP BY kind").fetchall())
    counts = ModelRecord(**kinds)
    counts.live = writing.live_before(name) + counts.new + counts.returned - counts.deleted
    if counts.versions:
        _refuse_repeated(con, model)
        _write(con, model, writing)
    workspace.let_go(*(f"{table}_{name}" for table in ("new", "now", "gone", "ended", "payloads")))
    return counts


def _compare(workspace: Workspace, model: Model, writing: Writing) -> None:
    """Make `new_<model>`: the versions to write, each with its kind."""
    name, record = model.name, writing.record
    fields = quoted(light(model.fields), "n.")
    carried = ", ".join(
        f'coalesce(e."{c.name}", k."{c.name}") AS "{c.name}"' if not c.tier.is_personal else f'NULL AS "{c.name}"'
        for c in light(model.fields)
    )
    # a derived column changes with other records, so its change does not come from the mapping
    derived = "".join(
        f'AND n."{c.name}" IS NOT DISTINCT FROM k."{c.name}" ' for c in model.fields if c.is_derived
    ).rstrip()
    # who keeps other parts of a payload out sees another payload, although nobody changed the record
    same = "".join(
        f'AND n."{c.name}" IS NOT DISTINCT FROM k."{c.name}" ' for c in light(model.fields) if not c.tier.is_personal
    ).rstrip()
    remote_id = "k.remote_id" if model.remote_id_tier == 1 else "NULL"
    workspace.make(
        "new",
        name,
        f"""WITH gone AS (
            FROM gone_{name} UNION ALL BY NAME SELECT NULL::TIMESTAMPTZ AS remote_deleted_at WHERE false
        ), ended AS (  -- a record may have moved between the last look at it and its end
            FROM ended_{name} QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq DESC) = 1
        ), content AS (
            SELECT n.*, {content_hash(model, 'n."{}"'.format)} AS content_hash FROM now_{name} AS n
        ), seen AS (
            SELECT n.id, n.remote_id, $started::TIMESTAMPTZ AS changed_at, NULL::TIMESTAMPTZ AS remote_deleted_at,
                {fields}, n.observed_at, n.seq, $sync_id AS sync_id, n.content_hash, n.payload_hash,
                CASE WHEN k.remote_deleted_at IS NOT NULL THEN 'returned'
                    WHEN k.sync_id < $mapped_since AND k.payload_hash = n.payload_hash {derived} THEN 'mapping'
                    WHEN k.sync_id < $kept_out_since {same} THEN 'mapping'
                    ELSE 'observed' END AS reason,
                CASE WHEN k.id IS NULL THEN 'new' WHEN k.remote_deleted_at IS NOT NULL THEN 'returned'
                    ELSE 'changed' END AS kind
            FROM content AS n LEFT JOIN known_{name} AS k ON k.id = n.id
            WHERE k.id IS NULL OR k.content_hash <> n.content_hash OR k.remote_deleted_at IS NOT NULL
        )
        SELECT * FROM seen
        UNION ALL BY NAME
        SELECT k.id, {remote_id} AS remote_id, $started::TIMESTAMPTZ AS changed_at,
            coalesce(g.remote_deleted_at, $started::TIMESTAMPTZ) AS remote_deleted_at, {carried},
            coalesce(g.observed_at, $as_of::TIMESTAMPTZ) AS observed_at, $sync_id AS sync_id, k.content_hash,
            k.payload_hash, 'deleted' AS reason, 'deleted' AS kind
        FROM known_{name} AS k JOIN gone AS g ON g.id = k.id LEFT JOIN ended AS e ON e.id = k.id
        WHERE k.remote_deleted_at IS NULL""",
        {
            "started": record.started_at,
            "as_of": record.as_of,
            "sync_id": record.sync_id,
            "mapped_since": record.mapped_since,
            "kept_out_since": record.kept_out_since,
        },
    )


def _write(con: duckdb.DuckDBPyConnection, model: Model, writing: Writing) -> None:
    name, files, sync_id = model.name, writing.record.files, writing.record.sync_id
    # a computed value may have another type than the declared one, and files have the declared types
    plain = f"SELECT {typed(model.plain)} FROM new_{name} ORDER BY id"
    file = LakeFile(path=f"models/{name}/{sync_id}.parquet", sync_id=sync_id)
    _copy(con, plain, writing.lake, files.models.setdefault(name, []), file)
    if not model.personal:
        return
    # a tombstone has no personal columns, so the next compaction drops those of a person who was deleted at the source
    live = f"new_{name} WHERE remote_deleted_at IS NULL"
    if n_live := con.execute(f"SELECT count(*) FROM {live}").fetchall()[0][0]:
        columns = ", ".join(typed([c], "p." if c.name == HEAVY else "n.") for c in model.personal)
        held = (
            f"LEFT JOIN payloads_{name} AS p ON p.seq = n.seq AND p.id = n.id"
            if light(model.fields) != model.fields
            else ""
        )
        personal = f"SELECT n.id, n.sync_id, {columns} FROM (FROM {live}) AS n {held}"
        file = LakeFile(path=f"models/{name}/{sync_id}.personal.parquet", sync_id=sync_id)
        _copy(con, personal, writing.lake, files.personal.setdefault(name, []), file)
        if pq.read_metadata(writing.lake / file.path).num_rows != n_live:
            raise UnsoundError(f"{name}: not every live version has one row of personal columns. {NOTHING_COMMITTED}")


def _refuse_repeated(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Raise `UnsoundError` if the sync would write a record twice. No build could load that."""
    query = f"SELECT id FROM new_{model.name} GROUP BY id HAVING count(*) > 1 LIMIT 1"
    if found := con.execute(query).fetchone():
        raise UnsoundError(f"{model.name}: the sync would write the record {found[0]} twice. {NOTHING_COMMITTED}")


def refuse_dangling(con: duckdb.DuckDBPyConnection, lake: Path, record: SyncRecord) -> None:
    """Raise `UnsoundError` if a live version of this sync refers to a record that no version is of."""
    listed = record.files.models
    versions = {name: versions_relation(lake, model, listed.get(name, [])) for name, model in MODELS.items()}
    for name, model in MODELS.items():
        mine = [file for file in listed.get(name, []) if file.sync_id == record.sync_id]
        columns = [column for column in model.fields if column.references is not None]
        if not mine or not columns:
            continue
        new = f"{versions_relation(lake, model, mine)} WHERE sync_id = '{record.sync_id}' AND remote_deleted_at IS NULL"
        for column in columns:
            named = f'SELECT "{column.name}" AS id FROM {new} AND "{column.name}" IS NOT NULL'
            query = f"SELECT id FROM ({named}) ANTI JOIN (SELECT id FROM {versions[str(column.references)]}) USING (id)"
            if found := con.execute(f"{query} LIMIT 1").fetchone():
                raise UnsoundError(
                    f"{name}: the {column.name} {found[0]} is in no version of {column.references}. {NOTHING_COMMITTED}"
                )


def _copy(con: duckdb.DuckDBPyConnection, query: str, lake: Path, listed: list[LakeFile], file: LakeFile) -> None:
    write_query(con, query, lake / file.path)
    listed.append(file)
