"""Dagster as `make dev` starts it: web server and daemon, over workspace.yaml and dagster.yaml.

Belongs here: starting, waiting, ending. Not here: what is asked of it (test_graphql, browser/test_dagster).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from join_pipeline.settings import Settings, process_environment

T = TypeVar("T")
REPOSITORY: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 300.0
LOCATIONS: Final = """{ workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename ... on PythonError { message } }
} } } }"""


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The URL of a Dagster whose code location has loaded. All its processes end with the block."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        for name, *arguments in (
            ("dagster-webserver", "--host", "127.0.0.1", "--port", str(port)),
            ("dagster-daemon", "run"),
        ):
            stack.callback(end, started(settings, name, *arguments))
            until(lambda: _has_loaded(url), "the code location")
        yield url


def dagster_home(settings: Settings) -> Path:
    """A DAGSTER_HOME as the Makefile makes it."""
    home = settings.data / "dagster"
    home.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    return home


def started(settings: Settings, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A program of Dagster's in a process group of its own. Its output goes to `served.log`."""
    home = dagster_home(settings)
    with (home / "served.log").open("ab") as log:
        return subprocess.Popen(
            [Path(sys.executable).with_name(name), *arguments, "--workspace", str(REPOSITORY / "workspace.yaml")],
            env={**process_environment(settings), "DAGSTER_HOME": str(home)},
            cwd=settings.data,  # no pyproject.toml above: definitions load without one
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def until(look: Callable[[], T | None], what: str) -> T:
    """What `look` gives, once it gives anything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come in {PATIENCE_SECONDS:.0f} s")


def _has_loaded(url: str) -> bool | None:
    with contextlib.suppress(httpx.TransportError), httpx.Client(trust_env=False, timeout=60) as client:
        answer: dict[str, Any] = client.post(f"{url}/graphql", json={"query": LOCATIONS}).json()
        entries = answer["data"]["workspaceOrError"]["locationEntries"]
        return bool(entries and all(entry["loadStatus"] == "LOADED" for entry in entries)) or None
    return None


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
