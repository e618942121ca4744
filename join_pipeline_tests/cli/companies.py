"""Companies that several tests look at, each made once per process.

Belongs here: sandboxes and a data folder that was built. Not here: running commands (commands).
"""

import atexit
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.sandbox.state import State
from join_pipeline_tests.cli.commands import Ended, Shell, is_good

APPLICATIONS = 100
OPEN = contextlib.ExitStack()
atexit.register(OPEN.close)


@cache
def company(applications: int = APPLICATIONS, jobs: int | None = None) -> str:
    """The base URL of an unthrottled company whose clock stands still."""
    return OPEN.enter_context(running(SandboxConfig(port=0, applications=applications, jobs=jobs, rate_limit=None)))


@contextlib.contextmanager
def without_applications() -> Iterator[None]:
    """All companies of this process list no applications, and find none. Their jobs are there."""
    listing = State.listing
    with (
        mock.patch.object(State, "listing", lambda *given, **named: listing(*given, **named)[:0]),
        mock.patch.object(State, "has_application", return_value=False),
    ):
        yield


@cache
def synced() -> Path:
    """A data folder after the first sync of the company, to be copied."""
    data = Path(OPEN.enter_context(tempfile.TemporaryDirectory())) / "data"
    is_good(Shell(company(), data)("sync"))
    return data


@dataclass(frozen=True)
class Grown:
    """A data folder whose company had nothing, then jobs, then applications; what `build` said after each."""

    shell: Shell
    synced: tuple[Ended, ...]
    built: tuple[Ended, ...]


@cache
def grown() -> Grown:
    """Three syncs and three builds in one data folder."""
    data = Path(OPEN.enter_context(tempfile.TemporaryDirectory())) / "data"
    synced, built = [], []
    for url in (company(0), company(0, jobs=5), company()):
        shell = Shell(url, data)
        # the jobs of the two companies differ
        synced.append(shell("sync", "--mode", "full", "--accept-account", "--json"))
        built.append(shell("build", "--json"))
    return Grown(shell, tuple(synced), tuple(built))
