"""Load: write all versions in force from the lake to `ats_history`, and the newest version of each record to `ats`.

Only columns of tier 1 are written. Names, contacts and payloads stay in the lake: the views of `ats_personal` read them
from its personal files whenever somebody asks for them.
Belongs here: tables, keys, pseudonyms, `as_of`, the log of syncs. Not here: interpretation (dbt), whether a warehouse
can be added to (growth).
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from join_pipeline.errors import BuildError, LakeError, foreign
from join_pipeline.lake.evolution import personal_relation, versions_relation
from join_pipeline.lake.lake import Lake
from join_pipeline.lake.record import LakeFile, SyncRecord
from join_pipeline.lake.sql import columns_sql, insert_rows, path_literal, quoted
from join_pipeline.models import MODELS, Column, Model
from join_pipeline.models.ids import Ids
from join_pipeline.models.states import ApplicationState
from join_pipeline.warehouse import pseudonyms
from join_pipeline.warehouse.growth import CannotGrow, count_rows, drop_others, note_loaded
from join_pipeline.warehouse.tables import AS_OF, PSEUDONYMS, STATES, SYNC_COUNTS, SYNCS, UNREAD, BesideTable

SCHEMAS: Final = ("ats", "ats_history", "ats_personal", "loading")
"""The schemas that load writes. All others are dbt's."""
LATER: Final = "WHERE sync_id > getvariable('since')"


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """The counts of one table of `ats` after a load: rows, live rows, and rows in `ats_history`."""

    model: str
    rows: int
    live: int
    versions: int


def load_versions(
    lake: Lake,
    con: duckdb.DuckDBPyConnection,
    key: bytes,
    before: Path,
    states: Iterable[ApplicationState],
    since: str | None = None,
) -> list[LoadedTable]:
    """Fill a database with the versions in force by the newest sync record.

    `key` makes the pseudonyms. `before` is the warehouse that the database replaces: its pseudonyms are reused.
    `states` are the words of the lake's source. `since` is None for an empty database. Else the database is a copy of a
    warehouse that has all versions up to this sync (`growth.last_loaded`), and gets those of later syncs only. Raises
    `LakeError` if there is no sync yet, `BuildError` if DuckDB fails, `CannotGrow` if the copy does not hold what it
    should: then the caller fills an empty database.
    """
    records = lake.records()
    if not records:
        raise LakeError(f"{lake.path} holds no committed sync. Run `join-pipeline sync` first.")
    newest = lake.newest() or records[-1]
    try:
        con.execute("SET TimeZone = 'UTC'")
        if since is None:
            for schema in SCHEMAS:
                con.execute(f"CREATE SCHEMA {schema}")
        else:
            con.execute("SET VARIABLE since = ?", [since])
            drop_others(con, SCHEMAS)
        loaded = [_load_model(con, lake, model, newest, since) for model in MODELS.values()]
        if since is None:
            _keep_pseudonyms(con, before)
        _pseudonyms(con, key, since)
        _log(con, records, lake.ids)
        _states(con, states)
        note_loaded(con, lake, newest, key)
    except duckdb.Error as error:
        raise BuildError(
            f"Loading failed and left the warehouse as it was ({foreign(error)}). Correct that, then run it again."
        ) from None
    return loaded


def _load_model(
    con: duckdb.DuckDBPyConnection, lake: Lake, model: Model, newest: SyncRecord, since: str | None
) -> LoadedTable:
    name = model.name
    if since is None:
        _typed(con, "ats_history", model, key="id, sync_id", columns=model.plain)
        _typed(con, "ats", model, key="id", columns=model.loaded_columns)
    listed = newest.files.models.get(name, [])
    if added := [file for file in listed if since is None or file.sync_id > since]:
        later = "" if since is None else LATER
        relation = versions_relation(lake.path, model, added)
        con.execute(f"INSERT INTO ats_history.{name} SELECT {quoted(model.plain)} FROM {relation} {later}")
        if since is not None:
            con.execute(f"DELETE FROM ats.{name} WHERE id IN (SELECT id FROM ats_history.{name} {later})")
        con.execute(
            f"""INSERT INTO ats.{name} SELECT {quoted(model.loaded_columns)} FROM ats_history.{name} {later}
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1"""
        )
    _view_personal(con, lake, model, newest.files.personal.get(name, []))
    rows, live = con.execute(
        f"SELECT count(*), count(*) FILTER (remote_deleted_at IS NULL) FROM ats.{name}"
    ).fetchall()[0]
    versions = con.execute(f"SELECT count(*) FROM ats_history.{name}").fetchall()[0][0]
    if since is not None and versions != count_rows(lake, listed):
        raise CannotGrow(name)
    return LoadedTable(name, rows, live, versions)


def _view_personal(con: duckdb.DuckDBPyConnection, lake: Lake, model: Model, listed: Iterable[LakeFile]) -> None:
    """Create the view of the newest versions' personal columns. It holds the names of files, and no data of people."""
    if not model.personal:
        return
    con.execute(
        f"""CREATE OR REPLACE VIEW ats_personal.{model.name} AS
        SELECT p.id, {quoted(model.personal, "p.")} FROM {personal_relation(lake.path, model, listed)} AS p
        SEMI JOIN ats.{model.name} AS n ON n.id = p.id AND n.sync_id = p.sync_id"""
    )


def _typed(con: duckdb.DuckDBPyConnection, schema: str, model: Model, key: str, columns: Iterable[Column]) -> None:
    """Create the empty table with the model's types and its primary key."""
    con.execute(f"CREATE TABLE {schema}.{model.name} ({columns_sql(columns)}, PRIMARY KEY ({key}))")


def _keep_pseudonyms(con: duckdb.DuckDBPyConnection, before: Path) -> None:
    """Copy the pseudonyms of known ids from the old warehouse, because computing them takes longer than the load."""
    con.execute("CREATE TABLE ats.pseudonyms (model VARCHAR, id VARCHAR, pseudonym VARCHAR, PRIMARY KEY (model, id))")
    with contextlib.suppress(duckdb.Error):  # it is missing, broken or locked: then all are computed again
        con.execute(f"ATTACH {path_literal(str(before))} AS before (READ_ONLY)")
        for model in pseudonyms.MODELS:
            con.execute(
                f"""INSERT INTO ats.pseudonyms FROM before.ats.pseudonyms
                WHERE model = '{model}' AND id IN (SELECT id FROM ats.{model})"""
            )
        con.execute("DETACH before")


def _pseudonyms(con: duckdb.DuckDBPyConnection, key: bytes, since: str | None) -> None:
    """Compute pseudonyms for ids that have none. If the key has changed, compute all of them again."""
    sample = con.execute("FROM ats.pseudonyms LIMIT 1").fetchall()
    if any(pseudonyms.pseudonym(key, model, record_id) != known for model, record_id, known in sample):
        con.execute("DELETE FROM ats.pseudonyms")
    later = "" if since is None else LATER
    for model in pseudonyms.MODELS:
        # a record that others name has one, too, even if no list has it
        named = "".join(
            f" UNION SELECT {column.name} FROM ats_history.{other.name} {later}"
            for other in MODELS.values()
            for column in other.columns
            if column.references == model
        )
        new = con.execute(
            f"""SELECT id FROM (SELECT id FROM ats.{model} {later}{named})
            WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM ats.pseudonyms WHERE model = ?) ORDER BY id""",
            [model],
        ).fetchall()
        if not new:
            continue
        ids = [row[0] for row in new]
        made = [pseudonyms.pseudonym(key, model, record_id) for record_id in ids]
        rows = ({"model": model, "id": one, "pseudonym": other} for one, other in zip(ids, made, strict=True))
        insert_rows(con, "ats.pseudonyms", PSEUDONYMS.columns, rows)


def _log(con: duckdb.DuckDBPyConnection, records: list[SyncRecord], ids: Ids) -> None:
    syncs = [
        {
            "sync_id": record.sync_id,
            "mode": record.mode,
            "verdict": record.verdict,
            "started_at": record.started_at,
            "proves_at": record.started_at - timedelta(seconds=record.max_age_seconds),
            "finished_at": record.finished_at,
            "as_of": record.as_of,
            "is_applications_whole": record.feeds["applications"].is_whole,
            "previous_sync_id": record.previous,
            "n_requests": record.n_requests,
            "n_unannounced": record.n_unannounced,
            "mapping_version": record.mapping_version,
        }
        for record in records
    ]
    counts = [
        {"sync_id": record.sync_id, "scope": scope, "name": name, "n": n}
        for record in records
        for scope, name, n in _counts(record)
    ]
    unread = [
        {"sync_id": record.sync_id, "id": key if listed.key == "id" else ids.of("applications", key)}
        for record in records
        for listed in (record.feeds["applications"],)
        for key in listed.unread
    ]
    for table, rows in ((SYNCS, syncs), (SYNC_COUNTS, counts), (UNREAD, unread)):
        _beside(con, table, rows)
    _beside(con, AS_OF, [{"as_of": records[-1].as_of, "sync_id": records[-1].sync_id}])


def _states(con: duckdb.DuckDBPyConnection, states: Iterable[ApplicationState]) -> None:
    rows = [{"state": one.word, "milestone": one.milestone, "is_initial": one.is_initial} for one in states]
    _beside(con, STATES, rows)


def _beside(con: duckdb.DuckDBPyConnection, table: BesideTable, rows: list[dict[str, Any]]) -> None:
    """Create and fill a table beside those of the models."""
    con.execute(f"CREATE OR REPLACE TABLE {table.schema}.{table.name} ({columns_sql(table.columns)})")
    insert_rows(con, f"{table.schema}.{table.name}", table.columns, rows)


def _counts(record: SyncRecord) -> list[tuple[str, str, int]]:
    """The counts of a sync as (scope, name, n): of each feed, of each model, and of unknown words by field."""
    # whether the list of applications may still lack some that one reading did not show
    rows = [("applications", "not_proved", int(record.last_full is None))]
    for feed, figures in record.feeds.items():
        names = ("pages", "records", "bytes", "looks", "pending_looks", "quarantined")
        rows += [(feed, name, int(getattr(figures, name))) for name in names]
        if figures.pending_undecided is not None:
            rows.append((feed, "pending_undecided", figures.pending_undecided))
    for model, written in record.models.items():
        rows += [(model, name, getattr(written, name)) for name in ("new", "changed", "returned", "deleted", "live")]
    rows += [(field.split(".")[0], f"unknown:{field}", n) for field, n in record.unknown.items()]
    rows += [(part.split(".")[0], f"odd:{part}", n) for part, n in record.odd.items()]
    return rows
