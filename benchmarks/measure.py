"""Runs one command and measures it: seconds, CPU seconds, memory of its whole process tree, and its output."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """The cost of one command. `megabytes` is the peak of all its processes together."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    out: str


def cost_of(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run a command to its end. SystemExit if the command fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY_SECONDS):
            peak[0] = max(peak[0], tree_bytes(process.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {out}")
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Cost(
        round(time.monotonic() - began, 1),
        round(usage.ru_utime + usage.ru_stime, 2),
        round(max(peak[0], largest) / 1e6),
        out,
    )


def tree_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants, in bytes; 0 without /proc."""
    try:
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return resident + sum(tree_bytes(int(child)) for child in children)


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used so far; 0 without /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def size_of(folder: Path) -> tuple[int, float]:
    """The number of files below a folder, and their size in megabytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), round(sum(path.stat().st_size for path in files) / 1e6, 1)
