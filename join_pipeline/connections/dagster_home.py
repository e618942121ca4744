"""Dagster's folder of this installation, and its two processes: the web server and the daemon.

Belongs here: writing the folder's configuration, launching one job and waiting for it, serving until interrupted, and
which connection is shown where none is named. Not here: what Dagster runs (defs).
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from join_pipeline.connections.listed import DEMO
from join_pipeline.errors import SettingsError
from join_pipeline.lake.files import unwritable, write_whole
from join_pipeline.settings import Settings, env_name, listed_connections, load_settings, process_environment

WORKSPACE: Final = """load_from:
  - python_module:
      module_name: join_pipeline.definitions
      location_name: join_pipeline
"""
AT_ONCE: Final = """
run_coordinator:
  module: dagster.core.run_coordinator
  class: DefaultRunCoordinator
"""
"""For a launch without a daemon: nobody else would take the run out of the queue."""
ANSWERS_WITHIN: Final = 120.0
ENDS_WITHIN: Final = 3600.0


def dagster_home(data: Path, further: str = "") -> Path:
    """`DAGSTER_HOME` below this data folder, with a configuration that sends no telemetry, and `further` lines."""
    home = data.absolute() / "dagster"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(home, error) from None
    package = Path(__file__).parents[1]
    bundled = package / "_dagster.yaml"
    source = bundled if bundled.exists() else package.parent / "dagster.yaml"
    write_whole(home / "dagster.yaml", source.read_bytes() + further.encode())
    write_whole(home / "workspace.yaml", WORKSPACE.encode())
    return home


def launch(settings: Settings, job: str, log: Path) -> int:
    """Launch a job as the web server would, so that Dagster's overview shows its run, and wait for its end.

    The command that launches returns once the run has begun. Returns 0 if it succeeded, and something else if it failed
    or did not end within an hour. `log` is the file for what Dagster prints.
    """
    home = dagster_home(settings.data, AT_ONCE)
    program = f"""
import sys, time, dagster as dg
with dg.DagsterInstance.get() as instance:
    run, end = next(iter(instance.get_runs(limit=1)), None), time.monotonic() + {ENDS_WITHIN}
    while run and not run.is_finished and time.monotonic() < end:
        time.sleep(0.3)
        run = instance.get_run_by_id(run.run_id)
    sys.exit(0 if run and run.job_name == {job!r} and run.is_success else 1)
"""
    try:
        with log.open("wb") as output:
            how: dict[str, Any] = {"env": _environment(settings, home), "stdout": output, "stderr": output}
            command = [sys.executable, "-m", "dagster", "job", "launch", "--workspace", str(home / "workspace.yaml")]
            code = subprocess.run([*command, "--job", job], check=False, **how).returncode  # noqa: S603
            return code or subprocess.run([sys.executable, "-c", program], check=False, **how).returncode  # noqa: S603
    except OSError as error:
        raise unwritable(log, error) from None
    finally:
        dagster_home(settings.data)


def shown_settings() -> Settings:
    """The settings of the connection to show: the one that is named, else the one that was connected, else the demo's.

    Its own name is `JOIN_PIPELINE_CONNECTION`. A connection counts as connected if it has credentials or a lake.
    """
    settings = load_settings()
    if "connection" in settings.model_fields_set or settings.token_file.exists() or settings.lake.exists():
        return settings
    demo = load_settings(connection=DEMO)
    return demo if demo.lake.exists() else settings


def shows_all() -> bool:
    """Whether Dagster shows the connections of the file: there are some, and none is named."""
    return "connection" not in load_settings().model_fields_set and bool(listed_connections())


def serve(settings: Settings, port: int) -> int:
    """Run Dagster's web server on this port of this machine, and its daemon, until one ends or a signal comes.

    The daemon starts when the server answers: both at once would make Dagster's tables twice. Raises `SettingsError`
    for a port that is taken. Returns the exit code of what ended by itself, 0 after a signal.
    """
    if _answers(port):
        raise SettingsError(f"Port {port} is taken. Choose another one with --port, or end what uses it.")
    home = dagster_home(settings.data)
    workspace, environment = ["--workspace", str(home / "workspace.yaml")], _environment(settings, home)
    if shows_all():  # the code location reads the file itself, and shows each connection as a partition
        del environment[env_name("connection")]
    web = [_program("dagster-webserver"), *workspace, "--host", "127.0.0.1", "--port", str(port)]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    started = [subprocess.Popen(web, env=environment)]  # noqa: S603  a program of this environment
    try:
        end = time.monotonic() + ANSWERS_WITHIN
        while started[0].poll() is None and not _answers(port) and time.monotonic() < end:
            time.sleep(0.2)
        daemon = [_program("dagster-daemon"), "run", *workspace]
        started.append(subprocess.Popen(daemon, env=environment))  # noqa: S603
        while all(process.poll() is None for process in started):
            time.sleep(0.5)
        return next(process.returncode for process in started if process.returncode is not None)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def _environment(settings: Settings, home: Path) -> dict[str, str]:
    return process_environment(settings) | {"DAGSTER_HOME": str(home)}


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == os.EX_OK
