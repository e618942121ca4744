"""Makes Dagster's own storage quick while a process writes many events to it.

For each event, Dagster makes three engines of SQLAlchemy, each of which compiles its statements anew, and opens as many
connections. Closing the last one of a file writes its log back into it, and each commit waits for the disk. An engine
that stays, with a connection that stays open, spares all but the last. SQLite's level NORMAL spares that: a power cut
can take the last events of a run, which is lost then anyway, and damages no file. With PostgreSQL, Dagster connects for
each query, a thousand times and more in a run. What it does for its web server, one connection that stays open, serves
a run as well.
Belongs here: these. Not here: any other store.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any, Final

HELD_OPEN: Final = {"statement_timeout": 60_000, "pool_recycle": 3600, "max_overflow": 20}
"""Milliseconds of a query, seconds of a connection, and how many more there may be where several threads ask."""
BUSY_SECONDS: Final = 30
_lock: Final = threading.Lock()
_kept: Final[dict[int, "_Kept"]] = {}
"""By the identity of a store: what is kept for all runs of this process that write to it."""


@contextlib.contextmanager
def quick_events(instance: Any) -> Iterator[None]:
    """Until the end of the block, events of this process cost less. `instance` is Dagster's."""
    storage = instance.event_log_storage
    if not hasattr(storage, "path_for_shard"):  # no SQLite
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
        with _engines_kept(storage):
            yield
    finally:
        event.remove(Engine, "connect", wait_less)


@contextlib.contextmanager
def _engines_kept(storage: Any) -> Iterator[None]:
    """Let a store keep its engines. The last block that ends gives it back its own way to connect."""
    with _lock:
        kept = _kept.setdefault(id(storage), _Kept(storage))
        kept.n_blocks += 1
        storage._connect, storage.has_table = kept.connect, kept.has_table
    try:
        yield
    finally:
        with _lock:
            kept.n_blocks -= 1
            if not kept.n_blocks:
                del _kept[id(storage)], storage._connect, storage.has_table
                kept.close()


class _Kept:
    """The engines of one store by the name of their file. It connects as Dagster's store does, under the same lock."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.n_blocks = 0
        self._engines: dict[str, Any] = {}
        self._tables: set[str] = set()

    @contextlib.contextmanager
    def connect(self, shard: str) -> Iterator[Any]:
        """A connection in a transaction."""
        with self.storage._db_lock:
            engine = self._engines.get(shard) or self._engine(shard)
            with engine.connect() as con, con.begin():
                yield con

    def has_table(self, name: str) -> bool:
        """Whether the file of all runs has a table. One that is there stays."""
        if name not in self._tables and type(self.storage).has_table(self.storage, name):
            self._tables.add(name)
        return name in self._tables

    def _engine(self, shard: str) -> Any:
        from sqlalchemy import create_engine  # noqa: PLC0415  as above

        address = self.storage.conn_string_for_shard(shard)
        engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        if shard not in self.storage._initialized_dbs:
            self.storage._initdb(engine)
            self.storage._initialized_dbs.add(shard)
        self._engines[shard] = engine
        return engine

    def close(self) -> None:
        """Close what is open, which writes each file's log back into it."""
        for engine in self._engines.values():
            engine.dispose()
