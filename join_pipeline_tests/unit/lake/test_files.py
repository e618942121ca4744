"""Files that appear whole or not at all, private ones, and the one lock."""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from join_pipeline.errors import LakeError, LockedError
from join_pipeline.lake import files
from join_pipeline.lake.files import (
    appearing,
    create_whole,
    locked,
    make_folder,
    remove_asides,
    unflushed,
    who_locks,
    write_whole,
)

FULL = Path("/dev/full")
needs_full_disk = pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full, a disk that is always full")


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """No help from the shell: what is private is made so."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_every_new_folder_above_it_are_their_owners_only(tmp_path):
    path = tmp_path / "data" / "join" / "lake" / "x.json"
    write_whole(path, b"{}")
    assert path.read_bytes() == b"{}"
    assert mode(path) == 0o600
    assert {mode(folder) for folder in (path.parent, path.parent.parent, tmp_path / "data")} == {0o700}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    make_folder(shared / "mine")
    assert (mode(shared), mode(shared / "mine")) == (0o755, 0o700)


def test_a_file_is_replaced_as_a_whole_and_who_reads_it_keeps_the_old_one(tmp_path):
    path = tmp_path / "x"
    write_whole(path, b"old")
    with path.open("rb") as reader:
        write_whole(path, b"new, and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new, and longer"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("error", [ValueError, LakeError, KeyboardInterrupt, MemoryError])
def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "x"
    write_whole(path, b"old")
    with pytest.raises(error), appearing(path) as aside:  # noqa: PT012  the block is what is tested
        aside.write_bytes(b"half of the n")
        raise error("stop")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_a_file_that_is_being_written_does_not_bear_its_name(tmp_path):
    with appearing(tmp_path / "part.parquet") as aside:
        aside.write_bytes(b"half")
        assert not (tmp_path / "part.parquet").exists()
        assert not list(tmp_path.glob("*.parquet"))


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from join_pipeline.lake.files import appearing
    with appearing(Path(sys.argv[1])) as aside:
        aside.write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_is_killed_leaves_the_old_file_and_the_next_one_succeeds(tmp_path):
    path = tmp_path / "x"
    write_whole(path, b"old")
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), path], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["x"]


@contextmanager
def on_a_full_disk(path: Path) -> Iterator[None]:
    """What is written beside `path` goes to a device that has no space."""
    aside = path.with_name(f".{path.name}.part")
    aside.symlink_to(FULL)
    with (
        mock.patch.object(files, "aside_of", return_value=aside),
        pytest.raises(LakeError, match=rf"The disk is full: .*{path.name} was not written\. Free some space"),
    ):
        yield


@needs_full_disk
def test_a_full_disk_is_told_and_leaves_the_old_file_and_nothing_half_written(tmp_path):
    path = tmp_path / "x.parquet"
    write_whole(path, b"old")
    with on_a_full_disk(path):
        write_whole(path, b"new")
    with on_a_full_disk(path), appearing(path) as aside:
        pq.write_table(pa.table({"a": ["x" * 1_000] * 100}), aside)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.parquet"]
    with on_a_full_disk(tmp_path / "new"):
        create_whole(tmp_path / "new", b"new")
    assert names(tmp_path) == ["x.parquet"]


# Several writers


def test_writers_of_one_path_do_not_share_a_temporary_file(tmp_path):
    path = tmp_path / "x"
    with appearing(path) as one, appearing(path) as other:
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert path.read_bytes() == b"one"  # it was renamed last
    assert names(tmp_path) == ["x"]


def test_a_file_is_created_once_and_who_comes_later_changes_nothing(tmp_path):
    path = tmp_path / "folder" / "x"
    assert create_whole(path, b"first")
    assert not create_whole(path, b"second")
    assert (path.read_bytes(), mode(path), names(path.parent)) == (b"first", 0o600, ["x"])


def test_a_disk_without_hard_links_creates_a_file_once_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda n: create_whole(tmp_path / "x", b"%d" % n), range(8)))
    assert created.count(True) == 1
    assert (tmp_path / "x").read_bytes() == b"%d" % created.index(True)
    assert names(tmp_path) == ["x"]


WRITERS = """
    import sys, time
    from pathlib import Path
    from join_pipeline.lake.files import create_whole, write_whole
    folder, me = Path(sys.argv[1]), sys.argv[2].encode()
    (folder / f"ready-{sys.argv[2]}").touch()
    while not (folder / "go").exists():
        time.sleep(0.001)
    for n in range(20):
        create_whole(folder / f"created-{n}", me * 1000)
        print((folder / f"created-{n}").read_text()[:1], end="")
        write_whole(folder / "written", me * 100_000)
"""


def test_processes_that_write_the_same_files_at_once_all_succeed_and_agree(tmp_path):
    who = "abcdefgh"
    command = [sys.executable, "-c", textwrap.dedent(WRITERS), tmp_path]
    writers = [subprocess.Popen([*command, name], text=True, stdout=subprocess.PIPE) for name in who]
    deadline = time.monotonic() + 100
    while len(list(tmp_path.glob("ready-*"))) < len(who):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (tmp_path / "go").touch()
    said = [writer.communicate(timeout=100)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * len(who)
    assert len(set(said)) == 1  # each read what the one creator wrote
    assert len(set((tmp_path / "written").read_text())) == 1
    assert not list(tmp_path.glob(".*"))


def test_what_dead_writers_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    path = tmp_path / "x"
    with appearing(path) as mine:
        mine.write_bytes(b"mine")
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{child.pid}-"))
        elsewhere = path.with_name(".x.00000000-1-0000aaaa.part")  # of another machine: it may live
        old = path.with_name(".x.00000000-1-0000bbbb.part")
        foreign = path.with_name(".x.y.part")
        for left in (dead, elsewhere, old, foreign):
            left.write_bytes(b"half")
        os.utime(old, (0, 0))
        write_whole(path, b"other")
        assert names(tmp_path) == sorted([elsewhere.name, foreign.name, mine.name, "x"])
    remove_asides(path)
    assert names(tmp_path) == [foreign.name, "x"]


def test_a_folder_that_cannot_be_made_is_told_with_the_setting_behind_it(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(LakeError, match=r"data/join/lake can't be made \(.+\)\. Check JOIN_PIPELINE_DATA"):
        write_whole(tmp_path / "data" / "join" / "lake" / "x", b"")
    with pytest.raises(LakeError, match=r"can't be made \(File exists\)"):
        make_folder(tmp_path / "data")


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "inside").touch()
    with pytest.raises(LakeError, match=r"x can't be written \(.*\)\. Nothing was lost"):
        write_whole(tmp_path / "x", b"")
    assert names(tmp_path) == ["x"]


# The lock

HOLDER = """
    import sys
    from pathlib import Path
    from join_pipeline.lake.files import locked
    with locked(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
"""


@contextmanager
def another_process(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock until its standard input ends."""
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


def test_a_lock_that_another_process_holds_is_refused_with_its_number(tmp_path):
    with another_process(tmp_path) as process:
        with pytest.raises(LockedError, match=rf"\(process {process.pid}\)\. Wait until it ends") as caught:
            locked(tmp_path).__enter__()
        assert caught.value.exit_code == 4


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_lock_is_gone_with_its_process_whatever_ends_it(tmp_path, end):
    with another_process(tmp_path) as process:
        process.send_signal(end)
        process.wait(20)
        with locked(tmp_path):
            assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_lock_is_given_back_after_an_error_and_after_success(tmp_path):
    with pytest.raises(ValueError, match="stop"), locked(tmp_path):
        raise ValueError("stop")
    for _ in range(2):
        with locked(tmp_path):
            pass


def test_a_second_lock_in_the_same_process_is_refused_too(tmp_path):
    with locked(tmp_path):
        with pytest.raises(LockedError), locked(tmp_path):
            pass
        with pytest.raises(LockedError), locked(tmp_path):
            pass


def test_a_refusal_leaves_the_holders_number_in_place(tmp_path):
    with locked(tmp_path):
        with pytest.raises(LockedError), locked(tmp_path):
            pass
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_program_that_the_holder_starts_does_not_keep_the_lock(tmp_path):
    command = [sys.executable, "-c", "import time; print('runs', flush=True); time.sleep(60)"]
    with locked(tmp_path):
        program = subprocess.Popen(command, close_fds=False, stdout=subprocess.PIPE)
        assert program.stdout is not None
        program.stdout.readline()
    with program:
        try:
            with locked(tmp_path):
                pass
        finally:
            program.kill()


def test_who_only_looks_writes_nothing_and_is_told_who_holds_the_lock(tmp_path):
    assert who_locks(tmp_path / "new") is None
    assert not (tmp_path / "new").exists()
    with locked(tmp_path):
        before = (tmp_path / "lock").stat().st_mtime_ns
        assert f"(process {os.getpid()})" in who_locks(tmp_path)
        assert (tmp_path / "lock").stat().st_mtime_ns == before
    assert who_locks(tmp_path) is None


def test_who_only_looks_for_a_moment_refuses_nobody(tmp_path):
    """A sensor that asks whether a connection is busy must not fail the sync that begins at that moment."""
    with locked(tmp_path):
        pass
    looking = os.open(tmp_path / "lock", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert who_locks(tmp_path) is None
    threading.Timer(0.02, os.close, [looking]).start()
    with locked(tmp_path):
        assert who_locks(tmp_path) is not None


def test_connections_have_locks_of_their_own(tmp_path):
    with locked(tmp_path / "a"), locked(tmp_path / "b"):
        assert mode(tmp_path / "a" / "lock") == 0o600
        assert mode(tmp_path / "a") == 0o700


@needs_full_disk
def test_a_disk_that_is_full_does_not_stop_the_lock(tmp_path):
    (tmp_path / "lock").symlink_to(FULL)
    with locked(tmp_path), pytest.raises(LockedError, match="process"), locked(tmp_path):
        pass


def test_a_lock_that_cannot_be_opened_is_told_with_the_setting_behind_it(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(LakeError, match=r"lock can't be opened \(Is a directory\)\. Check JOIN_PIPELINE_DATA"):
        locked(tmp_path).__enter__()


def test_only_a_block_that_says_so_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    with unflushed():
        write_whole(tmp_path / "toy", b"x")
    assert flushed == []
    write_whole(tmp_path / "real", b"x")
    assert len(flushed) == 2  # the file and its folder
