"""The page of the browser tests does what they rely on: it notices errors, and requests to other machines."""

import pytest
from playwright.sync_api import Browser

from join_pipeline_tests.browser.conftest import is_here, watched


def test_an_error_on_the_console_is_noticed(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="that went wrong"), watched(browser) as page:
        page.set_content("<script>console.error('that went wrong')</script>")


def test_an_error_in_a_script_is_noticed(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="nothing"), watched(browser) as page:
        page.set_content("<script>nothing.at.all</script>")


def test_a_request_to_another_machine_is_noticed(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="fonts"), watched(browser) as page:
        page.set_content("<link rel=stylesheet href='http://fonts.example/a.css'>")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:3000/graphql", True),
        ("ws://localhost:3000/graphql", True),
        ("http://[::1]/", True),
        ("data:text/css,", True),
        ("https://example.org/", False),
        ("http://127.0.0.1.example.org/", False),
        ("ws://10.0.0.1/", False),
    ],
)
def test_only_this_machine_is_here(url: str, here: bool) -> None:
    assert is_here(url) == here
