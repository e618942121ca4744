"""Small pictures of marts, which Dagster shows with a run: funnel, waiting, speed.

Belongs here: shared models of the warehouse as PNG. Not here: the report's charts, which a reader filters (charts).
"""

from typing import Any, Final

import altair as alt
import duckdb
import vl_convert

WIDTH: Final = 460
COLOURS: Final = {"moved on": "#2a6f97", "waiting": "#e0b252", "out": "#a3a8ad"}
QUERIES: Final = {
    "fct_funnel_cohort": """
        SELECT milestone, sum(n_moved_on) AS "moved on", sum(n_waiting) AS waiting, sum(n_out) AS out
        FROM recruiting.fct_funnel_cohort
        WHERE scope = 'overall' AND cohort_grain = 'month' AND NOT is_suppressed AND milestone <> 'HIRED'
        GROUP BY milestone, milestone_rank ORDER BY milestone_rank""",
    "fct_survival": """
        SELECT day, 1 - max(survival) AS decided_least, 1 - min(survival) AS decided_most,
            min(incidence_hired) AS hired_least, max(incidence_hired) AS hired_most
        FROM recruiting.fct_survival
        WHERE question = 'hire' AND scope = 'overall'
        GROUP BY day ORDER BY day""",
    "mart_speed": """
        SELECT replace(metric, '_', ' ') || ' (' || n || ')' AS metric, days_p25, days_p50, days_p75
        FROM recruiting.mart_speed
        WHERE scope = 'overall' AND period_grain = 'all' AND days_p50 IS NOT NULL
        ORDER BY metric""",
}
"""The query for the rows of each mart's picture."""


def draw(con: duckdb.DuckDBPyConnection) -> dict[str, bytes]:
    """The PNG of each mart by its name. A mart that shows nothing yet has none."""
    rows = {mart: _records(con.execute(query)) for mart, query in QUERIES.items()}
    return {
        mart: vl_convert.vegalite_to_png(DRAWN[mart](alt.Chart({"values": found})).to_dict())
        for mart, found in rows.items()
        if found
    }


def _records(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows by the names of their columns. A frame of pandas would cost its import, a third of a second."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _funnel(rows: alt.Chart) -> Any:
    fates: list[Any] = list(COLOURS)
    bars = rows.transform_fold(fates, as_=["fate", "applications"]).mark_bar()
    bars = bars.transform_calculate(place=f"indexof({fates}, datum.fate)")
    return bars.encode(
        x=alt.X("applications:Q", title="applications that reached it, all cohorts; on from OFFER: hired"),
        y=alt.Y("milestone:N", sort=None, title=None),
        color=alt.Color("fate:N", scale=alt.Scale(domain=fates, range=list(COLOURS.values())), title=None),
        order="place:Q",
    ).properties(width=WIDTH, height=alt.Step(26))


def _curves(rows: alt.Chart) -> Any:
    days = alt.X("day:Q", title="days after applying")
    layers = [
        rows.mark_area(interpolate="step-after", opacity=0.6, line={"color": colour}, color=colour).encode(
            x=days, y=alt.Y(f"{name}_least:Q", title=title, axis=alt.Axis(format=".0%")), y2=f"{name}_most:Q"
        )
        for name, colour, title in (
            ("decided", COLOURS["out"], "decided (grey), of them hired (blue)"),
            ("hired", COLOURS["moved on"], ""),
        )
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=180)


def _quartiles(rows: alt.Chart) -> Any:
    y = alt.Y("metric:N", title=None)
    half = rows.mark_bar(size=12, color=COLOURS["moved on"])
    middle = rows.mark_tick(size=20, thickness=3, color="black")
    return alt.layer(
        half.encode(x=alt.X("days_p25:Q", title="days: middle half and median"), x2="days_p75:Q", y=y),
        middle.encode(x="days_p50:Q", y=y),
    ).properties(width=WIDTH, height=alt.Step(26))


DRAWN: Final = {"fct_funnel_cohort": _funnel, "fct_survival": _curves, "mart_speed": _quartiles}
