"""Events cost less while a run lasts, none is lost, and afterwards all is as Dagster has it."""

from pathlib import Path
from typing import Any

import dagster as dg

from join_pipeline.connections.event_store import quick_events

FULL, NORMAL = 2, 1


def waits(storage: Any, run_id: str) -> int:
    """SQLite's level of a connection that Dagster opens now."""
    with storage.run_connection(run_id) as con:
        return int(con.exec_driver_sql("PRAGMA synchronous").scalar())


def test_events_wait_for_no_disk_and_the_files_are_written_back_at_the_end() -> None:
    with dg.instance_for_test() as instance:
        storage: Any = instance.event_log_storage
        run = dg.DagsterRun(job_name="sync")
        instance.add_run(run)
        log = Path(storage.path_for_shard(run.run_id) + "-wal")
        instance.report_engine_event("event 0", run)
        with quick_events(instance, run.run_id):
            with quick_events(instance):
                assert waits(storage, run.run_id) == NORMAL
            for n in (1, 2):
                instance.report_engine_event(f"event {n}", run)
            assert waits(storage, run.run_id) == NORMAL
            assert log.exists()  # nobody has written it back yet
        assert waits(storage, run.run_id) == FULL
        assert not log.exists()
        assert [entry.message for entry in instance.all_logs(run.run_id)] == [f"event {n}" for n in range(3)]


def test_another_store_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance, quick_events(instance, "a run"):
        assert not hasattr(instance.event_log_storage, "path_for_shard")
