"""Who holds the lock: never a process that has ended."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from join_pipeline.errors import LockedError
from join_pipeline.lake.files import locked

CHILD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.pwrite(descriptor, str(os.getpid()).encode(), 0)
if os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def refusal(home: Path) -> str:
    with pytest.raises(LockedError) as caught, locked(home):
        pass
    return str(caught.value)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists who holds a lock")
def test_a_lock_that_a_child_holds_on_names_the_child(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent_number = (tmp_path / "lock").read_text()
        os.waitpid(parent.pid, 0)
        assert int(parent_number) != child
        assert f"(process {child})" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["", "999999999", "none", "-1", "²", "1" * 19])
def test_a_number_of_an_ended_process_is_not_named_as_the_holder(tmp_path: Path, text: str) -> None:
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.pwrite(descriptor, text.encode(), 0)
        assert f"process {os.getpid()}" in refusal(tmp_path)
    finally:
        os.close(descriptor)
