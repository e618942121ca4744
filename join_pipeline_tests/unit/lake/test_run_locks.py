"""The lock of a run: there for as long as a process of it lives, and gone with it however it ends."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from join_pipeline.lake.run_locks import FOLDER, look_at, run_ids, run_lock, runs_of

RUN = """
import sys
from pathlib import Path
from join_pipeline.lake.run_locks import run_lock
with run_lock(Path(sys.argv[1]), "one"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def started(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("end", ["in order", signal.SIGKILL, signal.SIGTERM])
def test_a_lock_ends_with_its_process(tmp_path: Path, end: str | signal.Signals) -> None:
    assert look_at(tmp_path, "one") == "none"
    with started(tmp_path) as process:
        assert look_at(tmp_path, "one") == "held"
        assert runs_of(tmp_path) == [str(process.pid)]
        if isinstance(end, signal.Signals):
            process.send_signal(end)
        else:
            process.communicate("\n", timeout=20)
        process.wait(20)
    assert look_at(tmp_path, "one") == ("free" if isinstance(end, signal.Signals) else "none")
    assert runs_of(tmp_path) == []


def test_the_folder_is_the_owners_and_several_processes_of_a_run_may_hold_its_lock(tmp_path: Path) -> None:
    home = tmp_path / "data" / "join"
    with run_lock(home, "one"):
        with run_lock(home, "one"):
            pass
        assert look_at(home, "one") == "held"
        assert {path.stat().st_mode & 0o777 for path in (home.parent, home, home / FOLDER)} == {0o700}
        assert (home / FOLDER / "one").stat().st_mode & 0o777 == 0o600
    assert run_ids(home) == []


def test_a_data_folder_that_refuses_files_stops_no_run(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with run_lock(tmp_path / "home", "one"):
        assert look_at(tmp_path / "home", "one") == "none"


def test_looking_never_takes_a_lock_away(tmp_path: Path) -> None:
    """Looks at any moment of runs that come and go: a run that is under way is never seen free."""
    chance = random.Random(7)
    for number in range(200):
        run_id = f"run-{number}"
        with run_lock(tmp_path, run_id):
            for _ in range(chance.randrange(4)):
                assert look_at(tmp_path, run_id) == "held"
                assert runs_of(tmp_path) == [str(os.getpid())]
        assert look_at(tmp_path, run_id) == "none"
