"""What leaders ask is answered at the top of the page, in words that they know, and choices combine without a loss."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from join_pipeline_tests.browser.report_page import choose, drawn, jobs, opened, table, unfold
from join_pipeline_tests.report.companies import Companies

SCREEN: Final = {"width": 1280, "height": 900}
ANSWERS: Final = {
    "act": r"Begin with .+: \d+ applications have waited .+ Decide them\.",
    "bottleneck": r"longest at \w+: half of them longer than .+ days",
    "jobs": r"\d+ jobs? (is|are) open|\d+ of \d+ open jobs",
    "plan": r"JOIN_PIPELINE_HIRING_PLAN_CSV",
    "forecast": r"forecast|hires are to be expected",
    "levels": r"JOIN_PIPELINE_SERVICE_LEVEL_CSV",
    "funnel": r"Of \d+ applications, \d+ \(\d+%\) got past screening",
    "offers": r"reached the offer",
    "volume": r"brings most applications, \d+% of all",
    "sources": r"with \d+% past screening",
    "costs": r"JOIN_PIPELINE_COST_CSV",
    "decision": r"Half of all applications are decided within .+ days",
    "times": r"median time to hire|No hire was seen",
    "outcome": r"Of 100 who apply, after \d+ days .+ hired, .+ declined, .+ withdrawn",
    "years": r"In March 2026 \d+ people applied",
}
"""The answer of the busy company to each question that its page asks."""
NOT_FOR_READERS: Final = (
    r"†|\b(?:INTERIM|VANISHED|SCREENING|EXPIRED)\b|\blo\b|\bhi\b|left-truncated|\bundefined\b|\bNaN\b"
)


@pytest.fixture(scope="module")
def english(browser: Browser, companies: Companies) -> Iterator[Page]:
    with opened(browser, companies("busy"), viewport=SCREEN) as page:
        yield page


@pytest.mark.parametrize("question", ANSWERS)
def test_each_question_is_answered_within_two_scrolls(english: Page, question: str) -> None:
    answer = english.locator(f"#answer-{question}")
    assert answer.locator("dt").inner_text().endswith("?")
    assert re.search(ANSWERS[question], answer.locator("dd").inner_text())
    bottom = answer.evaluate("one => one.getBoundingClientRect().bottom + window.scrollY")
    assert bottom <= 3 * SCREEN["height"]
    target = str(answer.locator("a").get_attribute("href"))
    assert english.locator(f"figure{target}").count() == 1, "it leads to a figure that tells more"


def test_the_headline_is_of_a_period_that_is_old_enough_and_has_one_number(english: Page) -> None:
    said = english.locator("h1").inner_text()
    found = re.search(r"Of 100 people who applied during 16 – 29 March 2026, (\d+) got past screening within 30", said)
    assert found, said
    shares = [row for row in table(english, "cohorts") if row[2] == "30 days" and row[0] in ("16 Mar 26", "23 Mar 26")]
    n = sum(int(row[3]) for row in shares)
    reached = sum(round(int(row[3]) * float(row[4].rstrip("%")) / 100) for row in shares)
    assert int(found[1]) == round(100 * reached / n)
    assert english.locator("#headline-of").inner_text() == f"from {n} applications"


def test_who_waits_is_one_number_wherever_it_is_told(english: Page) -> None:
    said = re.search(r"([\d,]+) wait in open jobs now", english.locator("h1").inner_text())
    assert said
    assert english.locator("#tiles b").first.inner_text() == said[1]
    assert english.locator("#figure-now .lead").inner_text().startswith(f"{said[1]} application")
    milestones = [row for row in table(english, "now") if row[1] == row[2]][:3]
    assert sum(int(row[4]) for row in milestones if row[4] != "hidden") == int(said[1])


def test_a_word_explains_itself_to_a_mouse_and_to_a_keyboard(english: Page) -> None:
    word = english.locator("#answer-outcome .term", has_text="withdrawn")
    tip = word.locator(".tip")
    expect(tip).to_be_hidden()
    word.hover()
    expect(tip).to_be_visible()
    english.mouse.move(0, 0)
    word.focus()
    expect(tip).to_contain_text("Deleted in JOIN")
    assert word.get_attribute("aria-describedby") == tip.get_attribute("id")


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_no_word_of_the_tables_is_on_the_page(browser: Browser, companies: Companies, locale: str) -> None:
    with opened(browser, companies("busy"), locale=locale) as page:
        unfold(page)
        assert re.findall(NOT_FOR_READERS, page.locator("body").inner_text()) == []
        assert page.locator("[lang=en].missing").count() == 0


def test_a_choice_that_can_not_be_joined_by_another_says_so_and_is_kept(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy")) as page:
        name = jobs(page)[0]
        choose(page, "job", name)
        assert page.locator("#filter-channel").is_disabled()
        assert "can't be chosen as well" in page.locator("#left-out").inner_text()
        assert page.locator(".scope", has_text="not told apart here by: Job").count() > 0
        page.locator("#filter-job").fill("no such job")
        page.locator("#filter-job").press("Enter")
        assert "Pick one from the list" in page.locator("#shown").inner_text()
        page.reload()
        drawn(page)
        assert page.locator("#filter-job").input_value() == name, "the address keeps it"
        choose(page, "job", "")
        assert page.locator("#filter-channel").is_enabled()


def test_two_choices_combine_where_the_marts_publish_both(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy")) as page:
        choose(page, "job", jobs(page)[0])
        options = page.locator("#filter-source option:not([disabled]):not([value=''])")
        published = options.evaluate_all("all => all.map(one => one.value)")
        assert 0 < len(published) < page.locator("#filter-source option").count() - 1, "others are not published"
        source = published[0]
        before = page.locator("#shown").inner_text()
        choose(page, "source", source)
        after = page.locator("#shown").inner_text()
        assert jobs(page)[0] in after
        assert f"× {source}" in after
        assert before != after
        assert f"× {source}" in page.locator("#figure-now .scope").inner_text()
        assert page.locator("#figure-act .scope").inner_text().endswith("not told apart here by: Source")
        address = str(page.evaluate("() => location.hash"))
        assert {"job", "source"} <= set(re.findall(r"(\w+)=", address))
    unknown = re.sub("source=[^&]*", "source=XING", address)
    with opened(browser, companies("busy"), unknown) as page:
        assert "not published together" in page.locator("#figure-funnel .missing").inner_text()
        assert page.locator("#filter-source").input_value() == "XING", "nothing is dropped in silence"
