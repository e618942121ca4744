"""Dagster's folder of this installation, and its two processes: the web server and the daemon.

Belongs here: writing the folder's configuration, launching one job and waiting for it, serving until interrupted, and
which connection is shown where none is named. Not here: what Dagster runs (defs).
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
code_servers:
  local_startup_timeout: 900
"""
"""For a launch without a daemon: nobody else would take the run out of the queue. And the definitions load beside other
work, with a dbt project that was never parsed, so on a busy machine they need longer than Dagster's three minutes.
"""
LAUNCH: Final = """
import sys, time, dagster as dg
from dagster._cli import job as cli
from dagster_shared.cli import WorkspaceOpts
from join_pipeline.connections.event_store import quick_events
with dg.DagsterInstance.get() as instance, cli.get_workspace_from_cli_opts(
    instance, version=dg.__version__, workspace_opts=WorkspaceOpts(workspace=(sys.argv[1],))
) as workspace:
    location = cli.get_code_location_from_workspace(workspace, None)
    repository = cli.get_remote_repository_from_code_location(location, None)
    name = sys.stdin.readline().strip()
    if not name:
        sys.exit(0)
    job = cli.get_remote_job_from_remote_repo(repository, name)
    with quick_events(instance):
        run = cli._create_run(
            instance=instance, code_location=location, remote_repo=repository, remote_job=job,
            run_config={}, tags={}, op_selection=None, run_id=None,
        )
    instance.submit_run(run.run_id, workspace)
    end = time.monotonic() + float(sys.argv[2])
    while not run.is_finished and time.monotonic() < end:
        time.sleep(0.2)
        run = instance.get_run_by_id(run.run_id)
    sys.exit(0 if run.is_success else 1)
"""
"""What `dagster job launch` does, in two parts: it loads the definitions, and launches the job that it is told."""
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


@contextlib.contextmanager
def launching(settings: Settings, log: Path) -> Iterator[Callable[[str], int]]:
    """Start the process that launches one job, and yield a function that launches it and waits for its end.

    Until then the process imports Dagster and loads the definitions, while the caller does other things. The job is
    launched as the web server would, so that Dagster's overview shows its run. The function returns 0 if the run
    succeeded, and something else if it failed or did not end within an hour. `log` gets what Dagster prints.
    """
    home = dagster_home(settings.data, AT_ONCE)
    command = [sys.executable, "-c", LAUNCH, str(home / "workspace.yaml"), str(ENDS_WITHIN)]
    try:
        with contextlib.ExitStack() as stack:
            try:
                output = stack.enter_context(log.open("wb"))
            except OSError as error:
                raise unwritable(log, error) from None
            how: dict[str, Any] = {"env": _environment(settings, home), "stdout": output, "stderr": output}
            process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, text=True, **how))  # noqa: S603
            stack.callback(process.terminate)

            def launch(job: str) -> int:
                with contextlib.suppress(BrokenPipeError):  # it has failed, and its code says so
                    process.communicate(job)
                return process.wait()

            yield launch
    finally:
        dagster_home(settings.data)


def launch(settings: Settings, job: str, log: Path) -> int:
    """Launch a job at once, and wait for its end: see `launching`."""
    with launching(settings, log) as go:
        return go(job)


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
