"""The command line as a user meets it: in this process where only the words matter, in one of its own where signals do.

Belongs here: running commands in a clean environment, looking at what they said and left. Not here: companies.
"""

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

from join_pipeline import cli
from join_pipeline.models import MODELS
from join_pipeline.pipeline import load
from join_pipeline.settings import Settings, load_settings

TOKEN = "sandbox-token"
KEY = "a key for tests only"
SECRET = "a-secret-that-nobody-may-see"
# what tells when a record was read, and by which sync
WHEN = ("changed_at", "observed_at", "sync_id")
PATIENCE = 600.0
COMPUTER = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "PYTHONPATH")


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, and what it printed where."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output; an error if there is anything else."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """A shell with its settings. Nothing of the environment of the tests gets in but what the computer needs."""

    url: str
    data: Path
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """All variables of a command."""
        kept = {name: os.environ[name] for name in COMPUTER if name in os.environ}
        return {
            **kept,
            "XDG_CONFIG_HOME": str(self.data.parent / "config"),  # not this user's own secrets
            "JOIN_API_TOKEN": TOKEN,
            "JOIN_API_URL": f"{self.url}/v2",
            "JOIN_PIPELINE_DATA": str(self.data),
            "JOIN_PIPELINE_INTEGRATION_ID": "join:test",
            "JOIN_PIPELINE_PSEUDONYM_KEY": KEY,
            "JOIN_PIPELINE_MAX_WAIT_SECONDS": "1",
            **self.changes,
        }

    def but(self, **changes: str) -> "Shell":
        """The same shell with other variables."""
        return Shell(self.url, self.data, {**self.changes, **changes})

    @property
    def settings(self) -> Settings:
        """What a command sees as its settings."""
        with self._within():
            return load_settings()

    def __call__(self, *arguments: str) -> Ended:
        """Run one command in this process."""
        out, err = io.StringIO(), io.StringIO()
        umask = os.umask(0o022)
        try:
            with (
                self._within(),
                mock.patch.object(sys, "argv", ["join-pipeline", *arguments]),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                cli.main()
        except SystemExit as ended:
            return Ended(ended.code if isinstance(ended.code, int) else 0, out.getvalue(), err.getvalue())
        finally:
            os.umask(umask)
        raise AssertionError("a command always exits")

    @contextlib.contextmanager
    def _within(self) -> Iterator[None]:
        with mock.patch.dict(os.environ, self.environment, clear=True):
            yield


@contextlib.contextmanager
def typed(text: str) -> Iterator[None]:
    """Standard input from a pipe."""
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()))):
        yield


def process(*arguments: str) -> list[str]:
    """The same as a command for a process of its own."""
    return [sys.executable, "-m", "join_pipeline.cli", *arguments]


@contextlib.contextmanager
def started(shell: Shell, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, once it has taken the lock."""
    with subprocess.Popen(
        process(*arguments), env=shell.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        lock, deadline = shell.settings.home / "lock", time.monotonic() + PATIENCE
        while not lock.exists() or lock.read_text() != str(child.pid):
            assert child.poll() is None, child.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        yield child


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path, with a hash of what is in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def is_told(ended: Ended, code: int, *words: str) -> None:
    """Assert one error in words, and nothing on standard output: no trace of Python, no token."""
    said = ended.err.strip()
    assert (ended.code, ended.out) == (code, ""), ended
    assert said.startswith("Error: ")
    assert len(said.splitlines()) == 1
    assert [word for word in words if word not in said] == [], said
    assert SECRET not in said
    assert TOKEN not in said


def is_told_as_json(ended: Ended, code: int, kind: str, *words: str, **details: object) -> None:
    """Assert one error as the document of `--json`, and the same in words on standard error."""
    error = ended.document.pop("error")
    assert (error.pop("type"), error.pop("exit_code"), error.pop("details", {})) == (kind, code, details)
    assert list(error) == ["message"]
    assert [word for word in words if word not in error["message"]] == []
    is_told(Ended(ended.code, "", ended.err), code, *words)


def is_good(ended: Ended) -> None:
    """Assert an end without a word of warning."""
    assert (ended.code, ended.err.strip()) == (0, "")


def tables(shell: Shell) -> dict[str, list[tuple[object, ...]]]:
    """The tables of `ats`, without what tells when."""
    load(shell.settings)
    with contextlib.closing(duckdb.connect(shell.settings.warehouse, read_only=True)) as con:
        return {
            model: con.execute(f"SELECT * EXCLUDE ({', '.join(WHEN)}) FROM ats.{model} ORDER BY id").fetchall()
            for model in MODELS
        }
