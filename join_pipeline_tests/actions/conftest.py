"""Gives all tests that write one sandbox, and each test its own e-mail address and data folder."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from join_pipeline.sandbox import running
from join_pipeline_tests.actions.company import CONFIG, Company

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    with running(CONFIG) as url:
        yield url


@pytest.fixture
def company(sandbox: str, tmp_path: Path) -> Company:
    return Company(sandbox, tmp_path / "data")


@pytest.fixture
def email() -> str:
    """An address that nobody has applied with."""
    return f"somebody.{next(NUMBERS)}@applicants.example.org"
