"""Makes Dagster's own storage quick while a process writes many events to it.

Dagster opens a connection for each event. Closing the last one of a file writes its log back into it, and each commit
waits for the disk: two thirds of an event's time. A connection that stays open spares the former. SQLite's level NORMAL
spares the latter: a power cut can take the last events of a run, which is lost then anyway, and damages no file. With
PostgreSQL, Dagster connects for each query, a thousand times and more in a run. What it does for its web server, one
connection that stays open, serves a run as well.
Belongs here: these three. Not here: any other store.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

HELD_OPEN: Final = {"statement_timeout": 60_000, "pool_recycle": 3600, "max_overflow": 20}
"""Milliseconds of a query, seconds of a connection, and how many more there may be where several threads ask."""
INDEX: Final = "index"
"""Dagster's name for the file of all runs; each run has a file of its own beside it."""


@contextlib.contextmanager
def quick_events(instance: Any, run_id: str | None = None) -> Iterator[None]:
    """Until the end of the block, events of this process cost less. `instance` is Dagster's."""
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is None:  # no SQLite
        instance.optimize_for_webserver(**HELD_OPEN)
        yield
        return
    from sqlalchemy import Engine, event  # noqa: PLC0415  Dagster has imported it, and nothing else of ours needs it

    def wait_less(
        connection: Any, _record: Any
    ) -> None:  # one for each call: of two runs at once, each removes its own
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = NORMAL")

    event.listen(Engine, "connect", wait_less)
    try:
        with contextlib.ExitStack() as held:
            for shard in (INDEX, run_id):
                if shard is not None and Path(path_of(shard)).exists():  # Dagster makes it with the first event
                    held.enter_context(_held_open(path_of(shard)))
            yield
    finally:
        event.remove(Engine, "connect", wait_less)


@contextlib.contextmanager
def _held_open(path: str) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as con:
        with contextlib.suppress(sqlite3.Error):  # Dagster tells of a file that can't be used
            con.execute("SELECT count(*) FROM sqlite_master").fetchall()
        yield
