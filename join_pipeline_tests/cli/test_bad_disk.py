"""Full disks and damaged lakes: nothing is lost, and the next run repairs it."""

import errno
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from join_pipeline.actions.journal import Journal
from join_pipeline.connections.dagster_home import dagster_home, launch
from join_pipeline.errors import LakeError
from join_pipeline.lake.files import locked
from join_pipeline.lake.record import FORMAT
from join_pipeline.pipeline import load
from join_pipeline_tests.cli.commands import Shell, contents, is_good, is_told
from join_pipeline_tests.cli.companies import Grown, company


@pytest.mark.parametrize("nth", [1, 12, 40])
def test_a_sync_on_a_full_disk_leaves_the_lake_as_it_was(
    known: Shell, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    lake = known.settings.lake
    before = contents(lake)
    larger = Shell(company(160), known.data)
    flush, n_flushed = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal n_flushed
        n_flushed += 1
        if n_flushed >= nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        ended = larger("sync", "--mode", "full")
    is_told(ended, 1)
    assert "disk is full" in ended.err or "No space left" in ended.err
    after = contents(lake)
    assert {path: after[path] for path in before} == before
    assert not [path for path in after.keys() - before.keys() if path.startswith("syncs/")]

    is_good(larger("sync", "--mode", "full"))
    assert not list(lake.rglob(".*"))
    assert {table.model: table.live for table in load(larger.settings).tables}["applications"] > 120


@contextmanager
def no_file_beyond(n_bytes: int) -> Iterator[None]:
    """Like a disk with a quota: the system refuses to write a file beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("n_bytes", [3_000, 40_000, 700_000])
def test_what_can_not_be_written_is_told_and_done_at_the_next_run(shell: Shell, n_bytes: int) -> None:
    with no_file_beyond(n_bytes):
        ended = shell("sync")
        if ended.code == 0:
            ended = shell("build")
    is_told(ended, 1)
    assert "un it again" in ended.err
    is_good(shell("sync"))
    assert {table.model: table.live for table in load(shell.settings).tables}["applications"] > 80


def test_a_lake_of_a_newer_format_is_left_alone(known: Shell) -> None:
    identity = known.settings.lake / "connection.json"
    of_now = identity.read_text()
    identity.write_text(of_now.replace(f'"format":{FORMAT}', f'"format":{FORMAT + 1}'))
    newer = contents(known.settings.lake)
    for command in ("sync", "build", "rebuild", "status"):
        is_told(known(command), 1, f"has format {FORMAT + 1}", "Upgrade join-pipeline")
    assert "Upgrade join-pipeline" in known("doctor").out
    assert contents(known.settings.lake) == newer
    identity.write_text(of_now)
    is_good(known("sync"))


def test_a_second_command_on_one_lake_is_told_who_is_at_work(known: Shell) -> None:
    before = contents(known.settings.lake)
    with locked(known.settings.home):
        for command in ("sync", "build", "rebuild"):
            is_told(known(command), 4, f"process {os.getpid()}", "Wait until it ends")
        assert "Another command works on" in known("doctor").out
    assert contents(known.settings.lake) == before
    is_good(known("sync"))


def test_a_lake_of_another_integration_is_not_mixed_up(known: Shell) -> None:
    before = contents(known.settings.lake)
    is_told(known.but(JOIN_PIPELINE_INTEGRATION_ID="join:x")("sync"), 2, "JOIN_PIPELINE_INTEGRATION_ID", "Unset it")
    assert contents(known.settings.lake) == before


def test_a_data_folder_that_is_a_file_is_told(shell: Shell) -> None:
    shell.data.write_text("mine")
    is_told(shell("sync"), 1, str(shell.data), "Check JOIN_PIPELINE_DATA")
    assert "can't be written to" in shell("doctor").out
    assert shell.data.read_text() == "mine"


def test_a_build_without_a_sync_says_what_comes_first(shell: Shell) -> None:
    for command in ("build", "rebuild", "status"):
        is_told(shell(command), 1, "Run `join-pipeline sync` first")
    assert not shell.settings.lake.exists()


def test_a_lake_that_lost_a_file_says_which_and_leaves_the_warehouse(known: Shell) -> None:
    load(known.settings)
    jobs, aside = known.settings.lake / "models" / "jobs", known.data / "jobs"
    shutil.move(jobs, aside)
    loaded = known.settings.warehouse.read_bytes()
    is_told(known("build"), 1, "models/jobs/", "Restore the lake from its backup")
    assert known.settings.warehouse.read_bytes() == loaded
    shutil.move(aside, jobs)
    load(known.settings)


def test_a_broken_warehouse_is_made_anew(built: Grown) -> None:
    whole = built.shell.settings.warehouse
    whole.write_bytes(b"no database")
    is_good(built.shell("build"))
    assert whole.stat().st_size > 100_000


def test_folders_with_blanks_quotes_and_brackets_work(shell: Shell) -> None:
    odd = Shell(shell.url, shell.data / "it's [a] *data* folder, “ü”")
    is_good(odd("sync"))
    is_good(odd("sync", "--mode", "full"))
    assert {table.model: table.live for table in load(odd.settings).tables}["applications"] > 80
    assert str(odd.data) in odd("doctor").out


def test_only_the_owner_can_look_into_the_data_folder(known: Shell) -> None:
    load(known.settings)
    modes = {oct(path.stat().st_mode & 0o777) for path in (known.data, *known.data.rglob("*")) if path.is_dir()}
    assert modes == {"0o700"}
    assert {oct(path.stat().st_mode & 0o777) for path in known.data.rglob("*") if path.is_file()} == {"0o600"}


def test_a_home_of_dagsters_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    shell = Shell("http://127.0.0.1:1", tmp_path / "data")
    home = shell.settings.data / "dagster"
    home.parent.mkdir(parents=True)
    home.write_text("a file is in the way")
    with pytest.raises(LakeError, match=r"dagster can't be written \(File exists\)"):
        dagster_home(shell.settings.data)
    home.unlink()
    (dagster_home(shell.settings.data) / "demo.log").mkdir()
    with pytest.raises(LakeError, match=r"demo.log can't be written \(Is a directory\)"):
        launch(shell.settings, "sync", home / "demo.log")


def test_a_journal_that_is_no_database_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, b"")
    journal.path.write_text("canary@person.example " * 500)
    with pytest.raises(LakeError, match=r"journal\.sqlite can't be used") as caught:
        journal.entries()
    assert "the file is not SQLite's, or it is damaged" in str(caught.value)
