"""Dagster's folder, which connection its pages show, and that a demo and a company never share one."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from join_pipeline.connections.connect import connect
from join_pipeline.connections.dagster_home import WORKSPACE, dagster_home, serve, shown_settings
from join_pipeline.connections.listed import DEMO
from join_pipeline.errors import SettingsError
from join_pipeline.lake.lake import open_lake
from join_pipeline.sandbox.demo import run_demo
from join_pipeline.settings import load_settings, process_environment
from join_pipeline.sources.registry import open_source

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOIN_PIPELINE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("JOIN_PIPELINE_CONNECTION", raising=False)


def make_lake(connection: str, seed: str = "join:sandbox") -> None:
    settings = load_settings(connection=connection)
    settings.home.mkdir()
    open_lake(settings.lake, seed, source="join", create=True)


def test_the_folder_loads_what_the_checkout_loads(tmp_path: Path) -> None:
    home = dagster_home(tmp_path)
    assert WORKSPACE == (ROOT / "workspace.yaml").read_text() == (home / "workspace.yaml").read_text()
    assert (home / "dagster.yaml").read_text() == (ROOT / "dagster.yaml").read_text()


def test_a_named_connection_is_shown_else_the_connected_one_else_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_settings().connection == "join", "there is nothing yet: what comes first will be the company's"
    make_lake(DEMO)
    assert shown_settings().connection == DEMO
    token = load_settings().token_file
    token.parent.mkdir(parents=True)
    token.write_text("a token that connect has kept")
    assert shown_settings().connection == "join"
    token.unlink()
    make_lake("join")
    assert shown_settings().connection == "join"
    monkeypatch.setenv("JOIN_PIPELINE_CONNECTION", "acme")
    assert shown_settings().connection == "acme"


def test_no_company_is_connected_under_the_demos_name() -> None:
    settings = load_settings(connection=DEMO, join_api_token="a token that is long enough")
    with pytest.raises(SettingsError, match="is the demo's"):
        connect(open_source(settings), settings)


def test_the_demo_deletes_no_lake_but_its_own(tmp_path: Path) -> None:
    make_lake(DEMO, "join:a company")
    with pytest.raises(SettingsError, match="nothing was deleted"):
        run_demo(tmp_path, 0, open_source, on_day=lambda _: None, on_dagster=lambda: None)
    assert open_lake(load_settings(connection=DEMO).lake).integration_id == "join:a company"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="is taken"):
        serve(load_settings(), taken.getsockname()[1])


@pytest.mark.slow
def test_dev_serves_and_ends_with_everything_it_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "join_pipeline.cli", "dev", "--port", str(port)]
    environment = process_environment(load_settings())
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, **how) as process:
        assert process.stdout is not None
        assert "Dagster of join" in process.stdout.readline()
        children: list[int] = []
        while len(children) < 2 and process.poll() is None:  # the daemon follows when the web server answers
            time.sleep(0.5)
            listed = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(process.pid)], check=False, capture_output=True, text=True
            )
            children = [int(pid) for pid in listed.stdout.split()]
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    assert process.returncode == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists() or _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
