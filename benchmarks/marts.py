"""Measures the time and memory that dbt takes, from ten thousand applications to a million with five million events.

    python -m benchmarks.marts --applications 10000 100000 1000000

Belongs here: filling a warehouse without a source and a lake, building it, printing the time of each node. Not here:
syncing and loading (`python -m benchmarks sync`).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from join_pipeline.models import MODELS
from join_pipeline.settings import Settings, load_settings
from join_pipeline.transform.run import build_marts, ensure_manifest
from join_pipeline_tests.dbt.company import create_tables

SLOWEST = 12


def settings_of(data: Path) -> Settings:
    return load_settings(data=data, connection="benchmark", pseudonym_key="a key for benchmarks only")


def fill(settings: Settings, applications: int) -> None:
    """Write a warehouse as load leaves it."""
    settings.builds.mkdir(parents=True, exist_ok=True)
    config = {"memory_limit": settings.memory_limit, "temp_directory": str(settings.builds / "spill")}
    with duckdb.connect(settings.warehouse, config=config) as con:
        con.execute("SET TimeZone = 'UTC'")
        create_tables(con)
        for statement in duckdb.extract_statements(Path(__file__).with_suffix(".sql").read_text()):
            con.execute(statement, {"n": applications} if "n" in statement.named_parameters else None)
        for model in MODELS:
            con.execute(
                f"""INSERT INTO ats.{model} BY NAME SELECT * EXCLUDE (content_hash, payload_hash, reason)
                FROM ats_history.{model} QUALIFY row_number() OVER (PARTITION BY id ORDER BY sync_id DESC) = 1"""
            )


def build(settings: Settings) -> None:
    """Build in this process, and print its cost as one JSON document."""
    started = time.perf_counter()
    ensure_manifest(settings)
    parsed, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    nodes = build_marts(settings)
    ended = time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_SELF)
    failed = [node.unique_id for node in nodes if node.is_failed]
    told = {
        "parse": parsed - started,
        "build": ended - parsed,
        "cpu": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "failed": failed,
        "nodes": [(node.kind, node.unique_id.split(".")[2], node.seconds) for node in nodes],
    }
    print(json.dumps(told))


def measured(applications: int, command: list[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        fill(settings_of(data), applications)
        run = subprocess.run([*command, "--build", folder], check=True, capture_output=True, text=True)
        return json.loads(run.stdout.splitlines()[-1]) | versions(settings_of(data))


def versions(settings: Settings) -> dict[str, object]:
    with duckdb.connect(settings.warehouse, read_only=True) as con:
        ((n_versions, n_events),) = con.execute(
            """SELECT (SELECT count(*) FROM ats_history.applications),
            (SELECT count(*) FROM recruiting.fct_application_stage_event)"""
        ).fetchall()
    return {"versions": n_versions, "events": n_events, "file_mb": settings.warehouse.stat().st_size / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        build(settings_of(asked.build))
        return
    print("| applications | events | models s | tests s | whole build s | CPU s | peak MB | file MB |")
    print("|---|---|---|---|---|---|---|---|")
    slowest = {}
    for n in asked.applications:
        told = measured(n, [sys.executable, "-m", "benchmarks.marts"])
        seconds = {
            kind: sum(node[2] for node in told["nodes"] if (node[0] == "test") == (kind == "tests"))
            for kind in ("models", "tests")
        }
        print(
            f"| {n:,} | {told['events']:,} | {seconds['models']:.1f} | {seconds['tests']:.1f} | {told['build']:.1f} "
            f"| {told['cpu']:.1f} | {told['peak_mb']:.0f} | {told['file_mb']:.0f} |",
            flush=True,
        )
        slowest[n] = sorted(told["nodes"], key=lambda node: -node[2])[:SLOWEST]
        if told["failed"]:
            print("failed:", *told["failed"])
    for n, nodes in slowest.items():
        print(f"\nslowest at {n:,}:", *(f"{name} {seconds:.1f} s" for _, name, seconds in nodes), sep="\n  ")


if __name__ == "__main__":
    main()
