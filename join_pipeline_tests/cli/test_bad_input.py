"""Bad settings, and a server that is not JOIN: a clear message with what to do, an exit code, and no change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx
import pytest

from join_pipeline_tests.cli.commands import SECRET, Shell, contents, is_good, is_told

BAD_SETTINGS = {
    "no token": ("JOIN_API_TOKEN", "", "API Credentials"),
    "half a token": ("JOIN_API_TOKEN", f"{SECRET} {SECRET}", "Paste the raw token"),
    "a header, not a token": ("JOIN_API_TOKEN", f"Bearer {SECRET}", "Paste the raw token"),
    "no URL": ("JOIN_API_URL", "api.join.com", "http"),
    "a token in the URL": ("JOIN_API_URL", f"https://{SECRET}@api.join.com/v2", "takes no user"),
    "a connection that is a path": ("JOIN_PIPELINE_CONNECTION", "../other", ""),
    "no time zone": ("JOIN_PIPELINE_TIME_ZONE", "Zurich", "Europe/Zurich"),
    "no number": ("JOIN_PIPELINE_PAGES_IN_FLIGHT", "many", ""),
    "a short key": ("JOIN_PIPELINE_PSEUDONYM_KEY", SECRET[:8], "16"),
}


class Bad(NamedTuple):
    """Settings or faults of the sandbox, and what a user is told."""

    settings: dict[str, str]
    faults: dict[str, float]
    words: tuple[str, ...]


BAD_JOIN = {
    "wrong token": Bad({"JOIN_API_TOKEN": SECRET}, {}, ("401", "Check JOIN_API_TOKEN")),
    "wrong path": Bad({"JOIN_API_URL": "{url}/v3"}, {}, ("404", "Check JOIN_API_URL")),
    "nobody listens": Bad({"JOIN_API_URL": "http://127.0.0.1:1/v2"}, {}, ("no response", "check the network")),
    "no such host": Bad({"JOIN_API_URL": "https://join.invalid/v2"}, {}, ("join.invalid", "check the network")),
    "no JSON": Bad({}, {"not_json": 1.0}, ("not JSON", "Check that JOIN_API_URL")),
    "JSON but no list": Bad({}, {"not_a_list": 1.0}, ("not a list", "Check that JOIN_API_URL")),
    "cut off": Bad({}, {"truncated": 1.0}, ("not JSON",)),
    "a broken server": Bad({}, {"server_error": 1.0}, ("500", "Run it again later")),
    "too many requests": Bad({}, {"rate_limited": 1.0}, ("429", "Run it again later")),
}


@contextmanager
def faulty(url: str, faults: dict[str, float]) -> Iterator[None]:
    """The sandbox with these faults, for a while."""
    httpx.post(f"{url}/control/faults", json=faults, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.post(f"{url}/control/faults", json={}, trust_env=False).raise_for_status()


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_a_bad_setting_is_named_before_anything_is_done(shell: Shell, name: str) -> None:
    variable, value, advice = BAD_SETTINGS[name]
    is_told(shell.but(**{variable: value})("sync"), 2, variable, advice)
    assert not shell.data.exists()


@pytest.mark.parametrize("name", BAD_JOIN)
def test_a_sync_that_can_not_be_says_why_and_changes_nothing(known: Shell, name: str) -> None:
    settings, faults, words = BAD_JOIN[name]
    bad = known.but(**{variable: value.replace("{url}", known.url) for variable, value in settings.items()})
    before = contents(known.settings.lake)
    with faulty(known.url, faults):
        is_told(bad("sync", "--mode", "full"), 1, *words)
    assert contents(known.settings.lake) == before
    is_good(known("sync"))


@pytest.mark.parametrize("name", ["wrong token", "wrong path", "JSON but no list"])
def test_a_first_sync_that_can_not_be_commits_nothing(shell: Shell, name: str) -> None:
    settings, faults, words = BAD_JOIN[name]
    bad = shell.but(**{variable: value.replace("{url}", shell.url) for variable, value in settings.items()})
    with faulty(shell.url, faults):
        is_told(bad("sync"), 1, *words)
    assert not list(shell.settings.lake.glob("*/*"))
    is_good(shell("sync"))
    assert shell("status", "--json").document["n_syncs"] == 1


def test_doctor_names_what_is_wrong_and_ends_with_1(shell: Shell) -> None:
    wrong = shell.but(JOIN_API_TOKEN=SECRET)("doctor")
    assert wrong.code == 1
    assert "Check JOIN_API_TOKEN" in wrong.out
    assert SECRET not in wrong.out + wrong.err
    missing = shell.but(JOIN_API_TOKEN="")("doctor", "--json")
    assert missing.code == 1
    verdicts = {one["check"]: (one["verdict"], one["message"]) for one in missing.document}
    assert verdicts["token"][0] == "failed"
    assert verdicts["lake"] == ("warning", "no sync yet. Run `join-pipeline sync`.")
    assert shell("doctor").code == 0
    assert not shell.data.exists()
