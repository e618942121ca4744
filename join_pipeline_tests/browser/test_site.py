"""The documentation as a site: every page opens in a browser that reaches no other machine."""

import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from playwright.sync_api import Browser, Page, expect

from join_pipeline_tests.browser.conftest import watched

ROOT = Path(__file__).parents[2]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """A test's output has no lines about requests."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site. The build is strict: a link that leads nowhere raises."""
    site = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "true")
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(site)))
    return site


@pytest.fixture(scope="module")
def address(built: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(built)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def names(built: Path) -> list[str]:
    return sorted(path.relative_to(built).as_posix() for path in built.rglob("*.html") if path.name != "404.html")


def test_every_page_opens_and_asks_nothing_of_another_machine(browser: Browser, built: Path, address: str) -> None:
    found = names(built)
    assert len(found) > 30
    with watched(browser) as page:
        for name in found:
            page.goto(f"{address}/{name}")
            assert page.locator("article h1").first.inner_text(), name
            broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
            assert page.evaluate(broken) == [], name


def test_the_search_finds_a_page(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    query = page.locator(".md-search__input")
    query.focus()  # the index is read when the search is first used; what is typed meanwhile is lost
    expect(page.locator(".md-search-result__meta")).to_have_text(re.compile("Type to start searching"))
    query.press_sequentially("quarantine")
    expect(page.locator(".md-search-result__item").first).to_contain_text("uarantine")


def test_the_diagram_names_the_tables_that_facts_lead_to(page: Page, address: str) -> None:
    page.goto(f"{address}/reference/entities.html")
    drawn = page.request.get(page.locator("article img").evaluate("image => image.src")).text()
    assert {"dim_job", "dim_stage", "dim_candidate", "fct_application"} <= {
        part.split("<")[0] for part in drawn.split(">")
    }
