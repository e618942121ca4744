"""The report as its readers meet it: with a mouse, a keyboard, a screen reader, a phone, on paper, in two languages."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from join_pipeline.report.page import SECTIONS
from join_pipeline_tests.browser.report_page import (
    choose,
    colours,
    drawn,
    figures,
    jobs,
    opened,
    picture,
    table,
    unfold,
)
from join_pipeline_tests.report.companies import Companies
from join_pipeline_tests.report.test_written import HOSTILE, change
from join_pipeline_tests.syncing import changed, write_report

FIGURES = [f"figure-{figure}" for inside in SECTIONS.values() for figure in inside]
UNGIVEN = {"figure-levels", "figure-bottleneck", "figure-plan", "figure-forecast", "figure-costs"}
"""The figures of what the busy company does not have: a plan, deadlines, costs, ten hires that were watched."""
DRAWN = [figure for figure in FIGURES if figure not in UNGIVEN]
PHONE = {"width": 320, "height": 640}
PAPER_WIDTH = 680


def test_every_chart_is_there_and_not_blank(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy")) as page:
        assert figures(page) == FIGURES
        whole = picture(page)
        for figure in UNGIVEN:
            assert re.search("CSV|fewer|too few", page.locator(f"#{figure} .missing").inner_text())
        for figure in DRAWN:
            chart = page.locator(f"#{figure} .chart")
            expect(chart.locator("svg").first).to_be_visible()
            assert colours(whole, chart) >= 3, figure


def test_every_chart_has_its_definition_as_of_n_and_table(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy")) as page:
        for figure in DRAWN:
            place = page.locator(f"#{figure}")
            assert place.locator(".definition h4").count() >= 1
            assert "As of:" in place.locator(".facts").inner_text()
            assert place.locator(".facts div").count() >= 2
            assert len(table(page, figure.removeprefix("figure-"))) >= 1
            assert "table below" in str(place.locator(".chart").get_attribute("aria-label"))


@pytest.mark.parametrize(
    ("name", "scheme", "locale"),
    [
        *((name, scheme, "en-GB") for name in ("busy", "tiny", "empty") for scheme in ("light", "dark")),
        *(("busy", scheme, "de-DE") for scheme in ("light", "dark")),  # longer words, other labels
    ],
)
def test_axe_finds_nothing_to_object_to(
    browser: Browser, companies: Companies, name: str, scheme: str, locale: str
) -> None:
    with opened(browser, companies(name), color_scheme=scheme, locale=locale) as page:
        assert page.locator("html").get_attribute("lang") == locale[:2]
        unfold(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_it_says_what_it_leaves_out_and_by_which_rule_somebody_is_stuck(
    browser: Browser, companies: Companies, tmp_path: Path
) -> None:
    chosen = {"only_created": True, "stuck_chance": 20, "stuck_days": 45, "stuck_visits": 12}
    copy = changed(companies.copy("busy", tmp_path), **chosen)
    some_job = "scope = 'job' AND scope_key = (SELECT min(scope_key) FROM fct_funnel_cohort WHERE scope = 'job')"
    hidden = "SELECT * REPLACE ('{}' AS scope_key, NULL AS n_cohort) FROM fct_funnel_cohort WHERE " + some_job
    change(copy, *(f"INSERT INTO fct_funnel_cohort {hidden.format(job)}" for job in ("one", "another")))
    with opened(browser, companies("busy")) as page:
        assert "created through this pipeline" not in page.locator("#as-of").inner_text()
        assert "job" not in page.locator("#left-out").inner_text()
    write_report(copy)
    with opened(browser, copy) as page:
        assert "created through this pipeline" in page.locator("#as-of").inner_text()
        assert "2 more jobs can't be chosen" in page.locator("#left-out").inner_text()
        said = page.locator("#figure-act").inner_text()
        assert "fewer than 20 % moved on within the next 30 days" in said
        assert "fewer than 12 stays tell that, longer than 45 days" in said


def test_it_is_read_in_the_reader_s_language_and_switched_by_a_button(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy"), locale="de-AT") as page:
        assert page.locator("html").get_attribute("lang") == "de"
        assert page.locator("#heading-funnel").inner_text() == "Bewerbungstrichter"
        assert "Bewerbungen" in page.locator("#shown").inner_text()
        page.get_by_role("button", name="English").press("Enter")
        drawn(page)
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("#heading-funnel").inner_text() == "Funnel"
        assert page.title() == "Recruiting report · sandbox"
        page.reload()
        drawn(page)
        assert page.locator("html").get_attribute("lang") == "en", "the address keeps it"


def test_numbers_and_dates_are_written_as_in_the_reader_s_language(browser: Browser, companies: Companies) -> None:
    busy = companies("busy")
    with opened(browser, busy) as english, opened(browser, busy, locale="de-DE") as german:
        (one, *_), (other, *_) = table(english, "outcome")[-1:], table(german, "outcome")[-1:]
        assert [cell.replace("%", "").replace(".", ",") for cell in one] == [
            cell.replace("\u00a0%", "") for cell in other
        ]
        assert "April 2026" in english.locator("#as-of").inner_text()
        assert "30. April 2026" in german.locator("#as-of").inner_text()


def test_a_setting_says_in_which_language_it_opens(browser: Browser, companies: Companies, tmp_path: Path) -> None:
    settings = companies.copy("tiny", tmp_path).model_copy(update={"report_language": "de"})
    write_report(settings)
    with opened(browser, settings) as page:
        assert page.locator("html").get_attribute("lang") == "de"


def test_the_keyboard_is_enough(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy")) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        page.locator("#filter-source").focus()
        page.keyboard.press("ArrowDown")
        drawn(page)
        assert "All jobs and sources" not in page.locator("#shown").inner_text()
        page.locator("#figure-funnel input[value=counts]").focus()
        page.keyboard.press("ArrowRight")
        drawn(page)
        assert page.evaluate("() => document.activeElement.value") == "shares", "the focus stays"
        expect(page.locator("#figure-funnel")).to_contain_text("Share")
        page.locator("#filter-reset").press("Space")
        drawn(page)
        assert "All jobs and sources" in page.locator("#shown").inner_text()


def test_the_address_shows_the_same_to_others(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("busy")) as page:
        choose(page, "job", jobs(page)[0])
        address, funnel = str(page.evaluate("() => location.hash")), table(page, "funnel")
    with opened(browser, companies("busy"), address) as page:
        assert table(page, "funnel") == funnel


def test_nothing_but_its_own_scripts_runs_on_it(browser: Browser, companies: Companies) -> None:
    with browser.new_context() as context:  # not watched: what is refused is told on the console
        page = context.new_page()
        page.goto(companies("empty").report.as_uri())
        drawn(page)
        inject = (
            "() => document.body.append(Object.assign(document.createElement('script'), {text: 'window.mine = 1'}))"
        )
        page.evaluate(inject)
        assert page.evaluate("() => window.mine") is None
        ask = "() => fetch('http://127.0.0.1:9/').then(() => 'asked', error => String(error.message))"
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.evaluate(ask)
        assert any("Content Security Policy" in text for text in refused)


def test_text_from_join_is_shown_as_it_is(browser: Browser, companies: Companies, tmp_path: Path) -> None:
    settings = companies.copy("busy", tmp_path)
    quoted = HOSTILE.replace("'", "''")
    change(settings, f"UPDATE dim_job SET job_name = '{quoted}'", f"UPDATE dim_stage SET stage_name = '{quoted}'")
    write_report(settings)
    with opened(browser, settings) as page:
        assert all(HOSTILE.strip() in name for name in jobs(page))
        choose(page, "job", jobs(page)[0])
        assert "</script><script>" in page.locator("#headline-of").inner_text()
        assert HOSTILE in table(page, "now")[0][1]
        page.locator("#figure-now svg").hover()
        assert page.evaluate("() => window.hacked") is None
        assert page.locator("img").count() == 0


def test_an_empty_company_gets_a_page_that_says_what_is_missing(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("empty")) as page:
        assert page.locator("h1").inner_text() == "No applications yet."
        missing = page.locator("figure .missing").evaluate_all("all => all.map(one => one.closest('figure').id)")
        assert set(FIGURES) - set(missing) == {"figure-operations"}
        assert page.locator("figure .chart").count() == 1
        for name in ("job", "source", "from", "to"):
            assert page.locator(f"#filter-{name}").is_disabled()


def test_a_tiny_company_gets_no_rates_from_a_handful(browser: Browser, companies: Companies) -> None:
    with opened(browser, companies("tiny")) as page:
        assert page.locator("h1").inner_text().startswith("Too few applications to say anything in numbers.")
        assert "too few to say" in page.locator("#tiles").inner_text()
        for figure in FIGURES:
            assert page.locator(f"#{figure} .chart svg, #{figure} .missing").count() >= 1
        assert all(row[6] == "–" for row in table(page, "funnel"))


@pytest.mark.parametrize("name", ["busy", "empty"])
def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, companies: Companies, name: str) -> None:
    with opened(browser, companies(name), viewport=PHONE) as page:
        unfold(page)
        assert page.evaluate("() => document.scrollingElement.scrollWidth") <= PHONE["width"]


def test_it_fits_on_paper_light_and_without_what_paper_can_not_do(browser: Browser, companies: Companies) -> None:
    with opened(
        browser, companies("busy"), color_scheme="dark", viewport={"width": PAPER_WIDTH, "height": 900}
    ) as page:
        page.emulate_media(media="print")
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        wide = "all => all.filter(one => one.getBoundingClientRect().right > document.body.clientWidth + 1).length"
        assert page.locator(".chart svg").evaluate_all(wide) == 0
        assert not page.locator("#filter-job").is_visible()
        assert page.locator("#shown").is_visible()
        ink = page.evaluate("() => getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()")
        assert ink == "#1d2126"
        pages = page.pdf(prefer_css_page_size=True, print_background=True).count(b"/Type /Page\n")
        assert 1 <= pages <= 16
