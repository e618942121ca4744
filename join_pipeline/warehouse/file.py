"""The warehouse's file. It has one writer, and every load fills another file, which takes its place.

Belongs here: creating, replacing and deleting it. Not here: its content (load, dbt).
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb

from join_pipeline.errors import BuildError, foreign
from join_pipeline.lake.files import appearing, make_folder, remove_asides
from join_pipeline.settings import Settings

Connect = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


def opening(settings: Settings) -> tuple[Path, dict[str, Any]]:
    """The path of the new file beside the warehouse, and DuckDB's configuration for it."""
    config = {"memory_limit": settings.memory_limit, "temp_directory": str(_spill(settings))}
    return _aside(settings), config


@contextlib.contextmanager
def new_warehouse(
    settings: Settings, connect: Connect | None = None, *, is_copy: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a new file, which replaces the warehouse at the end of the block.

    `connect` opens the file that `opening` returns. The file is empty, or with `is_copy` a copy of the warehouse. A
    load that fails or is killed leaves the warehouse as it was.
    """
    aside, config = opening(settings)
    remove_asides(settings.warehouse)
    shutil.rmtree(_spill(settings), ignore_errors=True)  # a killed process can leave personal data there
    make_folder(settings.builds)  # DuckDB creates its spill folder, but not the parent
    with appearing(settings.warehouse, aside=aside):
        try:
            if is_copy:
                shutil.copyfile(settings.warehouse, aside)
            with connect() if connect else contextlib.closing(duckdb.connect(aside, config=config)) as con:
                yield con
                con.execute("CHECKPOINT")  # closing does it too, but reports no failure
        except duckdb.Error as error:
            raise BuildError(
                f"{settings.warehouse} can't be written ({foreign(error)}). Correct that, then run it again."
            ) from None
        _log_of(settings.warehouse).unlink(missing_ok=True)


def forget_warehouse(settings: Settings) -> None:
    """Delete the warehouse. The next load creates it again."""
    _remove(settings.warehouse)


def _aside(settings: Settings) -> Path:
    """Where a load writes. The path is always the same, because Dagster's resource names it before the load begins.

    It has one writer, as every load holds the connection's lock.
    """
    return settings.warehouse.with_name(f".{settings.warehouse.name}.part")


def _spill(settings: Settings) -> Path:
    return settings.builds / "spill"


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    _log_of(database).unlink(missing_ok=True)


def _log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")
