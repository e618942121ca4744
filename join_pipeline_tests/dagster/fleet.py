"""A fleet on this machine: PostgreSQL, Redis, a code server, the web server, the daemon and two Celery workers.

Each worker stands for a machine of its own: it has its own data folder and its own queue.
Belongs here: starting and ending them. Not here: what is asked of them (test_fleet).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from join_pipeline.environment import dropped
from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.server import make_app
from join_pipeline.sandbox.world import World

T = TypeVar("T")
DEPLOYED: Final = Path(__file__).parents[2] / "deploy" / "celery"
OWNER: Final = "postgres"
PASSWORD: Final = "a password for tests only"
PATIENCE_SECONDS: Final = 1200.0


def program(name: str) -> str | None:
    """The path of one of PostgreSQL's or Redis' programs. Debian keeps the former out of PATH."""
    folders = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), os.environ["PATH"]]
    return shutil.which(name, path=os.pathsep.join(folders))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` gives, once it gives anything."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come in {seconds:.0f} s")


def answers(port: int) -> bool | None:
    """Whether somebody listens on this port; None if nobody does."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0 or None


def unit(name: str, instance: str = "") -> list[str]:
    """The command of a systemd unit of ours, with the programs of this environment."""
    text = (DEPLOYED / f"{name}.service").read_text()
    command = next(line.removeprefix("ExecStart=") for line in text.splitlines() if line.startswith("ExecStart="))
    program, *arguments = command.replace("%i", instance).replace("%%", "%").split()
    return [_beside(Path(program).name), *arguments]


@contextlib.contextmanager
def companies(seeds: Mapping[str, int], applications: int, slow: str) -> Iterator[Mapping[str, str]]:
    """The API's base URL of each company. One server plays all of them, each with a token of its own.

    The one that is slow takes many seconds for each answer.
    """
    port = free_port()
    urls = {name: f"http://127.0.0.1:{port}/{name}" for name in seeds}
    apps = []
    for name, seed in seeds.items():
        config = SandboxConfig(
            seed=seed,
            applications=applications,
            jobs=3,
            rate_limit=None,
            token=f"token-{name}",
            faults={"slow": 1.0} if name == slow else {},
            slow_seconds=20.0,
        )
        apps.append(Mount(f"/{name}", make_app(World(config, urls[name]))))
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=apps), port=port, log_level="critical", lifespan="off", date_header=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: answers(port), "the companies")
        yield urls
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class Fleet:
    """What runs, below one folder. `environment` is that of every process."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The web server."""
        return f"http://127.0.0.1:{self.ports['web']}"

    def data(self, machine: str) -> Path:
        """The data folder of a machine, which no other machine sees."""
        return self.folder / machine / "data"

    def start(self, name: str, machine: str, *command: str) -> None:
        """A process in a group of its own. Its output goes to a log of its name."""
        self.data(machine).mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                env={**self.environment, "JOIN_PIPELINE_DATA": str(self.data(machine))},
                cwd=self.folder / machine,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_worker(self, shard: str) -> None:
        """A worker with one slot, as the unit starts it."""
        self.start(shard, shard, *unit("join-pipeline-worker@", shard))

    def wait(self, look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
        """The same as `until`, as long as no process has ended."""

        def checked() -> T | None:
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} has ended: {(self.folder / f'{name}.log').read_text()[-4000:]}"
            return look()

        return until(checked, what, seconds)

    def kill(self, name: str) -> None:
        """`kill -9` of a process and all that it started, as when its machine loses power."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def end(self) -> None:
        """End all, the newest first."""
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in reversed(self.processes.values()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def ask(self, query: str, **variables: Any) -> Any:
        """What the web server answers to a query."""
        with httpx.Client(trust_env=False, timeout=120) as client:
            answer = client.post(f"{self.url}/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer["data"]


@contextlib.contextmanager
def postgres() -> Iterator[Mapping[str, str]]:
    """A PostgreSQL of our own with an empty database, as DAGSTER_PG_… tell it. It refuses to be root's."""
    who: dict[str, Any] = {"user": OWNER, "group": OWNER, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="fleet-postgres-"))
    port = free_port()
    try:
        (folder / "password").write_text(PASSWORD)
        if who:
            for path in (folder, folder / "password"):
                shutil.chown(path, OWNER, OWNER)
        # Dagster connects anew for each event, and scram would cost as much as a run does
        made = ("--auth=md5", f"--pwfile={folder / 'password'}", "--username=dagster", "--no-sync")
        subprocess.run(
            [str(program("initdb")), *made, f"--pgdata={folder / 'db'}"],
            check=True,
            capture_output=True,
            cwd="/",
            **who,
        )
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        server = subprocess.Popen(
            [
                str(program("postgres")),
                *("-D", str(folder / "db")),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **who,
        )
        try:
            until(lambda: answers(port), "PostgreSQL", 60)
            known = {"HOST": "127.0.0.1", "PORT": str(port), "USERNAME": "dagster", "PASSWORD": PASSWORD}
            subprocess.run(
                [str(program("createdb")), "-h", "127.0.0.1", "-p", str(port), "-U", "dagster", "dagster"],
                check=True,
                env={"PGPASSWORD": PASSWORD},
                capture_output=True,
            )
            yield {f"DAGSTER_PG_{name}": value for name, value in {**known, "DB": "dagster"}.items()}
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def fleet(folder: Path, listing: Path, code: str, shards: Sequence[str]) -> Iterator[Fleet]:
    """All of it, with the web server up and the code loaded. `code` is the module of the definitions."""
    ports = {name: free_port() for name in ("redis", "code", "web")}
    home = folder / "home"
    home.mkdir()
    shutil.copy(DEPLOYED / "dagster.yaml", home)
    workspace_yaml = (DEPLOYED / "workspace.yaml").read_text()
    (home / "workspace.yaml").write_text(workspace_yaml.replace("4000", str(ports["code"])))
    broker = f"redis://127.0.0.1:{ports['redis']}"
    own = {name: value for name, value in os.environ.items() if name not in dropped(os.environ)}
    with postgres() as known:
        environment = (
            own
            | known
            | {
                "DAGSTER_HOME": str(home),
                "CELERY_BROKER_URL": f"{broker}/0",
                "CELERY_RESULT_BACKEND": f"{broker}/1",
                "JOIN_PIPELINE_CONNECTIONS_TOML": str(listing),
                "PYTHONPATH": str(listing.parent),
                "XDG_CONFIG_HOME": str(folder / "config"),
            }
        )
        running = Fleet(folder, environment, ports)
        try:
            redis = ("--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
            running.start("redis", "hub", str(program("redis-server")), *redis)
            there = {"4000": str(ports["code"]), "3000": str(ports["web"]), "join_pipeline.definitions": code}
            there["dagster/workspace.yaml"] = str(home / "workspace.yaml")
            running.start("code", "hub", *(there.get(word, word) for word in unit("join-pipeline-code")))
            running.wait(lambda: answers(ports["code"]), "the code server")
            running.start("web", "hub", *(there.get(word, word) for word in unit("join-pipeline-web")))
            until(
                lambda: answers(ports["web"]), "the web server"
            )  # it has made the tables, of which there are one each
            running.start("daemon", "hub", *(there.get(word, word) for word in unit("join-pipeline-daemon")))
            for shard in shards:
                running.start_worker(shard)
            yield running
        finally:
            running.end()


def _beside(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
