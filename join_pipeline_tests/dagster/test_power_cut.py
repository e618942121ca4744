"""Dagster's daemon and the process of its run are killed at once, as by a power cut: what is told, and what goes on."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import httpx
import pytest

from join_pipeline.lake.run_locks import look_at, runs_of
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.dagster.serving import dagster_home, end, started, until

pytestmark = pytest.mark.slow  # six processes are started, and each of them imports Dagster
STATUS = dg.DagsterRunStatus


@pytest.fixture
def company() -> Iterator[str]:
    with running(SandboxConfig(port=0, applications=60, rate_limit=None, slow_seconds=1.0)) as url:
        yield url


@pytest.fixture
def connection(company: str, tmp_path: Path) -> Settings:
    return settings_for(company, tmp_path, pages_in_flight=1)


@contextlib.contextmanager
def daemon(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = started(settings, "dagster-daemon", "run")
    try:
        yield process
    finally:
        end(process)


def launching(settings: Settings, job: str) -> subprocess.Popen[bytes]:
    """Put a run into the queue."""
    return started(settings, "dagster", "job", "launch", "--job", job)


def faults(url: str, **rates: float) -> None:
    httpx.post(f"{url}/control/faults", json=rates, trust_env=False).raise_for_status()


def cut(process: subprocess.Popen[bytes], settings: Settings) -> None:
    """Kill the daemon, its code server and the run's process at once, and nobody has a word to say."""
    (worker,) = runs_of(settings.home)
    assert os.getpgid(int(worker)) == process.pid
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def test_a_run_that_a_power_cut_ended_is_told_and_the_next_one_runs(company: str, connection: Settings) -> None:
    faults(company, slow=1.0)
    assert launching(connection, "sync").wait(120) == 0
    with dg.DagsterInstance.from_config(str(dagster_home(connection))) as instance:
        (lost,) = instance.get_runs()
        with daemon(connection) as first:
            until(lambda: look_at(connection.home, lost.run_id) == "held" or None, "the run's lock")
            until(lambda: "begin" if (connection.home / "lock").exists() else None, "the sync")
            cut(first, connection)
        assert instance.get_run_by_id(lost.run_id).status is STATUS.STARTED  # type: ignore[union-attr]
        faults(company)
        next_one = launching(connection, "sync_full")
        began = time.monotonic()
        with daemon(connection):

            def ended(run_id: str) -> dg.DagsterRunStatus | None:
                run = instance.get_run_by_id(run_id)
                return run.status if run is not None and run.is_finished else None

            assert until(lambda: ended(lost.run_id), "the end of the lost run") is STATUS.FAILURE
            assert time.monotonic() - began < 150, "a minute, and what the daemon takes to start"
            assert next_one.wait(120) == 0
            (waiting,) = (run for run in instance.get_runs() if run.run_id != lost.run_id)
            assert until(lambda: ended(waiting.run_id), "the end of the next run") is STATUS.SUCCESS
            line = f"sync failed (run {lost.run_id}): The process of this run is gone"
            log = dagster_home(connection) / "served.log"
            until(lambda: line if line in log.read_text() else None, "the line of the failed run")
    assert look_at(connection.home, lost.run_id) == "none"
    assert connection.published.exists()
