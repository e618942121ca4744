"""The pipeline's steps one by one, for whoever orchestrates them: each takes the lock, does one thing, tells what came.

Belongs here: a step's lock and its checks, and that publish never follows a failed build. Not here: what a step does
(sync, warehouse), which comes next (pipeline, defs).
"""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from join_pipeline.checks import Finding, check_references, check_sync
from join_pipeline.errors import LockedError
from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.lake.record import SyncRecord
from join_pipeline.pipeline import Connect, forget_people, forget_warehouse, new_warehouse, pseudonym_key, refuse_failed
from join_pipeline.report.write import Report, write_report
from join_pipeline.settings import Settings
from join_pipeline.sync.extract import Progress, no_progress
from join_pipeline.sync.plan import AskedMode
from join_pipeline.sync.run import run_sync
from join_pipeline.warehouse.load import load_versions
from join_pipeline.warehouse.marts import Node, build_marts, last_build, read_manifest
from join_pipeline.warehouse.publish import Published, publish


@dataclass(frozen=True, slots=True)
class Synced:
    """The committed sync, and what its checks found."""

    record: SyncRecord
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows by table: `ats.jobs`, `ats_history.jobs`, …; and what the checks found."""

    rows: dict[str, int]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Built:
    """What came of each dbt node, and the rows of each model and seed, by unique id."""

    nodes: list[Node]
    rows: dict[str, int]


def sync(settings: Settings, mode: AskedMode, accept_loss: Collection[str], progress: Progress = no_progress) -> Synced:
    """One whole sync."""
    record = run_sync(settings, mode, accept_loss=accept_loss, progress=progress)
    lake = open_lake(settings.lake, settings.integration_id)
    previous = next((known for known in lake.records() if known.sync_id == record.previous), None)
    return Synced(record, check_sync(lake, record, previous))


def load(settings: Settings, connect: Connect, *, from_nothing: bool = False) -> Loaded:
    """The newest sync into a new warehouse, through a connection of the caller's own making."""
    with locked(settings.home):
        lake = open_lake(settings.lake, settings.integration_id)
        forget_people(settings)
        if from_nothing:
            forget_warehouse(settings)
        with new_warehouse(settings, connect) as con:
            load_versions(lake, con, pseudonym_key(settings), settings.warehouse)
            tables = con.execute(
                """SELECT schema_name || '.' || table_name FROM duckdb_tables()
                WHERE schema_name IN ('ats', 'ats_history') ORDER BY ALL"""
            ).fetchall()
            return Loaded(_count(con, {table: table for (table,) in tables}), check_references(con))


def build(settings: Settings) -> Built:
    """All of dbt, on what was loaded."""
    with locked(settings.home):
        nodes = build_marts(settings)
        made = {node.unique_id for node in nodes if node.status == "success"}
        relations = {
            unique_id: f"{node['schema']}.{node['alias']}"
            for unique_id, node in read_manifest(settings)["nodes"].items()
            if unique_id in made
        }
        with contextlib.closing(duckdb.connect(settings.warehouse, read_only=True)) as con:
            return Built(nodes, _count(con, relations))


def publish_built(settings: Settings) -> Published:
    """Publish the last build: only if it ended, and no test of it failed."""
    with locked(settings.home):
        refuse_failed(last_build(settings))
        return publish(settings)


def report(settings: Settings) -> Report:
    """The report of what is published."""
    with locked(settings.home):
        return write_report(settings)


def busy(settings: Settings) -> str | None:
    """Who holds the lock, in words; None while it is free."""
    try:
        with locked(settings.home):
            return None
    except LockedError as error:
        return str(error)


def _count(con: duckdb.DuckDBPyConnection, relations: dict[str, str]) -> dict[str, int]:
    return {
        name: con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0] for name, relation in relations.items()
    }
