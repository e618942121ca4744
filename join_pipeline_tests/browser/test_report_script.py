"""The pure functions of the page's script, in a browser, on data of their own."""

import json
from collections.abc import Iterator
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from join_pipeline.report.texts import read_texts
from join_pipeline_tests.browser.conftest import watched

PARTS: Final = sorted((Path(str(resources.files("join_pipeline.report"))) / "assets" / "app").glob("[123]0_*.js"))
MILESTONES: Final = ("INTERIM", "OFFER", "HIRED")


def cohort(on: str, n: int, old: int, grain: str = "week", **others: Any) -> dict[str, Any]:
    """A cohort of which so many are 30 days old, and a fifth of those got past screening."""
    reached = [old // 5, 0, 0]
    return {
        "group": 0, "grain": grain, "on": on, "n": n, "n_unknown": 0, "is_truncated": False, "is_hidden": False,
        "observed": [n, old // 5, 0, 0], "reached": [n, old // 5, 0, 0], "moved_on": [old // 5, 0, 0, 0],
        "out": [old // 5, 0, 0, 0], "waiting": [n - 2 * (old // 5), old // 5, 0, 0], "old_enough_at_age": [old] * 3,
        "reached_at_age_lo": reached, "reached_at_age": reached, "reached_at_age_hi": reached, **others,
    }  # fmt: skip


def dataset(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"columns": list(rows[0]) if rows else [], "rows": [list(row.values()) for row in rows]}


GROUPS: Final = (
    ("overall", "all"),
    ("job", "nurse"),
    ("source", "indeed"),
    ("source", "a/b"),
    ("job_source", "nurse/a/b"),
)
DATASETS: Final = {
    "groups": [
        {"group": at, "scope": scope, "key": key, "name": None, "city": None, "status": None, "number": None}
        for at, (scope, key) in enumerate(GROUPS)
    ],
    "milestone_ages": [{"milestone": milestone, "age_days": 30} for milestone in MILESTONES],
    "cohorts": [cohort("2026-03-01", 60, 60, "month"), cohort("2026-04-01", 40, 39, "month")],
    "curves": [],
}


@pytest.fixture(scope="module")
def script(browser: Browser) -> Iterator[Page]:
    given = {"about": {"minimum_n": 10, "language": None, "time_zone": "UTC", "first_sync_at": None}}
    given["datasets"] = {name: dataset(rows) for name, rows in DATASETS.items()}
    elements = {"report-data": given, "report-charts": {}, "report-texts": read_texts()}
    with watched(browser, locale="de-CH") as page:
        page.set_content(
            "".join(f'<script type="application/json" id="{name}"></script>' for name in elements),
        )
        for name, value in elements.items():
            page.evaluate(
                "([id, text]) => { document.getElementById(id).textContent = text; }", [name, json.dumps(value)]
            )
        yield page


def run(script: Page, expression: str, *values: Any) -> Any:
    """The value of an expression in the scope of the script's parts that draw nothing. `v` is the list of values."""
    parts = "\n".join(part.read_text("utf-8") for part in PARTS)
    return script.evaluate(f"v => {{ {parts}\nspeak('de'); return {expression}; }}", list(values))


def test_wilson_s_interval_is_the_textbook_s_and_needs_enough_cases(script: Page) -> None:
    assert run(script, "wilson(20, 100)") == pytest.approx({"low": 0.1334, "high": 0.2888}, abs=1e-4)
    assert run(script, "[wilson(3, 9), share(3, 9), share(5, 10)]") == [None, None, 0.5]


def test_the_newest_mature_period_is_a_month_that_is_old_enough_to_the_last_application(script: Page) -> None:
    assert run(script, "newestMature(cohortsOf(0, 'month'), []).map((one) => one.on)") == ["2026-03-01"]
    assert run(script, "reachedAt(newestMature(cohortsOf(0, 'month'), []), 'INTERIM', 30)") == {
        "n": 60,
        "lo": 12,
        "best": 12,
        "hi": 12,
    }


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([("04-06", 20, 20), ("04-13", 20, 20), ("04-20", 20, 19)], ["04-06", "04-13"]),
        ([("04-06", 20, 20), ("04-20", 20, 20)], ["04-20"]),
        ([("04-06", 4, 4), ("04-13", 4, 4)], []),
        ([(f"04-{day:02}", 9, 9) for day in (1, 8, 15, 22, 29)], ["04-08", "04-15", "04-22", "04-29"]),
    ],
    ids=["young ones are left out", "in a row only", "too few", "four at most"],
)
def test_without_a_mature_month_weeks_in_a_row_are_taken(script: Page, weeks: Any, expected: list[str]) -> None:
    cohorts = [cohort(f"2026-{on}", n, old) for on, n, old in weeks]
    assert run(script, "newestMature([], v).map((one) => one.on.slice(5))", *cohorts) == expected


def test_before_the_first_sync_and_hidden_is_no_mature_period(script: Page) -> None:
    cohorts = [cohort("2026-04-06", 20, 20, is_truncated=True), cohort("2026-04-13", 20, 20, is_hidden=True)]
    assert run(script, "newestMature(v, v)", *cohorts) == []


def test_a_pair_s_key_is_split_at_its_first_slash(script: Page) -> None:
    assert run(script, "partsOf(data.groups[4])") == {"job": "nurse", "source": "a/b"}
    assert run(script, "[groupOf({ source: 'a/b', job: 'nurse' }).group, groupOf({}).group]") == [4, 0]
    assert run(script, "groupOf({ job: 'nurse', source: 'indeed' }) === undefined")
    assert run(script, "[isPair('source', 'job'), isPair('job', 'city')]") == [True, False]


def test_labels_keep_their_distance_and_their_order(script: Page) -> None:
    heights = run(script, "spread([0.01, 0.02, 0.5, 0.97, 0.98], 0.1, 0.98)")
    assert heights == sorted(heights)
    assert all(high - low >= 0.1 - 1e-9 for low, high in pairwise(heights))
    assert heights[-1] <= 0.98


def test_numbers_are_written_in_the_reader_s_variety_and_a_range_of_one_is_one(script: Page) -> None:
    assert run(script, "number(1234.5, 1)").replace("’", "'") == "1'234.5"
    assert run(script, "[percents(0.121, 0.124), percents(0.12, 0.34), percents(null, 1)]") == ["12%", "12–34%", "–"]
    assert run(script, "[ofHundred(0.026), ofHundred(0.683), ofHundred(0)]") == ["2.6", "68", "0"]


def test_words_of_the_tables_are_said_in_the_reader_s(script: Page) -> None:
    assert run(script, "plain('HIRED or VANISHED, n = 10, CSV')") == "eingestellt or zurückgezogen, n = 10, CSV"
