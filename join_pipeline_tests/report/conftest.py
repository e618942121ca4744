"""Companies with a report, for tests that need no browser."""

import pytest

from join_pipeline_tests.report.companies import Companies, shared_companies


@pytest.fixture(scope="session")
def companies(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Companies:
    """Companies by name."""
    return shared_companies(tmp_path_factory, worker_id)
