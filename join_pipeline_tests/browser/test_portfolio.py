"""The page over all companies as its readers meet it: on a screen and a phone, light and dark, in two languages."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from benchmarks.portfolio import AS_OF, make
from join_pipeline.portfolio.tables import LEAST_COMPANIES
from join_pipeline.portfolio.write import write_portfolio
from join_pipeline.settings import load_settings
from join_pipeline_tests.browser.conftest import watched

NAMES = [f"company-{place:02}" for place in range(LEAST_COMPANIES)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of twenty companies, of which one has no figures."""
    settings = load_settings(data=tmp_path_factory.mktemp("portfolio"))
    make(settings.parquet, NAMES)
    made = write_portfolio(settings, [*NAMES, "missing"], datetime.fromisoformat(AS_OF) + timedelta(hours=1))
    return Path(made.report).as_uri()


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("de-DE", "dark")])
def test_axe_finds_nothing_to_object_to(browser: Browser, address: str, locale: str, scheme: str) -> None:
    with watched(browser, locale=locale, color_scheme=scheme) as page:
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == locale[:2]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_button_switches_the_language_and_the_address_keeps_it(browser: Browser, address: str) -> None:
    with watched(browser, locale="en-GB") as page:
        page.goto(address)
        expect(page.get_by_role("heading", name="Who waits")).to_be_visible()
        page.get_by_role("button", name="Deutsch").press("Enter")
        expect(page.get_by_role("heading", name="Wer wartet")).to_be_visible()
        assert page.get_by_role("heading", name="Who waits").count() == 0
        assert page.title() == "Recruiting-Portfolio"
        page.reload()
        assert page.locator("html").get_attribute("lang") == "de"


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, address: str) -> None:
    with watched(browser, viewport={"width": 320, "height": 640}) as page:
        page.goto(address)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
        bar = page.locator("#waits td.bar rect.certain").first
        assert (bar.bounding_box() or {"width": 0})["width"] > 2
