"""Measures what a company costs among many: unchanged, and with a few changes.

    python -m benchmarks.fleet --companies 1000
    python -m benchmarks.fleet --companies 1000 --different 10 --applications 60
    python -m benchmarks.fleet --changed 5000

The first makes a company behind a sandbox, and copies of it. Then one process syncs and builds them all, while nothing
has changed. The second does the same with companies of several sandboxes, and measures nothing else. The third measures
a company of that size, of which some twenty applications have changed.
Belongs here: copies, and what one process needs for them. Not here: what syncs and loads cost by size (`python -m
benchmarks sync`), many machines.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.company import TOKEN, sandbox, when_changed
from benchmarks.measure import cost_of, cpu_of, tree_bytes
from join_pipeline import pipeline
from join_pipeline.lake.lake import open_lake
from join_pipeline.settings import Settings, listed_connections, load_settings
from join_pipeline.warehouse import needed
from join_pipeline.warehouse.pseudonyms import pseudonym_key

CLI: Final = (sys.executable, "-m", "join_pipeline.cli")
PATTERN: Final = "company-0000"
KEY: Final = "a key for benchmarks only"
LINKED_BYTES: Final = 100_000
"""Larger files of a copy are links: no command changes a file in its place."""


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--companies", type=int, default=1000)
    parser.add_argument("--applications", type=int, default=300)
    parser.add_argument("--changed", type=int, help="measure one company of so many applications, 20 of them changed")
    parser.add_argument("--different", type=int, default=1, help="of so many companies they are copies")
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop:
        _loop()
        return
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if asked.changed:
            measure_changed(asked.changed, Path(folder))
        elif asked.different > 1:
            measure_different(asked.companies, asked.different, asked.applications, Path(folder))
        else:
            measure_unchanged(asked.companies, asked.applications, Path(folder))


def measure_unchanged(companies: int, applications: int, folder: Path) -> None:
    """Measure the first builds of two companies, one that has not changed, and many of them in one process."""
    names = [f"company-{place:04}" for place in range(companies)]
    with sandbox(applications) as served:
        environment = _environment([served.url], folder, names)
        one = ("--connection", PATTERN)
        for step in ("first sync", "the sync that proves it"):
            _told(step, environment, "sync", *one)
        _told("first build of the release, by dbt", environment, "build", *one)
        _told("a later build", environment, "build", "--force", *one)
        os.environ.update(environment)
        began = time.monotonic()
        _copies(names)
        print(json.dumps({"step": f"{companies} copies", "seconds": round(time.monotonic() - began)}), flush=True)
        _told("an unchanged company: sync and build in a process", environment, "run", *one)
        _told("its sync alone", environment, "sync", *one)
        _told("its build alone", environment, "build", *one)
        loop = cost_of([sys.executable, "-m", "benchmarks.fleet", "--loop"], environment)
        print(loop.out.strip(), flush=True)
        _told(f"run --all of {companies}", environment, "run", "--all", "--quiet")


def measure_different(companies: int, different: int, applications: int, folder: Path) -> None:
    """Measure one process for many companies, which are copies of some of different seeds and sizes."""
    names = [f"company-{place:04}" for place in range(companies)]
    with contextlib.ExitStack() as stack:
        served = (sandbox(applications + seed, "--seed", str(seed)) for seed in range(1, different + 1))
        urls = [stack.enter_context(one).url for one in served]
        environment = _environment(urls, folder, names)
        os.environ.update(environment)
        for place in range(different):
            for _ in range(2):
                cost_of([*CLI, "run", "--connection", names[place]], environment)
        for place in range(different):
            _copies(names[place::different])
        print(cost_of([sys.executable, "-m", "benchmarks.fleet", "--loop"], environment).out.strip(), flush=True)


def measure_changed(applications: int, folder: Path) -> None:
    """Measure a company that is built already, of which twenty applications have changed."""
    at, n_changed = when_changed(applications, 20 / applications)
    with sandbox(applications) as served:
        environment = _environment([served.url], folder, [PATTERN])
        one = ("--connection", PATTERN)
        for step in ("first sync", "the sync that proves it"):
            _told(step, environment, "sync", *one)
        _told("first build of the release, by dbt", environment, "build", *one)
        _told("a later build", environment, "build", "--force", *one)
        served.set_clock(at)
        _told(f"incremental sync, {n_changed} changed", environment, "sync", *one)
        _told("its build", environment, "build", *one)
        _told("sync and build, nothing changed", environment, "run", *one)


def _environment(urls: list[str], folder: Path, names: list[str]) -> dict[str, str]:
    secrets = 'join_api_token = {environment = "FLEET_TOKEN"}\npseudonym_key = {environment = "FLEET_KEY"}\n'
    entries = (
        f'[{name}]\njoin_api_url = "{urls[place % len(urls)]}/v2"\n[{name}.secrets]\n{secrets}'
        for place, name in enumerate(names)
    )
    (folder / "connections.toml").write_text("\n".join(entries))
    return {
        **os.environ,
        "FLEET_TOKEN": TOKEN,
        "FLEET_KEY": KEY,
        "JOIN_PIPELINE_DATA": str(folder / "data"),
        "JOIN_PIPELINE_CONNECTIONS_TOML": str(folder / "connections.toml"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def _copies(names: list[str]) -> None:
    """Copies of the first company, each with the note of a build of its own."""
    pattern = load_settings(connection=names[0])
    last = msgspec.json.decode((pattern.builds / "last_build.json").read_bytes(), type=needed.Note)
    for name in names[1:]:
        settings = load_settings(connection=name)
        shutil.copytree(pattern.home, settings.home, copy_function=_copy, ignore=shutil.ignore_patterns("dbt", "lock"))
        needed.note(settings, _made_of(settings), bytes(last.result))


def _made_of(settings: Settings) -> needed.MadeOf:
    record = open_lake(settings.lake).newest()
    assert record is not None
    return needed.fingerprint(settings, record, pseudonym_key(settings))


def _copy(source: str, target: str) -> None:
    os.link(source, target) if Path(source).stat().st_size > LINKED_BYTES else shutil.copy2(source, target)


def _loop() -> None:
    """Sync and build all companies in this process, and print what it holds and has used, ten times in all."""
    names = list(listed_connections())
    began, built = time.monotonic(), 0
    used = cpu_of(os.getpid())
    for n, name in enumerate(names, start=1):
        built += not pipeline.run(load_settings(connection=name), "auto").is_unchanged
        if n in {1, 2, 10} or n % max(1, len(names) // 10) == 0:
            now = cpu_of(os.getpid())
            told: dict[str, Any] = {
                "companies": n,
                "built": built,
                "megabytes": round(tree_bytes(os.getpid()) / 1e6),
                "open_files": len(list(Path("/proc/self/fd").iterdir())),
                "cpu_seconds": round(now - used, 1),
                "seconds": round(time.monotonic() - began, 1),
            }
            print(json.dumps(told), flush=True)


def _told(step: str, environment: dict[str, str], *arguments: str) -> None:
    cost = cost_of([*CLI, *arguments], environment)
    figures = {"seconds": cost.seconds, "cpu_seconds": cost.cpu_seconds, "megabytes": cost.megabytes}
    print(json.dumps({"step": step, **figures, "load": round(os.getloadavg()[0], 1)}), flush=True)


if __name__ == "__main__":
    main()
