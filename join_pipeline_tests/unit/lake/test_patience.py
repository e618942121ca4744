"""The steps of a run wait for a command's lock: for how long, for whom, and what they say."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from join_pipeline.errors import LockedError
from join_pipeline.lake.files import locked
from join_pipeline.lake.patience import waiting

HOLDER = """
import sys
from contextlib import nullcontext
from pathlib import Path
from join_pipeline.lake.files import locked
from join_pipeline.lake.run_locks import run_lock
home = Path(sys.argv[1])
with run_lock(home, "a-run") if "run" in sys.argv else nullcontext(), locked(home):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock until it is written to."""
    command = [sys.executable, "-c", HOLDER, str(home), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_step_waits_until_the_command_ends_and_says_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    with held(tmp_path, "join-pipeline", "build", "--key", "somebody@example.com") as other:

        def let_go(_seconds: float) -> None:
            assert other.stdin is not None
            other.stdin.write("\n")
            other.stdin.flush()
            other.wait(20)

        with waiting(said.append, sleep=let_go), locked(tmp_path):
            assert (tmp_path / "lock").read_text() != str(other.pid)
    begun, ended = said
    assert f"(process {other.pid}, join-pipeline build)" in begun
    assert "10 minutes at most" in begun
    assert "somebody" not in begun
    assert "The lock is free" in ended


def test_waiting_ends_and_says_what_to_do(tmp_path: Path) -> None:
    said: list[str] = []
    now = [0.0]
    with held(tmp_path, "join-pipeline", "--version") as other:

        def sleep(seconds: float) -> None:
            now[0] += seconds

        with (
            pytest.raises(LockedError) as caught,
            waiting(said.append, 300, sleep, lambda: now[0]),
            locked(tmp_path),
        ):
            pass
    assert len(said) == 1, "it tells once of each command"
    assert now[0] == pytest.approx(300, abs=1)
    assert "waited 5 minutes" in str(caught.value)
    assert f"(process {other.pid}, join-pipeline). Wait until it ends, or end it." in str(caught.value)
    assert "re-execute the run from this step" in str(caught.value)


def test_a_command_waits_for_nobody(tmp_path: Path) -> None:
    with held(tmp_path):
        began = time.monotonic()
        with pytest.raises(LockedError, match="Another command works on"), locked(tmp_path):
            pass
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("who", ["a run", "itself"])
def test_nobody_waits_for_another_run_nor_for_itself(tmp_path: Path, who: str) -> None:
    def never(_seconds: float) -> None:
        raise AssertionError("it waits")

    with (
        held(tmp_path, "run") if who == "a run" else locked(tmp_path),
        waiting(print, sleep=never),
        pytest.raises(LockedError, match="Another command works on"),
        locked(tmp_path),
    ):
        pass
