"""The committed figures as tables of the page, which say how they were measured."""

import statistics
from collections.abc import Mapping
from typing import Any

NAMES = {
    "script": "script, httpx and pandas",
    "dlt": "dlt, flat",
    "singer": "Singer SDK",
    "join-pipeline": "ours: sync and load, two processes",
}
STEPS = ("full, 0 ms", "full, 50 ms", "incremental, 50 ms")


def runs_table(runs: Mapping[str, Any]) -> str:
    """What each command and run costs, by version: medians."""
    about = [f"{name}, {one['on']}, at a load of {one['load']:.0f}" for name, one in runs.items()]
    lines = [f"| | {' | '.join(f'{one}: CPU s | MB' for one in about)} |", f"|---{'|---|---' * len(runs)}|"]
    for step in dict.fromkeys(step for version in runs.values() for step in version["steps"]):
        cells = [step]
        for version in runs.values():
            cost = version["steps"].get(step)
            cells += [_middle(cost["cpu_seconds"]), f"{statistics.median(cost['megabytes']):.0f}"] if cost else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def peers_table(figures: Mapping[str, Any]) -> str:
    """What each tool costs at each step, with the spread in brackets, and what it has wrong."""
    lost = next(iter(figures["lost"].values()))
    lines = [f"| {' | '.join(['', *STEPS, *lost])} |", "|---" * (1 + len(STEPS) + len(lost)) + "|"]
    for tool, name in NAMES.items():
        cells = [name]
        for step in STEPS:
            cost = figures["costs"][step][tool]
            seconds = f"{statistics.median(cost['seconds']):.1f} s ({min(cost['seconds'])}–{max(cost['seconds'])})"
            cells.append(
                f"{_middle(cost['cpu_seconds'])} CPU s / {seconds} / {statistics.median(cost['megabytes']):.0f} MB"
            )
        lines.append(f"| {' | '.join([*cells, *map(str, figures['lost'][tool].values())])} |")
    return "\n".join(lines)


def _middle(values: list[float]) -> str:
    return f"{statistics.median(values):.1f}"
