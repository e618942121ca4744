"""Measures what people wait for, each in a process of its own, and writes the figures: `python -m benchmarks.runs`."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.charts import FIGURES, draw, write_figures
from benchmarks.company import START, TOKEN, Sandbox, when_changed
from benchmarks.measure import Cost, cost_of
from benchmarks.peers.__main__ import served
from benchmarks.tables import runs_table

IN_DAGSTER = """
import os
import dagster as dg
from join_pipeline.connections.dagster_home import dagster_home
from join_pipeline.connections.event_store import quick_events
from join_pipeline.definitions import defs
from join_pipeline.settings import load_settings
os.environ["DAGSTER_HOME"] = str(dagster_home(load_settings().data))
with dg.DagsterInstance.get() as instance, quick_events(instance):
    defs().resolve_job_def("sync").execute_in_process(instance=instance)
"""
"""What the process of a run does, and what the launcher does for it before: noting what is planned."""
CLI = ("-m", "join_pipeline.cli")
COMMANDS = {
    "help": (*CLI, "--help"),
    "first run": (*CLI, "run"),
    "second run, which proves the list": (*CLI, "run"),
    "build, nothing changed": (*CLI, "build"),
    "incremental sync, nothing changed": (*CLI, "sync", "--mode", "incremental"),
    "run, 0.1 % changed": (*CLI, "run"),
    "full sync, a week later": (*CLI, "sync", "--mode", "full"),
    "first run of Dagster": ("-c", IN_DAGSTER),
    "run of Dagster, 0.1 % changed": ("-c", IN_DAGSTER),
}


def main() -> None:
    """Measure, write the figures and draw the charts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs", description=__doc__)
    parser.add_argument("--applications", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--version", default="now", help="which version's figures these are: before or now")
    parser.add_argument("--figures", type=Path, default=FIGURES)
    asked = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(asked.repeat):
        for step, cost in measured(asked.applications):
            of = found.setdefault(step, {"cpu_seconds": [], "seconds": [], "megabytes": []})
            for name, values in of.items():
                values.append(getattr(cost, name))
            print(f"{step}: {cost.cpu_seconds} CPU s, {cost.seconds} s, {cost.megabytes} MB", file=sys.stderr)
    about = {"on": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    figures = json.loads(asked.figures.read_text()) if asked.figures.exists() else {}
    runs = figures.setdefault("runs", {})
    runs[asked.version] = about | {"applications": asked.applications, "steps": found}
    write_figures(figures, asked.figures)
    if asked.figures == FIGURES:
        draw()
    print(runs_table(runs))


def measured(applications: int) -> Iterator[tuple[str, Cost]]:
    """What each step costs, in a fresh data folder: one for the commands, and one for Dagster."""
    changed_at, _ = when_changed(applications, 0.001)
    with served(applications, 0) as sandbox, tempfile.TemporaryDirectory() as scratch:
        for step, command in COMMANDS.items():
            _set(sandbox, step, changed_at)
            folder = Path(scratch) / ("dagster" if "Dagster" in step else "commands")
            environment = {
                **os.environ,
                "JOIN_API_TOKEN": TOKEN,
                "JOIN_API_URL": f"{sandbox.url}/v2",
                "JOIN_PIPELINE_DATA": str(folder),
                "JOIN_PIPELINE_PSEUDONYM_KEY": "a key for benchmarks only",
            }
            yield step, cost_of([sys.executable, *command], environment)


def _set(sandbox: Sandbox, step: str, changed_at: datetime) -> None:
    """Set the clock of the company to the step's time."""
    if "first" in step:
        sandbox.set_clock(START)
    elif "0.1 %" in step:
        sandbox.set_clock(changed_at)
    elif "a week later" in step:
        sandbox.set_clock(changed_at + timedelta(days=7))


if __name__ == "__main__":
    main()
