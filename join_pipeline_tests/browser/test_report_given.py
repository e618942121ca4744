"""Figures of a reader's own tables, and of hires that the companies of other tests lack, on rows of their own."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from join_pipeline_tests.browser.conftest import watched
from join_pipeline_tests.browser.report_page import drawn, table
from join_pipeline_tests.report.companies import Companies

DATA: Final = re.compile(r'id="report-data">(.*?)</script>', re.DOTALL)
Shown = Callable[[str, str, list[dict[str, Any]]], tuple[str, list[list[str]]]]


@pytest.fixture
def figure(browser: Browser, companies: Companies, tmp_path: Path) -> Shown:
    """What a figure says, and its table, in a report whose dataset has these rows."""

    def shown(name: str, dataset: str, rows: list[dict[str, Any]]) -> tuple[str, list[list[str]]]:
        found = DATA.search(text := companies("busy").report.read_text())
        assert found
        report = json.loads(found[1])
        report["datasets"][dataset] = {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]}
        path = tmp_path / "report.html"
        path.write_text(text[: found.start(1)] + json.dumps(report).replace("<", "\\u003c") + text[found.end(1) :])
        with watched(browser, locale="en-GB") as page:
            page.goto(path.as_uri())
            drawn(page)
            return page.locator(f"#figure-{name}").inner_text(), table(page, name)

    return shown


def line(number: int, wanted: int, hires: int | None, **others: Any) -> dict[str, Any]:
    gap = None if hires is None else max(wanted - hires, 0)
    return {
        "line": number, "job": None, "category": None, "wanted": wanted, "hires": hires, "gap": gap, "by": "2026-12-31",
        "is_in_total": True, "is_hidden": hires is None, "is_pipeline_hidden": False, "n_waiting": 3, "expected": None,
        **others,
    }  # fmt: skip


def test_a_plan_is_told_by_its_whole_and_no_hire_of_it_counts_twice(figure: Shown) -> None:
    whole = line(0, 63, 28, gap=39)
    lines = [
        line(2, 2, 10, job="Nurse", is_in_total=False),
        line(5, 14, 18, category="Ward"),
        line(6, 20, None, category="Shop"),
    ]
    said, rows = figure("plan", "plan", [whole, *lines])
    assert "28 of 63 planned hires are made. 39 are missing." in said
    assert "What one line has too many fills no gap of another." in said
    assert "1 line of the plan is hidden" in said
    assert [row[0] for row in rows] == ["All of the plan", "Nurse", "Ward"]


def test_a_plan_of_which_the_whole_is_hidden_is_told_by_what_is_shown(figure: Shown) -> None:
    said, _ = figure(
        "plan", "plan", [line(0, 30, None), line(2, 14, 9, category="Ward"), line(3, 5, 5, category="Shop")]
    )
    assert "14 of 19 planned hires are made. 5 are missing. Next: Ward lacks 5 by" in said
    assert "Nothing is missing." in figure("plan", "plan", [line(0, 5, 6), line(2, 5, 6, category="Ward")])[0]


def test_the_days_to_a_hire_add_up_with_those_that_nobody_saw(figure: Shown) -> None:
    step = {"group": 0, "n_hires": 16, "unseen": 9.1, "to_hire": 33.8, "is_hidden": False, "is_bottleneck": False}
    steps = [
        {**step, "milestone": "SCREENING", "days": 3.2, "if_halved": 32.2},
        {**step, "milestone": "INTERIM", "days": 14.4, "if_halved": 26.6, "is_bottleneck": True},
        {**step, "milestone": "OFFER", "days": 7.1, "if_halved": 30.2},
    ]
    said, rows = figure("bottleneck", "bottlenecks", steps)
    assert "Of the 34 days to a hire, 14 days go at Interviews, more than at any other milestone." in said
    assert "between two syncs, not seen" in said
    assert {row[4] for row in rows} == {"9.1 days"}
    said, _ = figure("bottleneck", "bottlenecks", [{**one, "unseen": 0} for one in steps])
    assert "not seen" not in said.partition("How this is computed")[0]


def test_costs_in_two_currencies_are_not_compared(figure: Shown) -> None:
    cost = {
        "scope": "source", "grain": "all", "period": "all", "n_months": 3, "per_hire_low": None, "is_known": True,
        "is_truncated": False, "is_hidden": False, "hires": 12,
    }  # fmt: skip
    euros = [
        {
            **cost,
            "source": name,
            "currency": "EUR",
            "cost": paid + 600,
            "cost_over": paid,
            "applications": n,
            "per_application": paid / n,
            "per_hire": paid / 12,
        }
        for name, paid, n in (("XING", 3900, 80), ("StepStone", 7764, 90))
    ]
    francs = {
        **euros[0],
        "source": "jobs.ch",
        "currency": "CHF",
        "applications": 40,
        "per_hire": 90,
        "cost": 1080,
        "cost_over": 1080,
    }
    said, rows = figure("costs", "costs", [francs, *euros])
    assert "A hire costs least through XING (325 EUR), and most through StepStone (647 EUR)." in said
    assert "Sources paid in CHF are in the table" in said
    assert [row[1] for row in rows] == ["7,764 EUR", "3,900 EUR", "1,080 CHF"]
    assert "Costs of a month that is not over yet are left out." in said
    said, _ = figure("costs", "costs", [francs])
    assert "not over yet" not in said
    said, _ = figure("costs", "costs", [{**one, "cost_over": None} for one in euros])
    assert "Costs of a month that is not over yet are left out." in said
    said, _ = figure("costs", "costs", [euros[0], {**euros[1], "per_hire": None}])
    assert re.search(r"A hire through XING costs 325 EUR\. No other source", said)


def test_a_month_that_hides_who_waits_tells_them_together_with_those_who_are_out(figure: Shown) -> None:
    month = {
        "group": 0, "grain": "month", "on": "2026-03-01", "n": 60, "n_unknown": 0, "is_truncated": False,
        "is_hidden": False, "observed": [60, 30, 12, 9], "reached": [60, 30, 12, 9], "moved_on": [30, 12, 9, 0],
        "out": [20, 8, 1, 0], "waiting": [10, 10, 2, 0],
        "old_enough_at_age": None, "reached_at_age_lo": None, "reached_at_age": None, "reached_at_age_hi": None,
    }  # fmt: skip
    vague = {**month, "on": "2026-04-01", "out": [20, None, 1, 0], "waiting": [10, None, 2, 0]}
    said, rows = figure("funnel", "cohorts", [month, vague])
    assert [row[1:6] + row[9:] for row in rows] == [
        ["120", "120", "60", "20", "40", "0"],
        ["60", "60", "24", "10", "8", "18"],
        ["24", "24", "18", "4", "2", "0"],
        ["18", "18", "18", "0", "0", "0"],
    ]
    assert [row[6] for row in rows] == ["60.0%", "60.0%", "90.0%", "–"]
    assert rows[1][8] == "40–87%"
    assert "waiting or out, not told apart" in said
    assert "In 1 month, who waits is not told apart from who is out" in said
