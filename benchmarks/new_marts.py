"""Measures what each of the newer marts costs by itself, with what only it needs: CPU time and memory.

    python -m benchmarks.new_marts --applications 5000 100000 1000000

Belongs here: which models belong to which mart, the user's figures of a made-up company, the cost of each model. Not
here: filling a warehouse, and the cost of whole builds (marts).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from benchmarks.marts import fill
from join_pipeline.settings import Settings, load_settings
from join_pipeline.transform.run import build_marts

MARTS = {
    "mart_hiring_forecast": (
        "int_forecast_job",
        "int_forecast_stay",
        "int_forecast",
        "mart_hiring_forecast_backtest",
        "mart_hiring_forecast",
    ),
    "mart_hiring_plan": ("int_plan_line", "int_plan_job", "mart_plan_line", "mart_hiring_plan"),
    "mart_service_level": ("int_service_level", "mart_service_due", "mart_service_level"),
    "mart_cost_per_hire": ("int_cost", "int_cost_source", "mart_cost_per_hire"),
    "mart_seasonality": ("mart_seasonality",),
    "mart_bottleneck": ("mart_bottleneck",),
    "mart_consent": ("mart_consent",),
    "mart_pass_through": ("mart_pass_through",),
    "fct_turnbull": ("int_turnbull_interval", "int_turnbull_curve", "fct_turnbull"),
    "expiry": ("int_deletion", "int_expiry_rule", "int_expiry_age", "int_expiry"),
    "mart_follow_up": ("int_follow_up", "mart_follow_up"),
}
FIGURES = {
    "hiring_plan_csv": "category,hires,by\n"
    + "".join(f"category {number},40,2025-12-31\n" for number in range(12))
    + "".join(f"category {number},30,2024-12-31\n" for number in range(12)),
    "service_level_csv": "milestone,days\nSCREENING,7\nINTERIM,14\nOFFER,10\n",
    "cost_csv": "source,month,cost\n"
    + "".join(
        f"{source},{year}-{month:02},1500\n"
        for source in ("indeed", "linkedin", "stepstone", "agency")
        for year in (2024, 2025)
        for month in range(1, 13)
    ),
}
SMALL = 500
"""Applications of the company whose build compiles the statements."""
CLEAR_PEAK = "5"
"""Written to /proc/self/clear_refs, this sets the peak of resident memory to what is resident now."""


def settings_of(data: Path) -> Settings:
    figures = {name: data / f"{name}.csv" for name in FIGURES}
    return load_settings(data=data, connection="benchmark", pseudonym_key="a key for benchmarks only", **figures)


def peak_mb() -> float:
    """The peak of resident memory since it was cleared, which this does again."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text(CLEAR_PEAK)
    return peak


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def build(settings: Settings) -> None:
    """Build in this process, and print the cost of each model as one JSON document."""
    marks: list[tuple[int, float, float]] = []
    nodes = build_marts(settings, on_node=lambda done, _of: marks.append((done, cpu_seconds(), peak_mb())))
    spent = {done: (later[1] - cpu, later[2]) for (done, cpu, _), later in pairwise(marks)}
    names = {node.unique_id.split(".")[2]: place for place, node in enumerate(nodes) if node.kind != "test"}
    print(json.dumps({name: spent[place] for name, place in names.items() if place in spent}))


def started(data: Path, applications: int) -> dict[str, tuple[float, float]]:
    """Fill a warehouse, and build it in another process."""
    for name, text in FIGURES.items():
        (data / f"{name}.csv").write_text(text)
    fill(settings_of(data), applications)
    command = [sys.executable, "-m", "benchmarks.new_marts", "--build", str(data)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def measured(applications: int) -> dict[str, tuple[float, float]]:
    """The cost of each model in a build without dbt: a smaller company's has compiled the statements."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        started(data, SMALL)
        settings_of(data).warehouse.unlink()
        return started(data, applications)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, nargs="+", default=[5_000, 100_000, 1_000_000])
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        build(settings_of(asked.build))
        return
    print("| applications | mart | CPU s | peak MB |\n|---|---|---|---|")
    for n in asked.applications:
        told = measured(n)
        for mart, models in MARTS.items():
            cpu, peak = (sum(told[one][0] for one in models), max(told[one][1] for one in models))
            print(f"| {n:,} | {mart} | {cpu:.2f} | {peak:.0f} |")
        whole = (sum(cpu for cpu, _ in told.values()), max(peak for _, peak in told.values()))
        print(f"| {n:,} | all models | {whole[0]:.1f} | {whole[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
