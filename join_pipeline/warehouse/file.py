"""The warehouse's file. It has one writer, and load fills a new one each time.

Belongs here: how it appears and goes. Not here: what is in it (load, dbt).
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb

from join_pipeline.errors import BuildError
from join_pipeline.lake.files import appearing, aside_of, make_folder
from join_pipeline.settings import Settings

Connect = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


def opening(settings: Settings) -> tuple[Path, dict[str, Any]]:
    """The file beside the warehouse that is to be filled, and DuckDB's configuration for it."""
    config = {"memory_limit": settings.memory_limit, "temp_directory": str(_spill(settings))}
    return aside_of(settings.warehouse), config


@contextlib.contextmanager
def new_warehouse(settings: Settings, connect: Connect | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A file beside the warehouse that takes its place once it is filled. `connect` opens it, as `opening` says.

    Always a new one: in a file that is written over DuckDB leaves the bytes of people who were deleted. A load that
    fails or is killed leaves the warehouse as it was.
    """
    aside, config = opening(settings)
    _remove(aside)
    shutil.rmtree(_spill(settings), ignore_errors=True)  # what a killed process left there is personal
    make_folder(settings.builds)  # DuckDB makes the folder of its spill, but not its parent
    with appearing(settings.warehouse):
        try:
            with connect() if connect else contextlib.closing(duckdb.connect(aside, config=config)) as con:
                yield con
                con.execute("CHECKPOINT")  # closing would do it, and say nothing if it can't
        except duckdb.Error as error:
            raise BuildError(f"{settings.warehouse} can't be written ({error}). Mend that and run it again.") from None
        _log_of(settings.warehouse).unlink(missing_ok=True)


def forget_warehouse(settings: Settings) -> None:
    """Delete the warehouse: load makes it anew."""
    _remove(settings.warehouse)


def _spill(settings: Settings) -> Path:
    return settings.builds / "spill"


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    _log_of(database).unlink(missing_ok=True)


def _log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")
