"""Measures syncs or the sandbox, and prints one JSON line per step: `python -m benchmarks sync|sandbox …`."""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from benchmarks.charts import draw, write_growth
from benchmarks.company import START, TOKEN, Sandbox, ask, sandbox, when_changed
from benchmarks.measure import Cost, cost_of, cpu_of, size_of

SHARE = 0.001
PAGES = 400
MOST_FOR_PLAIN = 200_000
"""The plain script keeps everything in memory, so larger companies are measured without it."""


def main() -> None:
    """Measure what the command line names, the smallest company first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", choices=["sync", "sandbox"])
    parser.add_argument("--applications", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--keep", type=Path, help="a folder for the data, which is kept afterwards")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}\n", flush=True)
    for applications in sorted(asked.applications):
        if asked.what == "sandbox":
            measure_sandbox(applications)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            data = (asked.keep or Path(scratch)) / str(applications)
            shutil.rmtree(data, ignore_errors=True)
            found = measure_sync(applications, data)
            write_growth(applications, f"{datetime.now(UTC):%Y-%m-%d}", found)
            draw()


def measure_sandbox(applications: int) -> None:
    """Measure the seconds until it is ready, pages per second with a still and a moving clock, and memory."""
    for speed in ("0", "60"):
        with sandbox(applications, "--speed", speed) as served:
            seconds, cpu = served.seconds_to_ready, round(cpu_of(served.pid), 1)
            told("sandbox", applications, step=f"ready, speed {speed}", seconds=seconds, cpu_seconds=cpu)
            month = (START - timedelta(days=30)).isoformat().replace("+00:00", "Z")
            for name, extra in (("whole list", ""), ("updatedAtGte", f"&updatedAtGte={month}")):
                told("sandbox", applications, step=f"{name}, speed {speed}", **_pages_a_second(served, extra))
            told("sandbox", applications, step=f"memory, speed {speed}", megabytes=served.megabytes)


def _pages_a_second(served: Sandbox, extra: str) -> dict[str, float]:
    """Pages per second over full, new pages (all, and the fastest fifty), and the sandbox's CPU time per page.

    On a shared machine, compare CPU time: it leaves out the work of other processes. The client counts records and does
    not read them, because its own work would count against the sandbox.
    """
    used = cpu_of(served.pid)
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc)
    moments = [time.monotonic()]
    with contextlib.closing(connection):
        for page in range(1, PAGES + 1):
            answer = ask(connection, "GET", f"/v2/applications?page={page}&pageSize=50{extra}")
            if len(msgspec.json.decode(answer, type=list[msgspec.Raw])) < 50:
                break
            moments.append(time.monotonic())
    n = len(moments) - 1
    window = min(50, n)
    fastest = min(moments[i + window] - moments[i] for i in range(n - window + 1))
    return {
        "pages": n,
        "pages_a_second": round(n / (moments[-1] - moments[0])),
        "fastest_fifty_a_second": round(window / fastest),
        "cpu_milliseconds_a_page": round(1000 * (cpu_of(served.pid) - used) / n, 2),
    }


def measure_sync(applications: int, data: Path) -> dict[str, float]:
    """Measure a first full sync, a load, incremental syncs, a later full sync, checks of the lake, the plain script.

    Returns the CPU seconds of those steps whose growth is drawn.
    """
    found: dict[str, float] = {}
    changed_at, n_changed = when_changed(applications, SHARE)
    with sandbox(applications) as served:
        environment = {
            **os.environ,
            "JOIN_API_TOKEN": TOKEN,
            "JOIN_API_URL": f"{served.url}/v2",
            "JOIN_PIPELINE_DATA": str(data),
            "JOIN_PIPELINE_PSEUDONYM_KEY": "a key for benchmarks only",
        }

        def sync(step: str, mode: str, changed: str = "") -> None:
            command = [sys.executable, "-m", "join_pipeline.cli", "sync", "--mode", mode, "--json"]
            cost = cost_of(command, environment)
            found[step] = cost.cpu_seconds
            _told_sync(applications, step + changed, cost, data)

        sync("first full sync", "full")
        found["first load"] = _load(applications, "first load", environment, data)
        served.set_clock(changed_at)
        sync("incremental, 0.1 % changed", "incremental", f": {n_changed}")
        sync("incremental, nothing changed", "incremental")
        found["load after 0.1 % changed"] = _load(applications, "load after it", environment, data)
        served.set_clock(changed_at + timedelta(days=1))
        sync("full, a day later", "full")
        _check(applications, environment, data)
        if applications <= MOST_FOR_PLAIN:
            target = data / "plain.parquet"
            cost = cost_of([sys.executable, "-m", "benchmarks.plain", served.url, str(target)], environment)
            told(
                "sync",
                applications,
                step="plain script, whole list",
                **_costs(cost),
                megabytes_on_disk=round(target.stat().st_size / 1e6, 1),
            )
    return found


def _told_sync(applications: int, step: str, cost: Cost, data: Path) -> None:
    record = json.loads(cost.out.strip().splitlines()[-1])
    lake = data / "join" / "lake"
    files, on_disk = size_of(lake)
    told(
        "sync",
        applications,
        step=step,
        **_costs(cost),
        requests=record["n_requests"],
        application_pages=record["feeds"]["applications"]["pages"],
        job_pages=record["feeds"]["jobs"]["pages"],
        megabytes_read=round(sum(feed["bytes"] for feed in record["feeds"].values()) / 1e6, 1),
        versions=sum(sum(m[k] for k in ("new", "changed", "returned", "deleted")) for m in record["models"].values()),
        files=files,
        megabytes_on_disk=on_disk,
        raw_megabytes=size_of(lake / "raw")[1],
        model_megabytes=size_of(lake / "models")[1],
    )


def _load(applications: int, step: str, environment: dict[str, str], data: Path) -> float:
    cost = cost_of([sys.executable, "-m", "benchmarks.load"], environment)
    on_disk = round((data / "join" / "warehouse.duckdb").stat().st_size / 1e6, 1)
    told("sync", applications, step=step, **_costs(cost), megabytes_on_disk=on_disk)
    return cost.cpu_seconds


def _check(applications: int, environment: dict[str, str], data: Path) -> None:
    """Measure the digests of all files alone, and `doctor --lake`, which compares keys and references as well."""
    files, on_disk = size_of(data / "join" / "lake")
    for step, arguments in {
        "digests": ["benchmarks.digests"],
        "doctor --lake": ["join_pipeline.cli", "doctor", "--lake"],
    }.items():
        cost = cost_of([sys.executable, "-m", *arguments], environment)
        told("sync", applications, step=step, **_costs(cost), files=files, megabytes_on_disk=on_disk)


def _costs(cost: Cost) -> dict[str, float]:
    return {"seconds": cost.seconds, "cpu_seconds": cost.cpu_seconds, "megabytes": cost.megabytes}


def told(what: str, applications: int, **figures: object) -> None:
    """Print each figure when it is measured, so that a long run that is stopped has printed its figures so far."""
    print(
        json.dumps({"what": what, "applications": applications, "load": round(os.getloadavg()[0], 1), **figures}),
        flush=True,
    )


if __name__ == "__main__":
    main()
