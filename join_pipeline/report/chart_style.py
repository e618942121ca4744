"""The common parts of the report's charts: fonts, colours, and the rows that a mark is drawn from.

Colours are CSS variables of the page, so that light, dark and print use the same charts.
Belongs here: what several modules of charts need. Not here: a chart (lane_charts, time_charts).
"""

from typing import Final

import altair as alt

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"

Layers = alt.LayerChart | alt.FacetChart


def rows_of(name: str = "rows") -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def config() -> alt.Config:
    return alt.Config(
        # a screen reader gets the chart as one picture with a text, and the numbers from the table beside it
        aria=False,
        mark=alt.MarkConfig(aria=False),
        background="transparent",
        font=FONT,
        padding={"left": 2, "right": 12, "top": 6, "bottom": 4},
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=MUTED,
            titleColor=MUTED,
            domainColor="var(--rule)",
            tickColor="var(--rule)",
            gridColor="var(--grid)",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=8,
            labelPadding=6,
            labelLimit=320,
            tickSize=4,
        ),
        text=alt.MarkConfig(color=INK, fontSize=13),
    )
