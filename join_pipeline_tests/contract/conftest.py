"""The APIs that have to conform: the sandbox, and the live one if two variables are set.

They are JOIN_CONFORMANCE_URL (with its /v2) and JOIN_CONFORMANCE_TOKEN. Against the live API these tests only read.
"""

import os
from collections.abc import Iterator

import pytest

from join_pipeline.sandbox import running
from join_pipeline_tests.contract.apis import CONFIG, Api

LIVE = {"JOIN_CONFORMANCE_URL", "JOIN_CONFORMANCE_TOKEN"} <= set(os.environ)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Api]:
    with running(CONFIG) as url:
        api = Api(f"{url}/v2", CONFIG.token)
        yield api
        api.close()


@pytest.fixture(scope="session", params=["sandbox", "live"] if LIVE else ["sandbox"])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    if request.param == "sandbox":
        yield request.getfixturevalue("sandbox")
        return
    live = Api(os.environ["JOIN_CONFORMANCE_URL"], os.environ["JOIN_CONFORMANCE_TOKEN"])
    yield live
    live.close()
