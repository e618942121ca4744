"""Charts over time: curves over days since the application, and lines over weeks.

Belongs here: marks, channels and axes of days and dates. Not here: charts in lanes (lane_charts).
"""

from typing import Final

import altair as alt

from join_pipeline.report.chart_style import INK, Layers, rows_of

LEFT: Final = 46
"""The room for a time chart's labels, in pixels. It is the same in all, so that their plots are of one width."""


def _day(title: str = "$axis.days") -> alt.X:
    return alt.X(
        "day:Q",
        title=title,
        axis=alt.Axis(grid=False, values=alt.expr("dayTicks"), format="d", titleAnchor="end"),
        scale=alt.Scale(domainMin=0, domainMax=alt.expr("dayMax"), nice=False),
    )


def _share(field: str, title: str) -> alt.Y:
    """A share, told as so many of 100."""
    return alt.Y(
        f"{field}:Q",
        title=title,
        axis=alt.Axis(
            labelExpr="format(datum.value * 100, 'd')",
            tickCount=5,
            titleAngle=0,
            titleAlign="left",
            titleY=-10,
            titleX=0,
            minExtent=LEFT,
            maxExtent=LEFT,
        ),
        scale=alt.Scale(domain=[0, 1], nice=False),
    )


def _curve(*layers: alt.Chart) -> Layers:
    """Curves over days. The names of what they show stand at their ends."""
    names = (
        rows_of("names")
        .mark_text(align="left", dx=8, fontSize=12, fontWeight=600, fill=INK, baseline="middle", clip=False)
        .encode(x=alt.value(alt.expr("width")), y="share:Q", text="said:N")
    )
    # what nobody sees makes the room for names the same in all curves
    room = rows_of("names").mark_point(opacity=0, size=1).encode(x=alt.value(alt.expr("width + room")), y=alt.value(0))
    params = [
        alt.param(name="dayTicks", value=[0, 30, 60, 90]),
        alt.param(name="dayMax", value=90),
        alt.param(name="room", value=100),
    ]
    return alt.layer(*layers, names, room).add_params(*params).properties(height=230)


def survival() -> Layers:
    """Survival curves: step lines, the ribbon between their bounds and, paler, the sampling error around it."""
    rows = rows_of().encode(x=_day(), detail="lane:N")
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
    half = rows_of("marks").mark_rule(stroke=INK, strokeDash=[3, 3], strokeWidth=1)
    marks = [
        half.encode(x="day:Q", x2=alt.value(0), y="share:Q"),
        half.encode(x="day:Q", y="share:Q", y2=alt.value(alt.expr("height"))),
        rows_of("marks")
        .mark_text(align="left", baseline="bottom", dx=6, dy=-5, fontWeight=600)
        .encode(x="day:Q", y="share:Q", text="said:N"),
    ]
    return _curve(outer, ribbon, *edges, *marks)


def incidence() -> Layers:
    """Cumulative incidences of the outcomes, stacked to one. The hired are at the bottom."""
    rows = rows_of().encode(x=_day(), detail="lane:N", order="place:Q", tooltip=alt.Tooltip("tip:N"))
    areas = rows.mark_area(interpolate="step-after", stroke="var(--paper)", strokeWidth=1).encode(
        y=_share("low", "$axis.of_100"), y2="high:Q", fill=alt.Fill("fill:N", scale=None)
    )
    return _curve(areas)


def _on() -> alt.X:
    return alt.X(
        "on:T",
        title=None,
        scale=alt.Scale(type="utc", domainMin=alt.expr("since"), domainMax=alt.expr("until")),
        axis=alt.Axis(grid=False, tickCount=7, format="$axis.day_format", labelOverlap="greedy", labelSeparation=8),
    )


def _counts(ticks: int) -> alt.Axis:
    return alt.Axis(tickCount=ticks, format=",d", tickMinStep=1, minExtent=LEFT, maxExtent=LEFT)


def _period() -> list[alt.Parameter]:
    """The period in milliseconds since 1970. Charts above each other share it."""
    return [alt.param(name="since", value=0), alt.param(name="until", value=1)]


def trend() -> Layers:
    """The line of a panel's measure over weeks, with its points."""
    rows = rows_of().encode(x=_on())
    y = alt.Y("n:Q", title=None, axis=_counts(3), scale=alt.Scale(domainMin=0, nice=True))
    layers = [
        rows.mark_area(interpolate="linear", opacity=0.15).encode(y=y.stack(None), fill=alt.Fill("fill:N", scale=None)),
        rows.mark_line(interpolate="linear", strokeWidth=2).encode(y="n:Q", stroke=alt.Stroke("fill:N", scale=None)),
        rows.mark_point(size=36, filled=True, opacity=1).encode(
            y="n:Q", fill=alt.Fill("fill:N", scale=None), tooltip=alt.Tooltip("tip:N")
        ),
    ]
    return alt.layer(*layers).add_params(*_period()).properties(height=130)


def syncs() -> Layers:
    """Syncs over time, with the number of requests of each."""
    rows = rows_of().encode(x=_on(), tooltip=alt.Tooltip("tip:N"))
    y = alt.Y("n:Q", title="$axis.requests", axis=_counts(4), scale=alt.Scale(domainMin=0))
    stroke, floor = alt.Stroke("fill:N", scale=None), alt.value(alt.expr("height"))
    return (
        alt.layer(
            rows.mark_rule(strokeWidth=2).encode(y=y, y2=floor, stroke=stroke),
            rows.mark_point(size=50, filled=True, opacity=1).encode(y="n:Q", fill=alt.Fill("fill:N", scale=None)),
        )
        .add_params(*_period())
        .properties(height=160)
    )


def years() -> Layers:
    """A line per year over the months of the year. The newest year is strong, and the others are pale."""
    rows = rows_of().encode(
        x=alt.X("month:O", sort=None, title=None, axis=alt.Axis(grid=False, labelAngle=0, labelOverlap="greedy")),
        detail="lane:N",
        tooltip=alt.Tooltip("tip:N"),
    )
    y = alt.Y("n:Q", title=None, axis=_counts(4), scale=alt.Scale(domainMin=0, nice=True))
    return alt.layer(
        rows.mark_line(strokeWidth=2).encode(y=y, stroke=alt.Stroke("fill:N", scale=None)),
        rows.mark_point(size=44, filled=True, opacity=1, strokeWidth=2).encode(
            y="n:Q", fill=alt.Fill("inside:N", scale=None), stroke=alt.Stroke("fill:N", scale=None)
        ),
    ).properties(height=170)
