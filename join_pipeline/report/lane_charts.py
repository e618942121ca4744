"""Charts in lanes. Each row of the data is a lane, with its name and a sentence above its marks.

Belongs here: marks, channels and axes of lanes, and the heat map of cohorts. Not here: charts over days and weeks
(time_charts).
"""

from typing import Final

import altair as alt

from join_pipeline.report.chart_style import INK, MUTED, Layers, rows_of

BAR: Final = 18
ROW: Final = 54
"""A lane's height in pixels. A narrow page makes it higher."""
BELOW: Final = alt.expr("narrow ? 14 : 8")
"""The offset of a bar in its lane, in pixels, so that it lies under the lane's head."""


def _lane(axis: alt.Axis | None = None) -> alt.Y:
    """A lane for each row, in the order of the rows. It has no axis labels, because its head is above its bar."""
    return alt.Y("lane:N", sort=None, axis=axis, scale=alt.Scale(padding=0))


def _heads() -> list[alt.Chart]:
    """The lane's name and its sentence above the bar, in two lines on a narrow page."""
    heads = rows_of("heads").encode(y=_lane())
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
    bars: alt.Chart = rows_of().mark_bar(size=BAR, yOffset=BELOW, stroke="var(--paper)", strokeWidth=1)
    bars = bars.encode(x=_counts("$axis.own"), x2="end:Q", y=_lane(), tooltip=alt.Tooltip("tip:N"))
    return bars.encode(fill=alt.Fill("fill:N", scale=None))


def _lane_params() -> list[alt.Parameter]:
    return [alt.param(name="narrow", value=False)]


def _axis_params() -> list[alt.Parameter]:
    return [*_lane_params(), alt.param(name="axisFormat", value=",d"), alt.param(name="tickStep", value=1)]


def parts() -> Layers:
    """Bars that are split into parts, one per lane."""
    return alt.layer(_bars(), *_heads()).add_params(*_axis_params()).properties(height=alt.Step(ROW))


def funnel() -> Layers:
    """Parts, with a whisker from the fewest to the most applications that can still move on."""
    whisker = rows_of("whiskers").encode(y=_lane(), tooltip=alt.Tooltip("tip:N"))
    marks: list[alt.Chart] = []
    # a pale rim makes the whisker stand out from every colour of a bar
    for colour, more in (("var(--paper)", 3), (INK, 0)):
        marks.append(
            whisker.mark_rule(yOffset=BELOW, stroke=colour, strokeWidth=2 + more).encode(x="low:Q", x2="high:Q")
        )
        marks.extend(
            whisker.mark_tick(
                yOffset=BELOW, orient="vertical", size=BAR - 4 + more, thickness=2 + more, color=colour
            ).encode(x=f"{end}:Q")
            for end in ("low", "high")
        )
    return alt.layer(_bars(), *marks, *_heads()).add_params(*_axis_params()).properties(height=alt.Step(ROW))


def heat() -> Layers:
    """A heat map of cohorts by age. Immature cells are hatched."""
    cells = rows_of().encode(
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


def quantiles() -> Layers:
    """Quantiles of days: a bar from the 25th to the 75th percentile, a line to the 90th, a notch at the median."""
    rows = rows_of().encode(y=_lane(), tooltip=alt.Tooltip("tip:N"))
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


def rates() -> Layers:
    """Rates as dots with Wilson's 95 % score interval."""
    rows = rows_of().encode(y=_lane(), tooltip=alt.Tooltip("tip:N"))
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


def interval() -> Layers:
    """Expected numbers as dots, with a band of 80 % and a line of 95 %."""
    rows = rows_of().encode(y=_lane(), tooltip=alt.Tooltip("tip:N"))
    x = alt.X(
        "low_95:Q", title="$axis.own", scale=alt.Scale(domainMin=0, nice=True), axis=alt.Axis(format=",d", tickCount=5)
    )
    fill, stroke = alt.Fill("fill:N", scale=None), alt.Stroke("fill:N", scale=None)
    layers = [
        rows.mark_rule(yOffset=BELOW, strokeWidth=2).encode(x=x, x2="high_95:Q", stroke=stroke),
        rows.mark_bar(size=BAR - 8, yOffset=BELOW, opacity=0.4).encode(x="low_80:Q", x2="high_80:Q", fill=fill),
        rows.mark_point(yOffset=BELOW, size=110, filled=True, opacity=1, stroke="var(--paper)", strokeWidth=1.5).encode(
            x="expected:Q", fill=fill
        ),
    ]
    return alt.layer(*layers, *_heads()).add_params(*_lane_params()).properties(height=alt.Step(ROW - 6))
