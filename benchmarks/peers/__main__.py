"""Measures the peers and ourselves, writes `figures.json` beside this file, draws, and prints a table."""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.charts import draw
from benchmarks.company import START, TOKEN, Sandbox, when_changed
from benchmarks.measure import cost_of
from benchmarks.tables import STEPS, peers_table

HERE = Path(__file__).parent
MADE = HERE.parents[1] / "build" / "peers"
OURS = "join-pipeline"
PEERS = {"script": "script.py", "dlt": "dlt_pipeline.py", "singer": "singer_tap.py"}
IDS = {
    "script": "SELECT id::BIGINT FROM '{folder}/applications.parquet'",
    "dlt": "SELECT id FROM peer.ats.applications",
    "singer": "SELECT id FROM peer.applications",
    OURS: "SELECT remote_id FROM peer.ats.applications WHERE remote_deleted_at IS NULL",
}
FILES = {"dlt": "peer.duckdb", "singer": "peer.duckdb", OURS: "join/warehouse.duckdb"}


@dataclass
class Measured:
    """The figures of one tool at one step, a value for each repetition."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--applications", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--draw", action="store_true", help="only draw the charts of the figures that are there")
    asked = parser.parse_args()
    if not asked.draw:
        pythons = {peer: environment_of(peer) for peer in PEERS} | {OURS: Path(sys.executable)}
        figures = {
            "applications": asked.applications,
            "repeat": asked.repeat,
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
            "costs": costs(pythons, asked.applications, asked.repeat),
            "lost": losses(pythons, asked.applications),
        }
        (HERE / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    figures = json.loads((HERE / "figures.json").read_text())
    draw()
    print(peers_table(figures))


def environment_of(peer: str) -> Path:
    """The Python of the peer's own environment, which is made if it is not there."""
    folder, wanted = MADE / peer, HERE / f"{peer}.txt"
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        print(f"installing {peer} into {folder}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", wanted], check=True)
        stamp.write_text(wanted.read_text())
    return python


def costs(pythons: dict[str, Path], applications: int, repeat: int) -> dict[str, dict[str, Any]]:
    """Each tool in turn at each step, so that what else the machine does meets all of them."""
    found = {step: {tool: Measured() for tool in pythons} for step in STEPS}
    changed_at, _ = when_changed(applications, 0.001)
    for milliseconds in (0, 50):
        with served(applications, milliseconds) as sandbox, tempfile.TemporaryDirectory() as scratch:
            for _ in range(repeat):
                for tool, python in pythons.items():
                    folder = Path(scratch) / tool
                    shutil.rmtree(folder, ignore_errors=True)
                    sandbox.set_clock(START)
                    measure(found[f"full, {milliseconds} ms"][tool], tool, python, sandbox.url, folder, "full")
                    if milliseconds:
                        sandbox.set_clock(changed_at)
                        cost = found[f"incremental, {milliseconds} ms"][tool]
                        measure(cost, tool, python, sandbox.url, folder, "incremental")
    return {step: {tool: vars(cost) for tool, cost in tools.items()} for step, tools in found.items()}


def measure(found: Measured, tool: str, python: Path, url: str, folder: Path, mode: str) -> None:
    """Run a tool once, and note what it cost."""
    parts = [cost_of(command, environment) for command, environment in commands(tool, python, url, folder, mode)]
    found.seconds.append(round(sum(part.seconds for part in parts), 1))
    found.cpu_seconds.append(round(sum(part.cpu_seconds for part in parts), 1))
    found.megabytes.append(max(part.megabytes for part in parts))
    print(f"{tool}, {mode}: {found.seconds[-1]} s, {found.cpu_seconds[-1]} CPU s", file=sys.stderr, flush=True)


def commands(tool: str, python: Path, url: str, folder: Path, mode: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """What a tool runs from the API to its tables: one program for a peer, sync and load for us."""
    if tool in PEERS:
        yield [str(python), str(HERE / PEERS[tool]), url, str(folder), mode], dict(os.environ)
        return
    environment = {
        **os.environ,
        "JOIN_API_TOKEN": TOKEN,
        "JOIN_API_URL": f"{url}/v2",
        "JOIN_PIPELINE_DATA": str(folder),
        "JOIN_PIPELINE_PSEUDONYM_KEY": "a key for benchmarks only",
    }
    yield [str(python), "-m", "join_pipeline.cli", "sync", "--mode", mode, "--json"], environment
    yield [str(python), "-m", "benchmarks.load"], environment


def losses(pythons: dict[str, Path], applications: int) -> dict[str, dict[str, int]]:
    """What each tool has wrong after a full reading of a list that shifts, and its next one a week later.

    That of a peer is incremental. Ours is the one that `auto` chooses: a full one, which proves the first.
    """
    found = {}
    for tool, python in pythons.items():  # a company for each, since the faults change it
        with served(applications, 0) as sandbox, tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / tool
            sandbox.request("POST", "/control/faults", json.dumps({"shifting": 0.5}))
            for mode, day in (("full", 0), ("auto" if tool == OURS else "incremental", 7)):
                sandbox.set_clock(START + timedelta(days=day))
                for command, environment in commands(tool, python, sandbox.url, folder, mode):
                    cost_of(command, environment)
                sandbox.request("POST", "/control/faults", "{}")
            there, known = listed(sandbox), ids(tool, folder)
            found[tool] = {"missed": len(there - known), "deleted, but shown": len(known - there)}
    return found


def listed(sandbox: Sandbox) -> set[int]:
    """The ids that the list has now."""
    found: set[int] = set()
    for page in range(1, 1_000_000):
        records = json.loads(sandbox.request("GET", f"/v2/applications?page={page}&pageSize=50"))
        found |= {int(record["id"]) for record in records}
        if len(records) < 50:
            break
    return found


def ids(tool: str, folder: Path) -> set[int]:
    """The ids that a tool shows."""
    with contextlib.closing(duckdb.connect()) as con:
        if tool in FILES:
            con.execute(f"ATTACH '{folder / FILES[tool]}' AS peer (READ_ONLY)")
        return {int(one) for (one,) in con.execute(IDS[tool].format(folder=folder)).fetchall()}


@contextlib.contextmanager
def served(applications: int, milliseconds: int) -> Iterator[Sandbox]:
    """A sandbox whose answers take so long, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.peers.serve", str(applications), str(milliseconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Sandbox(process.stdout.readline().strip(), process.pid, 0.0)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
