"""Events cost less while a run lasts, none is lost, and afterwards all is as Dagster has it."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import StepMaterializationData
from sqlalchemy import Engine, event

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
        with quick_events(instance):
            with quick_events(instance):
                assert waits(storage, run.run_id) == NORMAL
            for n in (1, 2):
                instance.report_engine_event(f"event {n}", run)
            assert waits(storage, run.run_id) == NORMAL
            assert log.exists()  # nobody has written it back yet
        assert waits(storage, run.run_id) == FULL
        assert not log.exists()
        assert [entry.message for entry in instance.all_logs(run.run_id)] == [f"event {n}" for n in range(3)]


def test_each_file_has_one_connection_and_of_two_runs_the_first_to_end_takes_it_from_nobody() -> None:
    opened: list[str] = []

    def hear(connection: sqlite3.Connection, _record: Any) -> None:
        opened.append(Path(connection.execute("PRAGMA database_list").fetchone()[2]).stem)

    with dg.instance_for_test() as instance:
        storage: Any = instance.event_log_storage
        runs = [dg.DagsterRun(job_name="sync") for _ in range(2)]
        for run in runs:
            instance.add_run(run)
            instance.report_engine_event("0", run)  # Dagster makes the run's file
        first, second = contextlib.ExitStack(), contextlib.ExitStack()
        first.enter_context(quick_events(instance))
        second.enter_context(quick_events(instance))
        event.listen(Engine, "connect", hear)
        try:
            for n in range(1, 4):
                for run in runs:
                    instance.report_engine_event(f"{n}", run)
                    instance.report_dagster_event(materialized(run), run.run_id)
                if n == 1:
                    first.close()
            second.close()
        finally:
            event.remove(Engine, "connect", hear)
        assert {name: opened.count(name) for name in {run.run_id for run in runs}} == {run.run_id: 1 for run in runs}
        assert opened.count("index") <= 2  # the other one asks once whether there is a table
        assert not {"_connect", "has_table"} & vars(storage).keys()
        for run in runs:
            assert [log.message for log in instance.all_logs(run.run_id) if log.message.isdigit()] == [*"0123"]
        assert len(instance.fetch_materializations(dg.AssetKey("a"), limit=10).records) == 6


def test_a_process_beside_it_sees_each_event_at_once() -> None:
    with dg.instance_for_test() as instance, quick_events(instance):
        run = dg.DagsterRun(job_name="sync")
        instance.add_run(run)
        storage: Any = instance.event_log_storage
        for n in range(1, 4):
            instance.report_engine_event(f"event {n}", run)
            with contextlib.closing(sqlite3.connect(storage.path_for_shard(run.run_id))) as other:
                assert other.execute("SELECT count(*) FROM event_logs").fetchall() == [(n,)]


def materialized(run: dg.DagsterRun) -> Any:
    """An event that Dagster writes to the run's file and to that of all runs."""
    data = StepMaterializationData(dg.AssetMaterialization("a"))
    return dg.DagsterEvent("ASSET_MATERIALIZATION", run.job_name, event_specific_data=data)


def test_another_store_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance, quick_events(instance):
        assert not hasattr(instance.event_log_storage, "path_for_shard")
