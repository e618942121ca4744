"""A command that a signal ends: the next run gives the same result as if nothing had happened."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline_tests.cli.commands import PATIENCE, Shell, contents, is_good, process, started, tables
from join_pipeline_tests.cli.companies import APPLICATIONS, company


def until_pages_came(shell: Shell, child: subprocess.Popen[str]) -> None:
    """Wait until the child has put the first pages of applications aside."""
    deadline = time.monotonic() + PATIENCE
    while not list((shell.settings.builds / "spool").glob("applications/*.parquet")):
        assert child.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_sync_that_was_ended_is_made_good_by_the_next(tmp_path: Path, number: signal.Signals, code: int) -> None:
    config = SandboxConfig(
        port=0, applications=APPLICATIONS, rate_limit=None, faults={"slow": 1.0}, slow_seconds=0.15, page_size=10
    )
    with running(config) as url:
        undisturbed, shell = Shell(url, tmp_path / "undisturbed"), Shell(url, tmp_path / "ended")
        with subprocess.Popen(
            process("sync"), env=shell.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            until_pages_came(shell, child)
            child.send_signal(number)
            asked = time.monotonic()
            out, err = child.communicate(timeout=PATIENCE)
        assert (child.returncode, out) == (code, "")
        assert time.monotonic() - asked < 5
        assert "Traceback" not in err
        assert ("Run it again" in err) == (number == signal.SIGINT)
        assert not list(shell.settings.lake.glob("syncs/*"))

        httpx.post(f"{url}/control/faults", json={}, trust_env=False).raise_for_status()
        is_good(shell("sync"))
        is_good(undisturbed("sync"))
    assert tables(shell) == tables(undisturbed)
    assert not list((shell.settings.builds / "spool").rglob("*.parquet"))
    kept = [sorted(_without_sync(path) for path in contents(one.settings.lake)) for one in (shell, undisturbed)]
    assert kept[0] == kept[1]


@pytest.mark.slow
def test_a_build_that_was_interrupted_publishes_nothing_and_can_be_run_again(tmp_path: Path) -> None:
    shell = Shell(company(), tmp_path / "data")
    is_good(shell("sync"))
    with started(shell, "build") as child:
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode in (130, -signal.SIGINT), err
    assert (out, "Run it again" in err, "Traceback" in err) == ("", True, False)
    assert not shell.settings.published.exists()
    is_good(shell("build"))
    assert shell.settings.published.exists()


def _without_sync(path: str) -> str:
    """A lake's path without the id of the sync in it."""
    return "/".join(part for part in path.split("/") if not part.startswith("20"))


EARLY = """
import sys

class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
from join_pipeline.cli import main
"""


def test_a_command_that_is_interrupted_before_it_has_begun_says_so_too() -> None:
    ended = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "Interrupted. Nothing is half-written. Run it again.\n"
