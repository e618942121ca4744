"""Dagster's UI as a data engineer meets it: the graph, an asset's page, and a run from the launchpad that turns green.

The UI's own words are Dagster's, and are looked for as little as can be: what is asserted is ours.
"""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page

from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings
from join_pipeline_tests.browser.conftest import watched
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.dagster.serving import serving

GROUPS: Final = ("extract", "models", "warehouse", "staging", "marts", "published")

pytestmark = pytest.mark.slow  # four processes are started, and each of them imports Dagster


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running(SandboxConfig(port=0, applications=60, rate_limit=None)) as url:
        yield settings_for(url, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def dagster(settings: Settings) -> Iterator[str]:
    with serving(settings) as url:
        yield url


def test_graph_asset_and_launchpad_and_a_run_that_turns_green(
    browser: Browser, dagster: str, settings: Settings
) -> None:
    """One walk, since a start and a sync take long: without an error on the console, or a request to elsewhere."""
    with watched(browser) as page:
        page.goto(f"{dagster}/asset-groups")
        places = [box["x"] for group in GROUPS if (box := node(page, group).bounding_box())]
        assert len(places) == len(GROUPS)
        assert places == sorted(places), "it reads from left to right"

        page.goto(f"{dagster}/assets/recruiting/fct_application")
        page.get_by_text("One row per application ever seen").first.wait_for()
        page.get_by_text("Pseudonym of the application", exact=True).wait_for()

        launch(page, f"{dagster}/locations/join_pipeline/jobs/sync", "full")
        page.goto(f"{dagster}/runs")
        ended = page.get_by_text(re.compile("^(Success|Failure|Canceled)$")).first
        ended.wait_for()
        assert ended.inner_text() == "Success"
        assert settings.published.exists()

        page.goto(f"{dagster}/assets/recruiting/fct_funnel_cohort?view=events")
        page.get_by_text("[Show Markdown]").first.click()
        picture = page.locator("img[src^='data:image/png']")
        picture.wait_for()
        assert picture.evaluate("it => it.naturalWidth") > 400


def node(page: Page, group: str) -> Locator:
    """A group in the graph. The list beside it has it, too, and once more for its tooltip."""
    found = page.get_by_text(group, exact=True).nth(2)
    found.wait_for()
    return found


def launch(page: Page, job: str, mode: str) -> None:
    """Launch a job from the launchpad with a mode of one's own."""
    page.goto(job)
    page.locator("button", has_text=re.compile("^Materialize all$")).locator("xpath=following::button[1]").click()
    page.get_by_text("Open launchpad").click()
    editor = page.locator(".CodeMirror", has_text="mode: auto")
    editor.wait_for()
    editor.evaluate(
        "(it, mode) => it.CodeMirror.setValue(it.CodeMirror.getValue().replace('mode: auto', `mode: ${mode}`))", mode
    )
    page.get_by_text("No errors").wait_for()
    submit = page.locator("button", has_text=re.compile("^Materialize$")).last
    with page.expect_response(
        lambda answer: "LaunchRunSuccess" in answer.text() if answer.request.method == "POST" else False
    ):
        submit.click()
