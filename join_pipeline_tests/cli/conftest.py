"""A company of 91 applications behind a sandbox, a shell before it, and a data folder that was built."""

import shutil
from pathlib import Path

import pytest

from join_pipeline_tests.cli.commands import Shell
from join_pipeline_tests.cli.companies import Grown, company, grown, synced


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell with an empty data folder."""
    return Shell(company(), tmp_path / "data")


@pytest.fixture
def known(shell: Shell) -> Shell:
    """The same after a first sync."""
    shutil.copytree(synced(), shell.data)
    return shell


@pytest.fixture(scope="session")
def built() -> Grown:
    """A data folder with a warehouse and a published file. Tests leave it as they found it."""
    return grown()
