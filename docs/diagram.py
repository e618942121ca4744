"""The diagrams of the docs, as SVG: how the published tables belong together, made from the columns of the models, and
the way of the data.

Belongs here: what is in them, and drawing. Not here: writing the file (make).
"""

from collections.abc import Iterator
from html import escape
from typing import Any

LANES = {"source": (10, 150), "lake": (250, 190), "warehouse.duckdb": (530, 200), "published": (800, 170)}
"""The left edge and the width of each place where data lie."""
LANE_HEIGHT, TOP, BOTTOM, STATION = 230, 50, 150, 62
STATIONS: tuple[tuple[str, int, str, str], ...] = (
    ("source", TOP, "JOIN or Kombo", "answers over HTTP"),
    ("lake", TOP, "raw", "payloads as they came"),
    ("lake", BOTTOM, "models", "versions of each record"),
    ("warehouse.duckdb", BOTTOM, "ats, ats_history", "newest rows, all versions"),
    ("warehouse.duckdb", TOP, "recruiting", "staging, then the marts"),
    ("published", TOP, "recruiting.duckdb", "what readers open"),
    ("published", BOTTOM, "report.html", "one file"),
)
STEPS = ("sync: extract", "sync: decode … diff", "load", "dbt", "publish", "report")
"""What leads from each station to the next one."""
COLOURS = ("#3f51b5", "#00796b", "#c2185b", "#e65100", "#5d4037", "#455a64", "#7b1fa2", "#827717")
WIDTH, BOX, ROW, GAP = 980, 270, 18, 14
LEFT, RIGHT = 20, WIDTH - BOX - 20


def links(manifest: dict[str, Any]) -> dict[str, dict[str, str]]:
    """For each fact and bridge, the tables that its columns lead to, by column.

    A table with `application_key`, `candidate_key` or the key of a dimension leads to the table that begins with it.
    """
    tables = {
        node["name"]: list(node["columns"])
        for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
        if node["schema"] == "recruiting" and node["name"].startswith(("dim_", "fct_", "bridge_"))
    }
    keys = {
        columns[0]: name for name, columns in tables.items() if name.startswith("dim_") or name == "fct_application"
    }
    return {
        name: {column: keys[column] for column in columns if column in keys and keys[column] != name}
        for name, columns in tables.items()
        if not name.startswith("dim_")
    }


def entity_diagram(manifest: dict[str, Any]) -> str:
    """The SVG: facts and bridges on the left with the columns that lead on, and what they lead to on the right."""
    found = {name: columns for name, columns in links(manifest).items() if columns}
    targets = sorted({target for columns in found.values() for target in columns.values()})
    colours = {target: COLOURS[place % len(COLOURS)] for place, target in enumerate(targets)}
    left, height = _placed({name: len(columns) for name, columns in found.items()})
    step = height // (len(targets) + 1)
    right = {target: step * (place + 1) for place, target in enumerate(targets)}
    body = [*_lines(found, left, right, colours), *_boxes(found, left, right, colours)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><title>How the published tables belong together</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )
    return "\n".join([head, *body, "</svg>", ""])


def path_diagram() -> str:
    """The SVG of the way of the data, from the source to the report: one lane for each place where they lie."""
    body = []
    for lane, (x, width) in LANES.items():
        shape = f'x="{x}" y="24" width="{width}" height="{LANE_HEIGHT - 34}" rx="6" fill="#eceff1" stroke="#b0bec5"'
        body += [f"<rect {shape}/>", _text(x + width // 2, 17, lane, "#37474f", is_bold=True)]
    for lane, y, name, what in STATIONS:
        x, width = LANES[lane]
        shape = f'x="{x + 8}" y="{y}" width="{width - 16}" height="{STATION}" rx="4" fill="#fafafa" stroke="#3f51b5"'
        middle = x + width // 2
        body += [f"<rect {shape}/>", _text(middle, y + 26, name, "#212121", is_bold=True)]
        body.append(_text(middle, y + 46, what, "#424242"))
    for step, here, there in zip(STEPS, STATIONS[:-1], STATIONS[1:], strict=True):
        body += _step(step, here, there)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {LANE_HEIGHT}" font-family="sans-serif" '
            'font-size="12"><title>The way of the data, from the source to the report</title>',
            '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
            '<path d="M0,0 L8,4 L0,8 Z" fill="#00796b"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{LANE_HEIGHT}" fill="#ffffff"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _step(step: str, here: tuple[str, int, str, str], there: tuple[str, int, str, str]) -> Iterator[str]:
    """An arrow with its words: above it between two lanes, beside it within one."""
    (x, width), (to_x, _) = LANES[here[0]], LANES[there[0]]
    if here[0] == there[0]:
        middle, down = x + width // 2 - 60, here[1] < there[1]
        start, end = (here[1] + STATION, there[1] - 2) if down else (here[1], there[1] + STATION + 2)
        line, words = (
            f"M{middle},{start} L{middle},{end}",
            _text(middle + 10, (start + end) // 2 + 4, step, "#00796b", "start"),
        )
    else:
        y = here[1] + STATION // 2
        line = f"M{x + width - 8},{y} L{to_x + 6},{y}"
        words = _text((x + width + to_x) // 2, y - 8, step, "#00796b")
    yield f'<path d="{line}" stroke="#00796b" stroke-width="1.5" fill="none" marker-end="url(#end)"/>'
    yield words


def _text(x: int, y: int, words: str, colour: str, anchor: str = "middle", *, is_bold: bool = False) -> str:
    weight = ' font-weight="bold"' if is_bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{weight} fill="{colour}">{escape(words)}</text>'


def _placed(rows: dict[str, int]) -> tuple[dict[str, int], int]:
    """The upper edge of each box on the left, and the height of all."""
    at, places = GAP, {}
    for name, n in rows.items():
        places[name] = at
        at += ROW * (n + 1) + 8 + GAP
    return places, at


def _lines(
    found: dict[str, dict[str, str]], left: dict[str, int], right: dict[str, int], colours: dict[str, str]
) -> Iterator[str]:
    for name, columns in found.items():
        for place, target in enumerate(columns.values()):
            y, to, middle = left[name] + ROW * (place + 2) - 3, right[target] + 13, (LEFT + BOX + RIGHT) // 2
            path = f"M{LEFT + BOX},{y} C{middle},{y} {middle},{to} {RIGHT},{to}"
            yield f'<path d="{path}" fill="none" stroke="{colours[target]}" stroke-width="1.5" opacity="0.7"/>'


def _boxes(
    found: dict[str, dict[str, str]], left: dict[str, int], right: dict[str, int], colours: dict[str, str]
) -> Iterator[str]:
    for name, columns in found.items():
        y = left[name]
        yield _box(LEFT, y, ROW * (len(columns) + 1) + 8, "#607d8b")
        yield f'<text x="{LEFT + 10}" y="{y + 16}" font-weight="bold" fill="#212121">{escape(name)}</text>'
        for place, (column, target) in enumerate(columns.items()):
            at = y + ROW * (place + 2) - 1
            yield f'<text x="{LEFT + 22}" y="{at}" fill="{colours[target]}">{escape(column)}</text>'
    for target, y in right.items():
        yield _box(RIGHT, y, 26, colours[target])
        yield f'<text x="{RIGHT + 10}" y="{y + 17}" font-weight="bold" fill="#212121">{escape(target)}</text>'


def _box(x: int, y: int, height: int, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{BOX}" height="{height}" rx="4" fill="#fafafa" stroke="{colour}"/>'
