"""The company whose people are found, kept and erased."""

from collections.abc import Iterator

import pytest

from join_pipeline_tests.privacy.canaries import Join
from join_pipeline_tests.privacy.people import company


@pytest.fixture(scope="module")
def api() -> Iterator[Join]:
    with company() as api:
        yield api
