"""Buckets: one in this process's memory, and one of SeaweedFS, a server that speaks S3."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from obstore.store import MemoryStore

from join_pipeline.bucket import store, writing
from join_pipeline_tests.bucket.places import Place

PATIENCE: Final = 60.0
ROLES: Final = ("s3", "master", "filer", "volume", "admin")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty bucket that lives in this process."""
    url = f"s3://memory/{secrets.token_hex(4)}"
    kept: Any = MemoryStore()
    monkeypatch.setitem(store._OPENED, url, kept)
    return Place(url, store.Bucket(kept))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> float:
    """A lease that ends soon."""
    monkeypatch.setattr(writing, "ttl_seconds", 1.0)
    return writing.ttl_seconds


@pytest.fixture(scope="session")
def server() -> Iterator[dict[str, str]]:
    """SeaweedFS with the bucket `lake`; the environment that reaches it."""
    program = shutil.which("weed") or str(Path(sys.executable).with_name("weed"))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ports = _free_ports()
        command = [
            program, "mini", f"-dir={folder}", "-bucket=lake", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false",
            "-master.telemetry=false", *(f"-{role}.port={port}" for role, port in ports.items()),
        ]  # fmt: skip
        log = stack.enter_context((Path(folder) / "log").open("wb"))
        child = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_without_credentials(),
            start_new_session=True,
        )
        stack.callback(_end, child)
        address = f"http://127.0.0.1:{ports['s3']}"
        environment = {
            "AWS_ENDPOINT": address, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any-secret",
        }  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not _answers(environment):
            assert child.poll() is None, (Path(folder) / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, (Path(folder) / "log").read_text()[-2000:]
            time.sleep(0.2)
        yield environment


@pytest.fixture
def served(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Place:
    """A new prefix on the server, which this process reaches."""
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    url = f"s3://lake/{secrets.token_hex(4)}/of/ours"
    return Place(url, store.open_bucket(url), server)


def _answers(environment: dict[str, str]) -> bool:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        try:
            store.open_bucket("s3://lake").put("ready", b"1")
        except Exception:
            return False
        return True


def _end(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # asked kindly, it takes ten seconds
    child.wait(20)


def _without_credentials() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_"))}


def _free_ports() -> dict[str, int]:
    """A free port for each part of the server. A part listens at 10,000 above its port, too."""
    with contextlib.ExitStack() as held:
        found = []
        while len(found) < len(ROLES):
            one = held.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            if port + 10_000 < 65_536 or port - 20_000 > 1024:
                found.append(port if port + 10_000 < 65_536 else port - 20_000)
        return dict(zip(ROLES, found, strict=True))
