"""The diagram of how the published tables belong together, as SVG, made from the columns of the models.

Belongs here: which tables are in it, and drawing. Not here: writing the file (make).
"""

from collections.abc import Iterator
from html import escape
from typing import Any

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
