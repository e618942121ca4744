"""Starts a sandbox in a process of its own, sets its clock, and finds when a share of its company has changed."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import numpy as np

from benchmarks.measure import tree_bytes
from join_pipeline.sandbox.company import make_company
from join_pipeline.sandbox.instants import from_datetime, to_datetime

TOKEN = "sandbox-token"
START = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that is ready."""

    url: str
    pid: int
    seconds_to_ready: float

    @property
    def megabytes(self) -> float:
        return round(tree_bytes(self.pid) / 1e6)

    def set_clock(self, now: datetime) -> None:
        self.request("POST", "/control/clock", json.dumps({"now": now.isoformat()}))

    def request(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc)
        with contextlib.closing(connection):
            return ask(connection, method, path, body)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None) -> bytes:
    """Return the body of one response. Any status other than 200 ends the benchmark."""
    connection.request(method, path, body, {"Authorization": TOKEN})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return content


@contextlib.contextmanager
def sandbox(applications: int, *options: str) -> Iterator[Sandbox]:
    """Run a sandbox without a rate limit."""
    command = [sys.executable, "-m", "join_pipeline.cli", "sandbox", "--port", "0", "--rate-limit", "none"]
    command += ["--applications", str(applications), "--now", START.isoformat(), *options]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield Sandbox(line.split()[3], process.pid, round(time.monotonic() - began, 1))
    finally:
        process.terminate()
        process.wait(30)


def when_changed(applications: int, share: float, seed: int = 7) -> tuple[datetime, int]:
    """The instant after START by which this share of the live applications has changed, and how many these are."""
    company = make_company(seed, applications)
    log, start = company.log, from_datetime(START)
    wanted = max(1, round(share * int((company.arrivals.created <= start).sum())))
    first = int(np.searchsorted(log.at, start))
    _, firsts = np.unique(log.application[first:], return_index=True)
    last = first + int(np.sort(firsts)[wanted - 1])
    return to_datetime(int(log.at[last])) + timedelta(seconds=1), wanted
