"""Lakes and warehouses to load and to publish."""

import shutil
from pathlib import Path

import pytest

from join_pipeline.settings import Settings
from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import Grown, company, grown, synced


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A lake after a first sync."""
    shutil.copytree(synced(), tmp_path / "data")
    return Shell(company(), tmp_path / "data").settings


@pytest.fixture(scope="session")
def built() -> Grown:
    """A data folder with a warehouse and a published file. Tests leave it as they found it."""
    return grown()
