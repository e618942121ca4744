"""The page over all companies: who waits, who is slow, benchmarks, and which companies are in it.

It is one HTML file in the look of the report. It loads nothing, and both languages are in it. All of its numbers come
from portfolio.duckdb, in which small groups are hidden. Bars are in the cells of the tables that have their numbers.
Belongs here: reading that file, and making the page. Not here: words (words), how the figures are made (tables).
"""

import base64
import contextlib
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, Final

import duckdb

from join_pipeline.portfolio.tables import LEAST_APPLICATIONS, LEAST_COMPANIES
from join_pipeline.portfolio.words import Both, day, number, percent, said, texts

Row = dict[str, Any]
Cell = Both | str
METRICS: Final = ("time_to_hire", "time_to_fill", "time_to_decision", "time_to_first_movement")
_WAITING: Final = """
    SELECT waits.*, most.milestone AS most_at
    FROM who_waits_by_company AS waits LEFT JOIN (
        SELECT connection, arg_max(milestone, n_open) AS milestone FROM who_waits_by_company
        WHERE milestone <> 'all' AND n_open > 0 GROUP BY connection
    ) AS most USING (connection)
    WHERE waits.milestone = 'all' ORDER BY share_stuck DESC NULLS LAST, n_open_at_least DESC, connection
"""
_SLOW: Final = """
    SELECT hires.*, {medians}
    FROM who_is_slow_by_company AS hires
    WHERE metric = 'time_to_hire' ORDER BY days_p50 DESC NULLS LAST, connection
""".format(
    medians=", ".join(
        f"""(SELECT any_value(days_p50) FROM who_is_slow_by_company AS other
        WHERE other.connection = hires.connection AND other.metric = '{metric}') AS {metric}"""
        for metric in METRICS[1:]
    )
)


def page(portfolio: Path, language: str | None) -> str:
    """The page of a portfolio.duckdb, as HTML. `language` is the one in which it opens; None: the browser's."""
    with contextlib.closing(duckdb.connect(portfolio, read_only=True)) as con:
        con.execute("SET TimeZone = 'UTC'")
        companies = _rows(con, "FROM companies ORDER BY state = 'ok', connection")
        waiting, slow = _rows(con, _WAITING), _rows(con, _SLOW)
        benchmarks = _rows(con, "FROM benchmarks ORDER BY unit, metric")
    script = _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    titles = {f"title_{one}": html.escape(words["title"]) for one, words in texts().items()}
    first = language or "en"
    return Template(_asset("page.html")).substitute(
        titles,
        language=first,
        fixed=language or "",
        title=titles[f"title_{first}"],
        digest=f"sha256-{digest}",
        style=_report_style() + _asset("page.css"),
        script=script,
        skip=said("skip"),
        kicker=said("kicker", n=len(waiting)),
        headline=_headline(waiting),
        of=_of(companies),
        tiles="".join(_tiles(companies, waiting, benchmarks)),
        sections="\n".join([_waits(waiting), _slow(slow), _benchmarks(benchmarks), _companies(companies)]),
        footer=said("footer"),
        privacy=said("privacy"),
    )


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _headline(waiting: Sequence[Row]) -> Both:
    if not waiting:
        return said("headline.none")
    is_hidden = any(row["is_suppressed"] for row in waiting)
    open_, stuck = _sum(waiting, "n_open_at_least"), _sum(waiting, "n_stuck")
    return said("headline.at_least" if is_hidden else "headline", open=open_, n=len(waiting), stuck=stuck)


def _of(companies: Sequence[Row]) -> Both:
    days = sorted(row["as_of"] for row in companies if row["state"] != "left out" and row["as_of"])
    return said("of", **{"from": day(days[0]), "to": day(days[-1])}) if days else said("of.none")


def _tiles(companies: Sequence[Row], waiting: Sequence[Row], benchmarks: Sequence[Row]) -> Iterator[str]:
    states = [row["state"] for row in companies]
    out, old = states.count("left out"), states.count("old")
    yield _tile(said("tile.companies"), number(len(waiting)), said("tile.companies.of", left_out=out, old=old))
    is_hidden = any(row["is_suppressed"] for row in waiting)
    of = said("tile.open.least" if is_hidden else "tile.open.of")
    yield _tile(said("tile.open"), number(_sum(waiting, "n_open_at_least")), of)
    yield _tile(said("tile.stuck"), number(_sum(waiting, "n_stuck")), said("tile.stuck.of"))
    late = [row for row in waiting if row["n_overdue"] is not None]
    if late:
        yield _tile(said("tile.overdue"), number(_sum(late, "n_overdue")), said("tile.overdue.of", n=len(late)))
    for row in benchmarks:
        if row["metric"] == "time_to_hire" and row["p50"] is not None:
            yield _tile(said("tile.hire"), number(row["p50"], 1), said("tile.hire.of", n=row["n_companies"]))


def _tile(name: Both, value: Both, of: Both) -> str:
    return f"<div><dt>{name}</dt><dd><b>{value}</b><span>{of}</span></dd></div>"


def _waits(waiting: Sequence[Row]) -> str:
    shown = [row for row in waiting if row["n_open_at_least"] or row["is_suppressed"]]
    if not shown:
        return _section("waits", said("waits.intro"), f'<p class="missing">{said("missing.waits")}</p>')
    legend = _legend("certain", "possible", "open")
    columns = ("company", "share", "open", "stuck", "share_stuck", "overdue", "most")
    rows = (
        [
            row["connection"],
            _share_bar(row),
            number(row["n_open"]) if row["n_open"] is not None else said("least", n=row["n_open_at_least"]),
            number(row["n_stuck"]) if row["n_stuck"] is not None else said("hidden"),
            percent(row["share_stuck"]),
            number(row["n_overdue"]),
            said(f"milestone.{row['most_at']}") if row["most_at"] else number(None),
        ]
        for row in shown
    )
    return _section("waits", said("waits.intro"), legend + _table("waits", columns, rows))


def _slow(slow: Sequence[Row]) -> str:
    shown = [row for row in slow if row["days_p50"] is not None]
    if not shown:
        return _section("slow", said("slow.intro"), f'<p class="missing">{said("missing.slow")}</p>')
    most = max(max(row["days_p75"] or 0, row["days_p50"]) for row in shown) or 1.0
    columns = ("company", "days", "hires", *METRICS)
    rows = (
        [
            row["connection"],
            _days_bar(row, most),
            number(row["n"]),
            number(row["days_p50"], 1),
            *(number(row[metric], 1) for metric in METRICS[1:]),
        ]
        for row in shown
    )
    return _section("slow", said("slow.intro"), _legend("middle", "median") + _table("slow", columns, rows))


def _benchmarks(benchmarks: Sequence[Row]) -> str:
    intro = said("benchmarks.intro", least=LEAST_COMPANIES, applications=LEAST_APPLICATIONS)
    told = [row for row in benchmarks if not row["is_suppressed"]]
    if not told:
        none = said("benchmarks.none", least=LEAST_COMPANIES)
        return _section("benchmarks", intro, f'<p class="missing">{none}</p>')
    rows = (
        [said(f"metric.{row['metric']}"), number(row["n_companies"]), *(_told(row, at) for at in ("p25", "p50", "p75"))]
        for row in told
    )
    return _section("benchmarks", intro, _table("benchmarks", ("metric", "n", "p25", "p50", "p75"), rows))


def _told(row: Row, at: str) -> Both:
    return percent(row[at]) if row["unit"] == "share" else number(row[at], 1)


def _companies(companies: Sequence[Row]) -> str:
    rows = (
        [
            row["connection"],
            day(row["as_of"]),
            number(row["n_applications"]),
            _Text(f"{said('state.' + row['state'])}{_why(row['message'])}"),
        ]
        for row in companies
    )
    columns = ("company", "as_of", "applications", "state")
    return _section("companies", said("companies.intro"), _table("companies", columns, rows))


def _why(message: str | None) -> str:
    return f': <span lang="en-GB">{html.escape(message)}</span>' if message else ""


class _Text(str):
    """HTML that fills a cell to its left."""


class _Bar(str):
    """HTML of a bar."""


def _share_bar(row: Row) -> _Bar:
    """Stuck ones of the open ones in open jobs; empty where that is hidden or too few."""
    if row["share_stuck"] is None:
        return _Bar("")
    certain = row["n_certainly_stuck"] / (row["n_open"] - row["n_in_closed_job"])
    return _bar([("rest", 0, 1), ("possible", 0, row["share_stuck"]), ("certain", 0, certain)])


def _days_bar(row: Row, most: float) -> _Bar:
    low, high = row["days_p25"], row["days_p75"]
    box = [] if low is None or high is None else [("middle", low / most, high / most)]
    at = row["days_p50"] / most
    return _bar([*box, ("median", max(at - 0.004, 0), at + 0.004)])


def _bar(parts: Iterable[tuple[str, float, float]]) -> _Bar:
    drawn = "".join(
        f'<rect class="{kind}" x="{100 * low:.1f}%" width="{100 * (high - low):.1f}%" height="100%"/>'
        for kind, low, high in parts
    )
    return _Bar(f'<svg aria-hidden="true" focusable="false"><line x1="0" x2="100%" y1="100%" y2="100%"/>{drawn}</svg>')


def _section(key: str, intro: Both, inside: str) -> str:
    heading = f'<h2 id="heading-{key}">{said(key)}</h2>\n<p class="intro">{intro}</p>'
    return f'<section id="{key}" aria-labelledby="heading-{key}">\n{heading}\n{inside}\n</section>'


def _legend(*kinds: str) -> str:
    items = "".join(
        f'<li><span class="swatch {"pale-out" if kind == "open" else kind}" aria-hidden="true"></span>'
        f"<span>{said(f'legend.{kind}')}</span></li>"
        for kind in kinds
    )
    return f'<ul class="legend">{items}</ul>'


def _table(key: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table whose first column names its rows. Its place can be scrolled by the keyboard."""
    text = ' class="text"'
    head = "".join(f'<th scope="col"{text if one == "state" else ""}>{said(f"column.{one}")}</th>' for one in columns)
    body = "\n".join(f"<tr>{_named(first)}{''.join(_cell(one) for one in rest)}</tr>" for first, *rest in rows)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-labelledby="heading-{key}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def _named(cell: Cell) -> str:
    return f'<th scope="row">{cell if isinstance(cell, Both) else html.escape(cell)}</th>'


def _cell(cell: Cell) -> str:
    kind = ' class="bar"' if isinstance(cell, _Bar) else ' class="text"' if isinstance(cell, _Text) else ""
    return f"<td{kind}>{cell}</td>"


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(row[name] or 0 for row in rows)


def _asset(name: str) -> str:
    return (Path(str(resources.files("join_pipeline.portfolio"))) / "assets" / name).read_text("utf-8")


def _report_style() -> str:
    """The report's own style, without what needs its charts."""
    return (Path(str(resources.files("join_pipeline.report"))) / "assets" / "style.css").read_text("utf-8")
