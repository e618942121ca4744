"""`kill -9` at many instants of whole runs: the files stay whole, and the next run gives the usual result."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from join_pipeline.lake.files import locked
from join_pipeline.lake.lake import open_lake
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline_tests.cli.commands import PATIENCE, Shell, is_good, started, tables
from join_pipeline_tests.simulation.observed import Observed

START = datetime(2026, 2, 1, tzinfo=UTC)
LATER = START + timedelta(days=20)
SYNC_KILLS, BUILD_KILLS = 8, 3
pytestmark = pytest.mark.slow  # test_interruptions kills each command once
MOST_TRIES = 12


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    config = SandboxConfig(port=0, seed=3, applications=300, now=START, rate_limit=None, page_size=10)
    with running(config) as url:
        yield url


def move_clock(url: str, now: datetime) -> None:
    httpx.post(f"{url}/control/clock", json={"now": now.isoformat()}, trust_env=False).raise_for_status()


@pytest.fixture(scope="module")
def begun(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that was synced and built, of a company in which a lot happens afterwards."""
    data = tmp_path_factory.mktemp("begun")
    move_clock(url, START)
    is_good(Shell(url, data)("sync"))
    is_good(Shell(url, data)("build"))
    move_clock(url, LATER)
    return data


def copied(data: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(data, folder, symlinks=True)


def seconds_of(shell: Shell, *arguments: str) -> float:
    """How long a command works that is left alone."""
    with started(shell, *arguments) as child:
        began = time.monotonic()
        child.communicate(timeout=PATIENCE)
        assert child.returncode == 0
        return time.monotonic() - began


def kill_after(shell: Shell, seconds: float, *arguments: str) -> bool:
    """Start a command and kill it so long after it began to work; whether it was still at it."""
    with started(shell, *arguments) as child:
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate(timeout=PATIENCE)
        return child.returncode == -signal.SIGKILL


def killed_at_work(url: str, data: Path, folder: Path, seconds: float, *arguments: str) -> Shell:
    """A pipeline whose command was killed so long after it began to work, or sooner if it was done by then."""
    for _ in range(MOST_TRIES):
        shell = Shell(url, copied(data, folder))
        if kill_after(shell, seconds, *arguments):
            return shell
        seconds *= 0.8  # the machine has become faster since the undisturbed run was timed
    raise AssertionError("the command was always done before it was killed")


def is_whole(shell: Shell) -> int:
    """Assert that what a reader finds is whole; the number of committed syncs. The lock is gone with its process."""
    with locked(shell.settings.home):
        lake = open_lake(shell.settings.lake)
    observed, newest = Observed(lake.path), lake.newest()
    assert newest is not None
    assert newest.files.all() - observed.files() == set()
    assert all(model.live == len(observed.current(name)) for name, model in newest.models.items())
    return len(observed.records)


def test_a_sync_that_is_killed_at_any_instant_is_made_good_by_the_next(url: str, begun: Path, tmp_path: Path) -> None:
    undisturbed = Shell(url, copied(begun, tmp_path / "undisturbed"))
    whole = seconds_of(undisturbed, "sync", "--mode", "full")
    expected, n_committed = tables(undisturbed), set()
    for n in range(1, SYNC_KILLS + 1):
        seconds = whole * n / (SYNC_KILLS + 1)
        shell = killed_at_work(url, begun, tmp_path / "killed", seconds, "sync", "--mode", "full")
        n_committed.add(is_whole(shell))
        is_good(shell("sync", "--mode", "full"))
        assert tables(shell) == expected
        assert not list((shell.settings.builds / "spool").rglob("*.parquet"))
        assert is_whole(shell) <= 3
    assert 1 in n_committed, "some of them before the commit"


def marts(shell: Shell) -> dict[str, int]:
    """Rows of each published table, as a reader sees them."""
    with duckdb.connect(shell.settings.published, read_only=True) as con:
        names = con.execute(
            "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() "
            "WHERE NOT internal ORDER BY ALL"
        ).fetchall()
        return {name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for (name,) in names}


def test_a_build_that_is_killed_at_any_instant_leaves_readers_a_whole_file(
    url: str, begun: Path, tmp_path: Path
) -> None:
    synced = copied(begun, tmp_path / "synced")
    is_good(Shell(url, synced)("sync"))
    undisturbed = Shell(url, copied(synced, tmp_path / "undisturbed"))
    before = marts(undisturbed)
    whole = seconds_of(undisturbed, "build")
    after = marts(undisturbed)
    assert before != after
    data = synced
    for n in range(1, BUILD_KILLS + 1):
        # one on top of the other: what a dead build left must not stand in the way of the next
        shell = killed_at_work(url, data, tmp_path / f"killed{n}", whole * n / (BUILD_KILLS + 1), "build")
        with locked(shell.settings.home):
            assert marts(shell) in (before, after)
        data = shell.data
    is_good(shell("build"))
    assert marts(shell) == after
    # files: the published file's log is a link to nowhere, on purpose
    left = {p.name for p in shell.settings.home.rglob("*") if p.is_file() and p.name.endswith((".part", ".wal"))}
    assert left == set()
