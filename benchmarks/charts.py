"""Draws the committed figures as charts, and writes their tables into the page: `python -m benchmarks.charts`.

A chart is bars and words, without a library, so that the same figures make the same file on every machine. Its colours
follow the reader's scheme, light or dark.
"""

import json
import re
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from benchmarks.tables import NAMES, peers_table, runs_table

HERE = Path(__file__).parent
FIGURES = HERE / "figures.json"
PAGE = HERE / "README.md"
PEERS = HERE / "peers" / "figures.json"
WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 760, 230, 90, 16, 14, 30
STYLE = """<style>
text { fill: #24292f } .title { font-weight: bold } .quiet { fill: #57606a }
.a { fill: #8c959f } .b { fill: #2a6f97 } .spread { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #9da7b3 } .a { fill: #6e7681 } .b { fill: #58a6ff } .spread { stroke: #e6edf3 }
}
</style>"""


class Bar(NamedTuple):
    """A bar: its name, its colour, its value, and the least and the most that was measured."""

    name: str
    colour: str
    value: float
    least: float | None = None
    most: float | None = None


def charts() -> dict[Path, str]:
    """Each chart by its path, as the figures make it now."""
    figures, peers = json.loads(FIGURES.read_text()), json.loads(PEERS.read_text())
    return {
        HERE / "runs.svg": bars("CPU seconds at 5,000 applications: grey before, blue now", _runs(figures["runs"])),
        HERE / "growth.svg": bars("CPU microseconds an application, by the number of applications", _growth(figures)),
        HERE / "peers" / "chart.svg": bars("CPU seconds of each tool, at each step", _peers(peers)),
    }


def page() -> str:
    """The page with the tables of the figures, each between two comments that name it."""
    figures, peers = json.loads(FIGURES.read_text()), json.loads(PEERS.read_text())
    text = PAGE.read_text(encoding="utf-8")
    for name, table in {"runs": runs_table(figures["runs"]), "peers": peers_table(peers)}.items():
        block = re.compile(f"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = block.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text, count=1)
    return text


def draw() -> None:
    """Write the charts and the page."""
    for path, text in (charts() | {PAGE: page()}).items():
        path.write_text(text, encoding="utf-8")


def write_figures(figures: Mapping[str, Any], path: Path = FIGURES) -> None:
    """Write the figures, so that a change is told by the lines that it touches."""
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def write_growth(applications: int, on: str, cpu_seconds: Mapping[str, float]) -> None:
    """Note what the steps cost at this size, in place of what was noted of it before."""
    figures = json.loads(FIGURES.read_text())
    sizes = [one for one in figures["growth"] if one["applications"] != applications]
    sizes.append({"applications": applications, "on": on, "cpu_seconds": dict(cpu_seconds)})
    write_figures(figures | {"growth": sorted(sizes, key=lambda one: int(one["applications"]))})


def bars(title: str, groups: Mapping[str, Iterable[Bar]]) -> str:
    """A chart of horizontal bars in groups, each with its name, its value and its spread."""
    drawn = {group: list(inside) for group, inside in groups.items()}
    largest = max(bar.most or bar.value for inside in drawn.values() for bar in inside)
    scale = (WIDTH - LEFT - RIGHT) / largest
    body, y = [], HEAD + GAP
    for group, inside in drawn.items():
        body.append(_text(10, y, group, "title"))
        y += 8
        for bar in inside:
            middle = y + BAR // 2
            width = max(bar.value * scale, 1)
            end = LEFT + max(bar.value, bar.most or 0) * scale + 6
            body.append(f'<rect class="{bar.colour}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 3}"/>')
            body.append(_text(LEFT - 8, middle + 4, bar.name, "quiet", "end"))
            body.append(_text(round(end), middle + 4, f"{bar.value:,.3g}" if bar.value < 1000 else f"{bar.value:,.0f}"))
            if bar.least is not None and bar.most is not None and bar.least < bar.most:
                low, high = (f"{LEFT + value * scale:.1f}" for value in (bar.least, bar.most))
                body.append(f'<path class="spread" d="M{low},{middle - 1} L{high},{middle - 1}"/>')
            y += BAR
        y += GAP + 6
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" '
        f'font-family="sans-serif" font-size="12" role="img"><title>{escape(title)}</title>'
    )
    return "\n".join([head, STYLE, _text(10, 18, title, "quiet"), *body, "</svg>", ""])


def _text(x: int, y: int, words: str, kind: str = "", anchor: str = "start") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{shown}>{escape(words)}</text>'


def _bar(name: str, colour: str, values: list[float]) -> Bar:
    return Bar(name, colour, statistics.median(values), min(values), max(values))


def _runs(versions: Mapping[str, Any]) -> dict[str, list[Bar]]:
    colours = dict(zip(("before", "now"), "ab", strict=True))
    return {
        step: [
            _bar(f"{name}, {version['on']}", colours[name], version["steps"][step]["cpu_seconds"])
            for name, version in versions.items()
            if step in version["steps"]
        ]
        for step in versions["now"]["steps"]
    }


def _growth(figures: Mapping[str, Any]) -> dict[str, list[Bar]]:
    sizes: list[dict[str, Any]] = figures["growth"]
    steps = dict.fromkeys(step for size in sizes for step in size["cpu_seconds"])
    return {
        step: [
            Bar(
                f"{size['applications']:,}, {size['on']}",
                "b",
                1e6 * size["cpu_seconds"][step] / size["applications"],
            )
            for size in sizes
            if step in size["cpu_seconds"]
        ]
        for step in steps
    }


def _peers(figures: Mapping[str, Any]) -> dict[str, list[Bar]]:
    return {
        step: [
            _bar(NAMES[tool], "b" if tool == "join-pipeline" else "a", cost["cpu_seconds"])
            for tool, cost in tools.items()
        ]
        for step, tools in figures["costs"].items()
    }


if __name__ == "__main__":
    draw()
