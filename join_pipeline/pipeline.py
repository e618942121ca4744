"""What lies right of the lake, in order: load, marts, publish, report; each under the connection's lock.

Belongs here: the order, the lock, and starting over. Not here: each step itself (warehouse).
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from join_pipeline.errors import BuildError
from join_pipeline.lake.files import appearing, aside_of, locked, make_folder
from join_pipeline.lake.lake import open_lake
from join_pipeline.report.write import Report, write_report
from join_pipeline.settings import Settings, pseudonym_key_file
from join_pipeline.sync.replay import replay
from join_pipeline.warehouse.load import LoadedTable, load_versions
from join_pipeline.warehouse.maps import copy_maps
from join_pipeline.warehouse.marts import Node, build_marts
from join_pipeline.warehouse.pseudonyms import key_from_file
from join_pipeline.warehouse.publish import Published, publish, withdraw_people

Connect = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made."""

    tables: list[LoadedTable]
    nodes: list[Node]
    published: Published
    report: Report


def build(settings: Settings) -> Built:
    """Everything right of the lake. Published only if no dbt test of severity error failed."""
    with locked(settings.home):
        return _build(settings)


def rebuild(settings: Settings, *, from_raw: bool = False) -> Built:
    """The same from nothing: the warehouse is deleted first. Readers keep the published file meanwhile.

    `from_raw` first makes the versions of every sync whose raw is kept again, as after a change of the mapping.
    """
    with locked(settings.home):
        lake = open_lake(settings.lake, settings.integration_id)  # before anything is deleted
        if from_raw:
            replay(settings, lake)
        forget_warehouse(settings)
        shutil.rmtree(settings.builds, ignore_errors=True)
        return _build(settings)


def _build(settings: Settings) -> Built:
    forget_people(settings)
    copy_maps(settings)  # at the door: a map that is none is told before anything is changed
    tables = load(settings)
    nodes = build_marts(settings)
    refuse_failed(nodes)
    published = publish(settings)
    return Built(tables, nodes, published, write_report(settings))


def load(settings: Settings) -> list[LoadedTable]:
    """The load step alone. The caller holds the lock."""
    lake = open_lake(settings.lake, settings.integration_id)
    with new_warehouse(settings, lambda: _connected(settings)) as con:
        return load_versions(lake, con, pseudonym_key(settings), settings.warehouse)


def forget_people(settings: Settings) -> None:
    """Remove names and contacts from readers' reach if that was switched off, whatever becomes of the build."""
    if not settings.publish_people:
        withdraw_people(settings)


def forget_warehouse(settings: Settings) -> None:
    """Delete the warehouse: load makes it anew. The caller holds the lock."""
    _remove(settings.warehouse)


def _remove(database: Path) -> None:
    """A DuckDB file and its log."""
    database.unlink(missing_ok=True)
    database.with_name(f"{database.name}.wal").unlink(missing_ok=True)


def refuse_failed(nodes: list[Node]) -> None:
    """Raise `BuildError` that names every failed test: what failed its tests is not published."""
    failed = [node for node in nodes if node.is_failed]
    if failed:
        listed = "; ".join(f"{node.unique_id} ({node.failures or 0} rows): {node.message}" for node in failed)
        raise BuildError(
            f"{len(failed)} dbt tests failed, so nothing was published; readers keep the old file. {listed}"
        )


@contextlib.contextmanager
def new_warehouse(settings: Settings, connect: Connect) -> Iterator[duckdb.DuckDBPyConnection]:
    """A file that `connect` opens beside the warehouse (`aside_of`) and that takes its place once it is filled.

    Always a new one: in a file that is written over DuckDB leaves the bytes of people who were deleted. A load that
    fails or is killed leaves the warehouse as it was.
    """
    aside = aside_of(settings.warehouse)
    _remove(aside)
    shutil.rmtree(settings.builds / "spill", ignore_errors=True)  # what a killed process left there is personal
    make_folder(settings.builds)  # DuckDB makes the folder of its spill, but not its parent
    with appearing(settings.warehouse):
        try:
            with connect() as con, contextlib.closing(con):
                yield con
                con.execute("CHECKPOINT")  # closing would do it, and say nothing if it can't
        except duckdb.Error as error:
            raise BuildError(f"{settings.warehouse} can't be written ({error}). Mend that and run it again.") from None
        settings.warehouse.with_name(f"{settings.warehouse.name}.wal").unlink(missing_ok=True)


def _connected(settings: Settings) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    config: dict[str, Any] = {"memory_limit": settings.memory_limit, "temp_directory": str(settings.builds / "spill")}
    return contextlib.closing(duckdb.connect(aside_of(settings.warehouse), config=config))


def pseudonym_key(settings: Settings) -> bytes:
    """The key of pseudonyms, from the environment or its file."""
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    return key_from_file(pseudonym_key_file())
