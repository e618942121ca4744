"""A busy company's published file, for the guides that read one."""

from pathlib import Path

import pytest

from join_pipeline.settings import Settings
from join_pipeline_tests.report.companies import shared_companies


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Settings:
    """Settings of a company with a year and a half of applications. Tests leave it as it is."""
    return shared_companies(tmp_path_factory, worker_id)("busy")


@pytest.fixture
def at_home(busy: Settings, tmp_path: Path) -> Path:
    """A folder in which that company is the connection `join`, as guides have it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "join").symlink_to(busy.home)
    return tmp_path
