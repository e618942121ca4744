"""For all tests: the same random examples at every run, the order of the tests, and a report of skipped ones."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

from join_pipeline_tests.tiers import COLLECTED, LEFT_OUT, ordered

# A change and not luck turns a test red.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    config.stash[COLLECTED] = {item.nodeid: item.get_closest_marker("slow") is not None for item in items}
    config.stash[LEFT_OUT] = set()
    yield
    items[:] = ordered(items)


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        item.config.stash[LEFT_OUT].add(item.nodeid)


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """A flush is called and does nothing, which halves the time of a sync. No test cuts the power: at most a process
    dies, and what it has written survives it.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield
