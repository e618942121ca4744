"""The report's charts, as Vega-Lite by Altair: how rows become marks.

Belongs here: marks, channels, axes. Not here: rows (the page fills `rows` and its fellows when its reader filters),
words (`$key` stands for a text of the page's language), colours: they are the page's own CSS variables, so that light,
dark and print need no new chart.
"""

from typing import Any, Final

import altair as alt

BAR: Final = 18
ROW: Final = 54
"""A lane's height; the page adds to it where it is narrow."""
BELOW: Final = alt.expr("narrow ? 14 : 8")
"""Where a bar is in its lane: under its head."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
RIBBON: Final = "var(--passed)"
AT_RISK_LINES: Final = 52
"""Pixels from a curve's axis to the numbers under it."""

Layers = alt.LayerChart | alt.FacetChart


def charts() -> dict[str, dict[str, Any]]:
    """Every chart by name, as Vega-Lite without data."""
    made: dict[str, Layers] = {
        "parts": _parts(),
        "funnel": _funnel(),
        "heat": _heat(),
        "survival": _survival(),
        "incidence": _incidence(),
        "quantiles": _quantiles(),
        "rates": _rates(),
        "trend": _trend(),
        "syncs": _syncs(),
    }
    return {name: chart.properties(config=_config()).to_dict() for name, chart in made.items()}


def _rows(name: str = "rows") -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _config() -> alt.Config:
    return alt.Config(
        # a chart is one picture with a text; its numbers are in the table beside it
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


def _lane(axis: alt.Axis | None = None) -> alt.Y:
    """A lane for each row, in the order of the rows; what it is about is written above its bar."""
    return alt.Y("lane:N", sort=None, axis=axis, scale=alt.Scale(padding=0))


def _heads() -> list[alt.Chart]:
    """The lane's name, and what there is to say of it, above its bar; in two lines where it is narrow."""
    heads = _rows("heads").encode(y=_lane())
    name = heads.mark_text(align="left", baseline="middle", dy=alt.expr("narrow ? -25 : -15"), fontWeight=600).encode(
        x=alt.value(0), text="name:N"
    )
    said = heads.mark_text(
        align=alt.expr("narrow ? 'left' : 'right'"), baseline="middle", dy=alt.expr("narrow ? -9 : -15"), fill=MUTED
    ).encode(x=alt.value(alt.expr("narrow ? 0 : width")), text="said:N")
    return [name, said]


def _counts(title: str) -> alt.X:
    return alt.X(
        "start:Q",
        title=title,
        axis=alt.Axis(labelExpr="format(datum.value, axisFormat)", tickCount=5, tickMinStep=alt.expr("tickStep")),
        scale=alt.Scale(domainMin=0, nice=False),
    )


def _bars() -> alt.Chart:
    bars: alt.Chart = _rows().mark_bar(size=BAR, yOffset=BELOW, stroke="var(--paper)", strokeWidth=1)
    bars = bars.encode(x=_counts("$axis.own"), x2="end:Q", y=_lane(), tooltip=alt.Tooltip("tip:N"))
    return bars.encode(fill=alt.Fill("fill:N", scale=None))


def _lane_params() -> list[alt.Parameter]:
    return [alt.param(name="narrow", value=False)]


def _axis_params() -> list[alt.Parameter]:
    return [*_lane_params(), alt.param(name="axisFormat", value=",d"), alt.param(name="tickStep", value=1)]


def _parts() -> Layers:
    """Bars that are split into parts, a lane each."""
    return alt.layer(_bars(), *_heads()).add_params(*_axis_params()).properties(height=alt.Step(ROW))


def _funnel() -> Layers:
    """Parts, and a whisker from the fewest to the most that can yet go on."""
    whisker = _rows("whiskers").encode(y=_lane())
    line = whisker.mark_rule(yOffset=BELOW, stroke=INK, strokeWidth=1.5).encode(x="low:Q", x2="high:Q")
    ends = [
        whisker.mark_tick(yOffset=BELOW, orient="vertical", size=BAR - 6, thickness=1.5, color=INK).encode(x=f"{end}:Q")
        for end in ("low", "high")
    ]
    return alt.layer(_bars(), line, *ends, *_heads()).add_params(*_axis_params()).properties(height=alt.Step(ROW))


def _heat() -> Layers:
    """Cohorts by age; immature cells are hatched."""
    cells = _rows().encode(
        x=alt.X(
            "age:N",
            sort=None,
            title="$axis.age",
            axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
            scale=alt.Scale(padding=0),
        ),
        y=alt.Y(
            "cohort:N",
            sort=None,
            title=None,
            axis=alt.Axis(domain=False, ticks=False, labelColor=INK),
            scale=alt.Scale(padding=0),
        ),
        tooltip=alt.Tooltip("tip:N"),
    )
    return alt.layer(
        cells.mark_rect(stroke="var(--paper)", strokeWidth=2).encode(fill=alt.Fill("fill:N", scale=None)),
        cells.transform_filter("datum.hatch")
        .mark_rect(stroke="var(--paper)", strokeWidth=2)
        .encode(fill=alt.Fill("hatch:N", scale=None)),
        cells.mark_text(fontSize=12, baseline="middle").encode(text="said:N", fill=alt.Fill("ink:N", scale=None)),
    ).properties(height=alt.Step(30))


def _day(title: str = "$axis.days") -> alt.X:
    return alt.X(
        "day:Q",
        title=title,
        axis=alt.Axis(grid=False, values=alt.expr("dayTicks"), format="d", titleAnchor="end"),
        scale=alt.Scale(domainMin=0, domainMax=alt.expr("dayMax"), nice=False),
    )


def _share(field: str, title: str) -> alt.Y:
    return alt.Y(
        f"{field}:Q",
        title=title,
        axis=alt.Axis(format=".0%", tickCount=5, titleAngle=0, titleAlign="left", titleY=-10, titleX=0),
        scale=alt.Scale(domainMin=0, domainMax=alt.expr("shareMax"), nice=False),
    )


def _curve(*layers: alt.Chart) -> Layers:
    """Curves over days, and under them how many are still at risk."""
    at_risk = (
        _rows("risk")
        .mark_text(fontSize=12, fill=MUTED, baseline="top")
        .encode(x="day:Q", y=alt.value(alt.expr(f"height + {AT_RISK_LINES}")), text="said:N")
    )
    title = (
        _rows("riskTitle")
        .mark_text(fontSize=12, fill=MUTED, baseline="top", align="left")
        .encode(x=alt.value(0), y=alt.value(alt.expr(f"height + {AT_RISK_LINES - 18}")), text="said:N")
    )
    params = [
        alt.param(name="dayTicks", value=[0, 30, 60, 90]),
        alt.param(name="dayMax", value=90),
        alt.param(name="shareMax", value=1),
    ]
    return alt.layer(*layers, at_risk, title).add_params(*params).properties(height=280)


def _survival() -> Layers:
    """Lines that fall in steps, with the ribbon between their bounds and, paler, the sampling error around it."""
    rows = _rows().encode(x=_day(), detail="lane:N")
    outer = rows.mark_area(interpolate="step-after", opacity=0.14).encode(
        y=_share("low", "$axis.waiting"), y2="high:Q", fill=alt.Fill("fill:N", scale=None)
    )
    ribbon = rows.mark_area(interpolate="step-after", opacity=0.5).encode(
        y="lo:Q", y2="hi:Q", fill=alt.Fill("fill:N", scale=None)
    )
    edges = [
        rows.mark_line(interpolate="step-after", strokeWidth=1.5).encode(
            y=f"{end}:Q", stroke=alt.Stroke("fill:N", scale=None)
        )
        for end in ("lo", "hi")
    ]
    half = _rows("marks").mark_rule(stroke=INK, strokeDash=[3, 3], strokeWidth=1)
    marks = [
        half.encode(x="day:Q", x2=alt.value(0), y="share:Q"),
        half.encode(x="day:Q", y="share:Q", y2=alt.value(alt.expr("height"))),
        _rows("marks")
        .mark_text(align="left", baseline="bottom", dx=6, dy=-5, fontWeight=600)
        .encode(x="day:Q", y="share:Q", text="said:N"),
    ]
    return _curve(outer, ribbon, *edges, *marks)


def _incidence() -> Layers:
    """What became of them by then, stacked to one; the hired at the bottom, with their ribbon's edges."""
    rows = _rows().encode(x=_day(), detail="lane:N", order="place:Q")
    areas = rows.mark_area(interpolate="step-after").encode(
        y=_share("low", "$axis.share"), y2="high:Q", fill=alt.Fill("fill:N", scale=None)
    )
    edges = (
        _rows("edges")
        .mark_line(interpolate="step-after", stroke=INK, strokeWidth=1, strokeDash=[2, 2])
        .encode(x="day:Q", y="share:Q", detail="lane:N")
    )
    names = (
        _rows("names")
        .mark_text(align="right", dx=-6, fontSize=12, fontWeight=600)
        .encode(x=alt.value(alt.expr("width")), y="share:Q", text="said:N", fill=alt.Fill("ink:N", scale=None))
    )
    return _curve(areas, edges, names)


def _quantiles() -> Layers:
    """The middle half as a bar, up to the ninth tenth as a line, the median as a notch."""
    rows = _rows().encode(y=_lane(), tooltip=alt.Tooltip("tip:N"))
    x = alt.X(
        "p25:Q",
        title="$axis.days_long",
        scale=alt.Scale(type="symlog", domainMin=0, domainMax=alt.expr("dayMax"), nice=False),
        axis=alt.Axis(values=alt.expr("dayTicks"), format="d"),
    )
    fill, stroke = alt.Fill("fill:N", scale=None), alt.Stroke("fill:N", scale=None)
    layers = [
        rows.mark_rule(yOffset=BELOW, strokeWidth=1.5).encode(x="p75:Q", x2="p90:Q", stroke=stroke),
        rows.mark_bar(size=BAR - 6, yOffset=BELOW).encode(x=x, x2="p75:Q", fill=fill),
        rows.mark_tick(yOffset=BELOW, orient="vertical", size=BAR, thickness=3, color=INK).encode(x="p50:Q"),
    ]
    params = [*_lane_params(), alt.param(name="dayTicks", value=[0, 1, 3, 7]), alt.param(name="dayMax", value=7)]
    return alt.layer(*layers, *_heads()).add_params(*params).properties(height=alt.Step(ROW - 6))


def _rates() -> Layers:
    """Dots with Wilson's interval."""
    rows = _rows().encode(y=_lane(), tooltip=alt.Tooltip("tip:N"))
    x = alt.X(
        "low:Q", title="$axis.rate", scale=alt.Scale(domainMin=0, nice=True), axis=alt.Axis(format=".0%", tickCount=5)
    )
    layers = [
        rows.mark_rule(yOffset=BELOW, strokeWidth=2).encode(x=x, x2="high:Q", stroke=alt.Stroke("fill:N", scale=None)),
        rows.mark_point(yOffset=BELOW, size=110, filled=True, opacity=1, stroke="var(--paper)", strokeWidth=1.5).encode(
            x="rate:Q", fill=alt.Fill("fill:N", scale=None)
        ),
    ]
    return alt.layer(*layers, *_heads()).add_params(*_lane_params()).properties(height=alt.Step(ROW - 8))


def _on() -> alt.X:
    return alt.X(
        "on:T",
        title=None,
        scale=alt.Scale(type="utc", domainMin=alt.expr("since"), domainMax=alt.expr("until")),
        axis=alt.Axis(grid=False, tickCount=7, format="$axis.day_format", labelOverlap="greedy", labelSeparation=8),
    )


def _period() -> list[alt.Parameter]:
    """From when to when, in milliseconds: charts above each other share it."""
    return [alt.param(name="since", value=0), alt.param(name="until", value=1)]


def _trend() -> Layers:
    """A line per panel's measure over weeks, and its last point."""
    rows = _rows().encode(x=_on())
    y = alt.Y("n:Q", title=None, axis=alt.Axis(tickCount=3, format=",d"), scale=alt.Scale(domainMin=0, nice=True))
    layers = [
        rows.mark_area(interpolate="linear", opacity=0.15).encode(y=y.stack(None), fill=alt.Fill("fill:N", scale=None)),
        rows.mark_line(interpolate="linear", strokeWidth=2).encode(y="n:Q", stroke=alt.Stroke("fill:N", scale=None)),
        rows.mark_point(size=36, filled=True, opacity=1).encode(
            y="n:Q", fill=alt.Fill("fill:N", scale=None), tooltip=alt.Tooltip("tip:N")
        ),
    ]
    return alt.layer(*layers).add_params(*_period()).properties(height=130)


def _syncs() -> Layers:
    """Syncs along time: how much each found."""
    rows = _rows().encode(x=_on(), tooltip=alt.Tooltip("tip:N"))
    y = alt.Y("n:Q", title="$axis.requests", axis=alt.Axis(tickCount=4, format=",d"), scale=alt.Scale(domainMin=0))
    stroke, floor = alt.Stroke("fill:N", scale=None), alt.value(alt.expr("height"))
    return (
        alt.layer(
            rows.mark_rule(strokeWidth=2).encode(y=y, y2=floor, stroke=stroke),
            rows.mark_point(size=50, filled=True, opacity=1).encode(y="n:Q", fill=alt.Fill("fill:N", scale=None)),
        )
        .add_params(*_period())
        .properties(height=160)
    )
