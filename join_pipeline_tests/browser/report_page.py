"""The report in a browser: opening it, choosing, reading its tables.

Belongs here: what a reader does with the page. Not here: what should be on it (test_report…).
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from join_pipeline.settings import Settings
from join_pipeline_tests.browser.conftest import watched

DRAWN = "html[data-drawn]:not([data-drawing])"


@contextmanager
def opened(browser: Browser, settings: Settings, address: str = "", **profile: Any) -> Iterator[Page]:
    """The report of a company, drawn; English unless the profile says otherwise."""
    with watched(browser, **{"locale": "en-GB", **profile}) as page:
        page.goto(f"{settings.report.as_uri()}{address}")
        drawn(page)
        yield page


def drawn(page: Page) -> None:
    """Wait until every chart shows what was chosen last."""
    page.wait_for_selector(DRAWN, state="attached")


def choose(page: Page, name: str, value: str) -> None:
    """Choose in a filter, as by hand. A job is chosen by its name, and nothing stands for all jobs."""
    field = page.locator(f"#filter-{name}")
    if name == "job":
        field.fill(value)
        field.press("Enter")
    else:
        field.select_option(value)
    drawn(page)


def jobs(page: Page) -> list[str]:
    """The names of the jobs that can be chosen."""
    return page.locator("#jobs-list option").evaluate_all("all => all.map(one => one.value)")  # type: ignore[no-any-return]


def figures(page: Page) -> list[str]:
    return [str(name) for name in page.eval_on_selector_all("figure", "all => all.map(one => one.id)")]


def unfold(page: Page) -> None:
    """Open every table and definition."""
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")


def table(page: Page, figure: str) -> list[list[str]]:
    """The numbers of a figure, as its table shows them."""
    script = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    return page.eval_on_selector_all(f"#figure-{figure} tbody tr", script)  # type: ignore[no-any-return]


def number(text: str) -> float | None:
    """A number as the English page writes it; None for none."""
    found = re.search(r"-?[\d,]+(\.\d+)?", text)
    return float(found[0].replace(",", "")) if found else None


def share(text: str) -> float | None:
    """A percentage as the English page writes it, as a share."""
    return None if (value := number(text)) is None else value / 100


def picture(page: Page) -> Image.Image:
    """The whole page, which is at its top, as it would be printed on one long sheet."""
    return Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")


def colours(whole: Image.Image, place: Locator) -> int:
    """How many colours a place of the whole page shows, alike ones as one, leaving out those that few pixels have."""
    box = place.bounding_box()
    assert box is not None
    edges = (box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"])
    image = whole.crop(tuple(round(edge) for edge in edges)).quantize(32)
    return sum(1 for count, _ in image.getcolors() or () if count > image.width * image.height / 2000)
