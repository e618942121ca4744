"""A browser, and pages that fail a test on an error or on a request to another machine.

Without Chromium these tests are skipped, and say how to get it; with `BROWSER_TESTS=required` (`.ci/run` sets it) they
fail instead.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from join_pipeline_tests.report.companies import Companies, shared_companies

HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# a busy machine of two cores: slowness is no failure here
PATIENCE_MS: Final = 300_000
OFFLINE_SCHEMES: Final = frozenset({"about", "blob", "data", "file"})
QUIET: Final = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # no name of any other machine is even looked up
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def chromium() -> str | None:
    """Where this machine's Chromium is, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """This machine's Chromium; none is downloaded. One per module: while it is open, nothing else can use asyncio."""
    if chromium() is None:
        said = "no Chromium on this machine: install one (Debian: apt-get install chromium) to run the browser tests"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(said)
        pytest.skip(said)
    with launched() as browser:
        yield browser


@contextmanager
def launched() -> Iterator[Browser]:
    """This machine's Chromium, which must be there."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET, *as_root])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh profile. The test fails if it logs an error, or asks anything of another machine."""
    with watched(browser) as page:
        yield page


@pytest.fixture(scope="session")
def companies(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Companies:
    """Companies with a report, by name."""
    return shared_companies(tmp_path_factory, worker_id)


@contextmanager
def watched(browser: Browser, **profile: Any) -> Iterator[Page]:
    """A page in a fresh profile, and at its end the assertion that all went well on it."""
    with browser.new_context(**{"viewport": {"width": 1600, "height": 1000}, **profile}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        errors: list[str] = []
        asked: list[str] = []

        def note(message: ConsoleMessage) -> None:
            if message.type == "error":
                errors.append(f"{message.text} ({message.location['url']})")

        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        yield page
        assert [url for url in asked if not is_here(url)] == []
        assert errors == []


def is_here(url: str) -> bool:
    """True if this machine answers the URL, or the page itself."""
    parts = urlsplit(url)
    return parts.scheme in OFFLINE_SCHEMES or parts.hostname in HERE
